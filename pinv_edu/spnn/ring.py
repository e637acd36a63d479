r"""A pseudo-invertible network for signals on a ring."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from pinv_edu.base import PseudoInvertible
from pinv_edu.bijections import (
    AffineCoupling,
    Bijection,
    CayleyMix,
    ColorMix,
)
from pinv_edu.bijections.base import constant_log_det
from pinv_edu.spnn.coupling import SurjectiveCoupling
from pinv_edu.spnn.network import SPNN, Flatten

SPREAD = 0.02  # of a rotation that starts near the identity
REACH = 5  # places that one convolution sees


class RingFold(Bijection):
    r"""Cut a ring into blocks: (n,) to (c, 1, n/c).

    .. math::
        y_{a, 0, i} = x_{c i + a} .

    A permutation. Turning the ring by c points moves all channels by one
    place.

    Parameters
    ----------
    points
        n, a multiple of c.
    c
        Points in a block.
    """

    def __init__(self, points: int, c: int) -> None:
        if not 0 < c <= points or points % c:
            raise ValueError(
                f"a block of {c} points does not divide a ring of {points}"
            )
        super().__init__((points,), (c, 1, points // c))

    def forward(self, x: Tensor) -> Tensor:
        """Ring to blocks."""
        x = self.check_x(x)
        return x.reshape(len(x), -1, self.out_shape[0]).mT[:, :, None]

    def inverse(self, y: Tensor) -> Tensor:
        """Blocks to ring."""
        return self.check_y(y)[:, :, 0].mT.reshape(len(y), -1)

    def log_det(self, x: Tensor) -> Tensor:
        """Zero: a permutation keeps volumes."""
        return constant_log_det(self.check_x(x), 0.0)


def ring_surrogate(
    points: int,
    sensors: int,
    *,
    hidden: int = 24,
    couplings: int = 3,
    scale_bound: float = 1.0,
    generator: torch.Generator | None = None,
) -> SPNN:
    r"""A ring of numbers to a ring of fewer: a model of unknown physics.

    .. math::
        (n,) \to (c, 1, m) \xrightarrow{\text{couplings and rotations}}
        \to (1, 1, m) \to (m,), \qquad c = n/m .

    The networks inside are convolutions that go round the ring, the same
    at every place: turn ``x`` by c points, and :math:`g(x)` turns by one.
    At first :math:`g` is the mean of each block of c points.

    Parameters
    ----------
    points, sensors
        n and m, a proper divisor of n.
    hidden
        Width of all networks.
    couplings
        Number of bijective couplings before the surjective one.
    scale_bound
        Bound of all log-scales.
    generator
        Draws all weights; None draws from seed 0.

    Raises
    ------
    ValueError
        If ``sensors`` does not divide ``points``, or nothing is lost.
    """
    if sensors < 1 or points % sensors or points == sensors:
        raise ValueError(
            f"sensors must divide points and be fewer, got {sensors} "
            f"sensors for {points} points"
        )
    generator = generator or torch.Generator().manual_seed(0)
    fold = RingFold(points, points // sensors)
    c, *place = shape = fold.out_shape
    blocks: list[PseudoInvertible] = [fold, ColorMix(shape, cosines(c))]
    for i in range(couplings):
        net = ring_net(c - c // 2, 2 * (c // 2), hidden, generator)
        blocks += [
            AffineCoupling(
                shape, net, scale_bound=scale_bound, swap=i % 2 == 0
            ),
            CayleyMix(shape, spread=SPREAD, generator=generator),
        ]
    drop = SurjectiveCoupling(
        shape,
        1,
        scale_bound=scale_bound,
        net=ring_net(c - 1, 2, hidden, generator),
        r=ring_net(1, c - 1, hidden, generator),
    )
    to_mean = ColorMix((1, *place), torch.tensor([[c**-0.5]]))
    return SPNN(*blocks, drop, to_mean, Flatten((1, *place)))


def cosines(c: int) -> Tensor:
    r"""Orthonormal cosine basis (c, c); row 0 times a block is its sum
    divided by :math:`\sqrt c`.
    """
    k = torch.arange(c, dtype=torch.float64)
    rows = (math.pi / c * k[:, None] * (k + 0.5)).cos() * (2 / c) ** 0.5
    rows[0] /= 2**0.5
    return rows


def ring_net(
    channels: int, out_channels: int, hidden: int, generator: torch.Generator
) -> nn.Sequential:
    """Three convolutions round a ring (C, 1, m); the last starts at zero.

    The others start uniformly in plus or minus one over the root of the
    number of inputs, as in :func:`~pinv_edu.bijections.small_net`.
    """
    sizes = (channels, hidden, hidden, out_channels)
    layers = [
        _convolution(n, m, generator) for n, m in itertools.pairwise(sizes)
    ]
    for weight in layers[-1].parameters():
        nn.init.zeros_(weight)
    first, second, last = layers
    return nn.Sequential(first, nn.SiLU(), second, nn.SiLU(), last)


def _convolution(n: int, m: int, generator: torch.Generator) -> nn.Conv2d:
    # skip_init: the usual initial weights would move torch's global seed.
    layer = nn.utils.skip_init(
        nn.Conv2d,
        n,
        m,
        (1, REACH),
        padding=(0, REACH // 2),
        padding_mode="circular",
    )
    bound = (n * REACH) ** -0.5
    with torch.no_grad():
        for weight in layer.parameters():
            weight.uniform_(-bound, bound, generator=generator)
    return layer
