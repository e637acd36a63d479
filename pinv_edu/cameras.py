r"""A camera to experiment on: you may press the button, no more."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pinv_edu.checks import (
    Shape,
    check_batch,
    check_divides,
    check_finite,
    check_shape,
)
from pinv_edu.linear import gaussian_kernel

BEND = 1.5  # of the response curve
FALL_OFF = 0.45  # of the light, from the centre to a corner
LEVELS = 64  # of the values it gives: six bits
FACTOR = 2  # pixels of the picture along a side of one of the sensor


class BlackBoxCamera(nn.Module):
    r"""Response curve, blur, vignetting, large pixels and few bits.

    .. math::
        v = k * \frac{\tanh(1.5\,x)}{\tanh 1.5}, \qquad
        w = 2\,\ell\,\frac{v + 1}{2} - 1, \qquad
        y = Q_6\bigl(\mathrm{mean}_{2 \times 2}\; w\bigr) ,

    with a 5 x 5 Gaussian kernel :math:`k` of standard deviation 1 (the
    border is repeated), the light :math:`\ell_{ij} = 1 - 0.45\,(a_i^2 +
    b_j^2)/2` for places :math:`a, b` from -1 to 1, and rounding
    :math:`Q_6` to 64 levels from -1 to 1. Vignetting acts on the
    intensity :math:`(v + 1)/2`, so that black stays black.

    It is *not* a :class:`~pinv_edu.PseudoInvertible`: it has no completion
    and no inverse, and it is not even continuous. What it does is learned
    from pairs (x, camera(x)), by :func:`~pinv_edu.spnn_surrogate`.

    Parameters
    ----------
    shape
        Event shape (C, H, W) of the picture, H and W even.

    Raises
    ------
    ValueError, TypeError
        If the shape has another number of dimensions or an odd side.

    Notes
    -----
    All steps before the rounding are in :meth:`smooth`, for comparison
    with methods that know the camera.
    """

    kernel: Tensor
    light: Tensor

    def __init__(self, shape: Sequence[int] = (1, 28, 28)) -> None:
        super().__init__()
        self.in_shape: Shape = check_shape(shape, dims=(3,))
        check_divides(self.in_shape, FACTOR, "the camera's factor")
        channels, height, width = self.in_shape
        self.out_shape: Shape = (channels, height // FACTOR, width // FACTOR)
        line = gaussian_kernel(5, 1.0)
        self.register_buffer("kernel", line[:, None] * line)
        self.register_buffer("light", light(height, width))

    def forward(self, x: Tensor) -> Tensor:
        r"""Press the button: (B, C, H, W) to (B, C, H/2, W/2), rounded.

        The values are :math:`2 k / 63 - 1` with :math:`k = 0, \dots, 63`.
        There is no gradient: rounding has none.
        """
        with torch.no_grad():
            return rounded(self.smooth(x))

    def smooth(self, x: Tensor) -> Tensor:
        r"""All steps but the rounding: differentiable."""
        x = check_batch(x, self.in_shape, self.kernel.device, "x")
        x = check_finite(x, "x")
        bent = (BEND * x).tanh() / math.tanh(BEND)
        bright = (self._blur(bent) + 1) / 2 * self.light.to(x.dtype)
        return F.avg_pool2d(2 * bright - 1, FACTOR)

    def extra_repr(self) -> str:
        """Shapes, as they appear in ``print(camera)``."""
        return f"{self.in_shape} -> {self.out_shape}"

    def _blur(self, x: Tensor) -> Tensor:
        margin = len(self.kernel) // 2
        kernel = self.kernel.to(x.dtype).expand(x.shape[1], 1, -1, -1)
        wide = F.pad(x, (margin,) * 4, mode="replicate")
        return F.conv2d(wide, kernel, groups=x.shape[1])


def light(height: int, width: int) -> Tensor:
    r"""Light that reaches each place, 1 in the centre; (H, W), float64."""
    down, right = (
        torch.linspace(-1, 1, side, dtype=torch.float64).square()
        for side in (height, width)
    )
    return 1 - FALL_OFF * (down[:, None] + right) / 2


def rounded(y: Tensor) -> Tensor:
    """Clamp to [-1, 1] and round to 64 levels."""
    levels = ((y.clamp(-1, 1) + 1) / 2 * (LEVELS - 1)).round()
    return levels / (LEVELS - 1) * 2 - 1
