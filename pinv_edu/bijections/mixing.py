r"""Linear bijections without weights: unshuffling, mixing of colours."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from pinv_edu.bijections.base import (
    Bijection,
    check_channels,
    constant_log_det,
)
from pinv_edu.checks import (
    as_constant,
    check_divides,
    check_finite,
    check_shape,
)
from pinv_edu.solving import Solved

WORST_CONDITION = 1e4


def mix_channels(matrix: Tensor, x: Tensor) -> Tensor:
    """Multiply the channel axis of (B, C), or (B, C, H, W), by a matrix.

    For pictures a 1 x 1 convolution, written as a product: convolutions
    may round to TF32 on a GPU, which would spoil the exact inverse.
    """
    if math.prod(x.shape[2:]) == 1:
        return (x.flatten(1) @ matrix.T).reshape(x.shape)
    return (matrix @ x.flatten(2)).reshape(x.shape)


class PixelUnshuffle(Bijection):
    r"""Blocks of pixels to channels: (C, H, W) to (C r², H/r, W/r).

    .. math::
        y_{c r^2 + a r + b,\; i,\, j} = x_{c,\; r i + a,\; r j + b},
        \qquad 0 \le a, b < r

    (torch's order). A permutation: its inverse is its transpose.

    Parameters
    ----------
    shape
        Event shape (C, H, W).
    r
        Side of a block, a divisor of H and W.
    """

    def __init__(self, shape: Sequence[int], r: int) -> None:
        c, h, w = check_shape(shape, dims=(3,))
        check_divides((c, h, w), r, "r")
        super().__init__(shape, (c * r * r, h // r, w // r))
        self.r = r

    def forward(self, x: Tensor) -> Tensor:
        """Blocks to channels."""
        return F.pixel_unshuffle(self.check_x(x), self.r)

    def inverse(self, y: Tensor) -> Tensor:
        """Channels to blocks."""
        return F.pixel_shuffle(self.check_y(y), self.r)

    def log_det(self, x: Tensor) -> Tensor:
        """Zero: a permutation keeps volumes."""
        return constant_log_det(self.check_x(x), 0.0)


class ColorMix(Bijection):
    r"""Mix channels by an invertible matrix: :math:`y = Mx` at each pixel.

    ``M`` acts on the values in [-1, 1]. If its rows sum to 1, it maps gray
    to the same gray, and acts equally on the light (x + 1) / 2.

    Parameters
    ----------
    shape
        Event shape (C, H, W), or (n,).
    matrix
        :math:`M`, (C, C).

    Raises
    ------
    ValueError
        If the matrix has a wrong shape, is not finite, or has no inverse
        that single precision could use (condition number above 10⁴).
    """

    matrix: Tensor

    def __init__(self, shape: Sequence[int], matrix: Tensor) -> None:
        shape = check_channels(shape)
        super().__init__(shape)
        self.register_buffer("matrix", _check_matrix(matrix, shape[0]))
        self._solved = Solved()

    def forward(self, x: Tensor) -> Tensor:
        """Multiply by :math:`M`."""
        x = self.check_x(x)
        return mix_channels(self.matrix.to(x.dtype), x)

    def inverse(self, y: Tensor) -> Tensor:
        """Multiply by :math:`M^{-1}`."""
        y = self.check_y(y)
        inverse = self._solved(
            [self.matrix],
            y.dtype,
            lambda: torch.linalg.inv(self.matrix.double()),
        )
        return mix_channels(inverse, y)

    def log_det(self, x: Tensor) -> Tensor:
        r"""Return :math:`HW \log|\det M|`."""
        x = self.check_x(x)
        pixels = math.prod(self.in_shape[1:])
        size = torch.linalg.slogdet(self.matrix.double()).logabsdet
        return constant_log_det(x, pixels * size)


def _check_matrix(matrix: Tensor, channels: int) -> Tensor:
    given = as_constant(matrix, "matrix").double()
    if tuple(given.shape) != (channels, channels):
        raise ValueError(
            f"matrix must be {channels} x {channels}, one row and column for "
            f"each channel, got {tuple(given.shape)}"
        )
    check_finite(given, "matrix")
    condition = float(torch.linalg.cond(given))
    if not condition <= WORST_CONDITION:
        raise ValueError(
            f"matrix is not invertible, or too nearly so: its condition "
            f"number is {condition:.1e}, at most {WORST_CONDITION:.0e} is "
            f"allowed; to lose a channel on purpose use MatrixOperator or "
            f"Grayscale"
        )
    return given.clone()
