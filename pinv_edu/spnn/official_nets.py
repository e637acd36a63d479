"""The networks inside the authors' surjective blocks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

BOUND = 2.0


class ScaleShift(nn.Module):
    r"""Two networks as one: :math:`S = b\,s(x_1)`, :math:`T = \tanh t(x_1)`.

    The block computes :math:`b \tanh(S/b)`, the authors'
    :math:`b \tanh s(x_1)`.
    """

    def __init__(self, s: nn.Module, t: nn.Module) -> None:
        super().__init__()
        self.s, self.t = s, t

    def forward(self, x1: Tensor) -> Tensor:
        """Return S and T, stacked."""
        return torch.cat([BOUND * self.s(x1), torch.tanh(self.t(x1))], 1)


def hourglass(
    widths: tuple[int, int], generator: torch.Generator, n: int, m: int
) -> nn.Sequential:
    """Six convolutions, the middle ones at half the resolution."""
    a, b = widths
    layers = [
        _layer(nn.Conv2d, n, a, 3, 1, generator),
        _layer(nn.Conv2d, a, a, 3, 1, generator),
        _layer(nn.Conv2d, a, b, 3, 2, generator),
        _layer(nn.Conv2d, b, b, 3, 1, generator),
        _layer(nn.ConvTranspose2d, b, a, 4, 2, generator),
        _layer(nn.Conv2d, a, m, 3, 1, generator),
    ]
    return _with_relus(layers)


def pixelwise(
    widths: tuple[int, ...], generator: torch.Generator, n: int, m: int
) -> nn.Sequential:
    """1 x 1 convolutions of these inner widths."""
    layers = [
        _layer(nn.Conv2d, i, o, 1, 1, generator)
        for i, o in itertools.pairwise((n, *widths, m))
    ]
    return _with_relus(layers)


def _layer(
    kind: type[nn.Module],
    n: int,
    m: int,
    kernel: int,
    stride: int,
    generator: torch.Generator,
) -> nn.Module:
    # skip_init: the usual initial weights would move torch's global seed.
    empty = torch.empty(0)  # on the meta device nothing is drawn
    layer = nn.utils.skip_init(
        kind,
        n,
        m,
        kernel,
        stride=stride,
        padding=min(1, kernel - 1),
        device=empty.device if empty.is_meta else generator.device,
    )
    bound = (n * kernel**2) ** -0.5
    with torch.no_grad():
        for weight in layer.parameters():
            if not weight.is_meta:
                weight.uniform_(-bound, bound, generator=generator)
    return layer


def _with_relus(layers: Sequence[nn.Module]) -> nn.Sequential:
    """ReLU between the layers; the last one starts at zero."""
    for weight in layers[-1].parameters():
        nn.init.zeros_(weight)
    first, *rest = layers
    between = [part for layer in rest for part in (nn.ReLU(), layer)]
    return nn.Sequential(first, *between)
