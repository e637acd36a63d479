r"""Learned bijections of single pixels, and a network that knows its place."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pinv_edu.bijections import Bijection, small_net
from pinv_edu.bijections.base import check_positive
from pinv_edu.checks import check_shape

# Adam moves every weight by about lr a step, whatever it means. A gain is
# one number that should move faster than the many of a network.
PACE = 8.0


class PixelGain(Bijection):
    r"""A gain and an offset for each value: :math:`y = e^{p a} x + p b`.

    ``a`` and ``b`` have the shape of a picture. They learn what depends on
    the place: vignetting, a dusty sensor. The pace :math:`p = 8` makes
    them learn faster than a network's weights.

    Parameters
    ----------
    shape
        Event shape.
    gain
        First gain, positive; the first offset is zero.
    """

    def __init__(self, shape: Sequence[int], gain: float = 1.0) -> None:
        super().__init__(shape)
        start = math.log(check_positive(gain, "gain")) / PACE
        self.log_gain = nn.Parameter(torch.full(self.in_shape, start))
        self.offset = nn.Parameter(torch.zeros(self.in_shape))

    def forward(self, x: Tensor) -> Tensor:
        r"""Return :math:`e^{p a} x + p b`."""
        x = self.check_x(x)
        return x * self._log().to(x.dtype).exp() + self._shift(x)

    def inverse(self, y: Tensor) -> Tensor:
        r"""Return :math:`(y - p b)\, e^{-p a}`."""
        y = self.check_y(y)
        return (y - self._shift(y)) * (-self._log().to(y.dtype)).exp()

    def log_det(self, x: Tensor) -> Tensor:
        r"""Return :math:`p \sum_i a_i`."""
        return self._log().sum().to(x.dtype).expand(len(self.check_x(x)))

    def _log(self) -> Tensor:
        return PACE * self.log_gain

    def _shift(self, like: Tensor) -> Tensor:
        return (PACE * self.offset).to(like.dtype)


class AsinhResponse(Bijection):
    r"""A learned saturating curve, odd and onto the real line.

    .. math::
        y = \frac{\operatorname{asinh}(k x)}{\operatorname{asinh}(k)},
        \qquad x = \frac{\sinh(y \operatorname{asinh}(k))}{k}, \qquad
        k = e^{p a} ,

    with one weight ``a``, at first zero, and the pace :math:`p = 8`. It
    keeps -1, 0 and 1; for small ``k`` it is the identity.

    Parameters
    ----------
    shape
        Event shape.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__(shape)
        self.log_bend = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Bend the large values down."""
        x = self.check_x(x)
        k = self._bend(x)
        return torch.asinh(k * x) / torch.asinh(k)

    def inverse(self, y: Tensor) -> Tensor:
        """Straighten them again."""
        y = self.check_y(y)
        k = self._bend(y)
        return torch.sinh(y * torch.asinh(k)) / k

    def log_det(self, x: Tensor) -> Tensor:
        r"""Return :math:`\sum_i \log (k / \operatorname{asinh}(k)) -
        \tfrac12 \log(1 + k^2 x_i^2)`.
        """
        x = self.check_x(x)
        k = self._bend(x)
        slope = (k / torch.asinh(k)).log() - 0.5 * torch.log1p((k * x) ** 2)
        return slope.flatten(1).sum(1)

    def _bend(self, like: Tensor) -> Tensor:
        return (PACE * self.log_bend).exp().to(like.dtype)


class PositionMap(nn.Module):
    """Add a learned map, zero at first: the network sees where it is.

    Parameters
    ----------
    shape
        Event shape (C, H, W) of what it is added to.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.map = nn.Parameter(torch.zeros(check_shape(shape)))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x + map``."""
        return x + self.map


def position_net(
    in_shape: Sequence[int],
    out_channels: int,
    hidden: int = 32,
    generator: torch.Generator | None = None,
) -> nn.Sequential:
    """:func:`small_net` for pictures with a map added to its first layer.

    Convolutions do the same everywhere; a lens does not. The map lets one
    network scale the corners and the centre differently.

    Parameters are those of :func:`~pinv_edu.bijections.small_net`.
    """
    shape = check_shape(in_shape, dims=(3,))
    first, *rest = small_net(shape, out_channels, hidden, generator)
    return nn.Sequential(first, PositionMap((hidden, *shape[1:])), *rest)
