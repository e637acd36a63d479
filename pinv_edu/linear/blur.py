r"""Periodic convolution: diagonal in the Fourier basis."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pinv_edu.checks import check_finite_values, check_rcond, check_shape
from pinv_edu.linear.operator import LinearOperator
from pinv_edu.linear.responses import Response, respond_with_zero
from pinv_edu.linear.spectra import negligible, numerical_rank


class Blur(LinearOperator):
    r"""Periodic convolution with a kernel, by the FFT.

    .. math::
        y_{ij} = \sum_{a,b} k_{ab}\; x_{i - (a - c_h),\, j - (b - c_w)},
        \qquad \hat y = \hat k \odot \hat x, \qquad
        \sigma = |\hat k|, \qquad
        \widehat{A^+y} = \overline{\hat k}\,\hat y / |\hat k|^2 ,

    indices modulo H and W, centre :math:`c = \lfloor\text{size}/2\rfloor`.

    Parameters
    ----------
    shape
        Event shape (H, W) or (C, H, W); every channel is blurred alike.
    kernel
        (h, w) with h <= H and w <= W.
    rcond
        Frequencies with :math:`|\hat k|` up to ``rcond`` times the largest
        count as zero, in the measurement as in its inverse, so that all
        laws hold exactly for what is left. ``A`` changes by at most
        ``rcond`` of its norm; rounding errors grow by at most 1/rcond.
        The default depends on the precision of the picture: 1e-7 in
        float64, 1e-4 in float32.

    Raises
    ------
    ValueError
        If the kernel is not two-dimensional, larger than the picture, all
        zero or not finite, or ``rcond`` is not in [0, 1).
    """

    spectrum: Tensor

    def __init__(
        self,
        shape: Sequence[int],
        kernel: Tensor,
        rcond: float | None = None,
    ) -> None:
        shape = check_shape(shape, dims=(2, 3))
        super().__init__(shape, shape)
        kernel = check_finite_values(kernel, "kernel")
        self.rcond = check_rcond(rcond)
        spectrum = torch.fft.rfft2(_centred(kernel, *shape[-2:]))
        self.register_buffer("spectrum", spectrum)

    def forward(self, x: Tensor) -> Tensor:
        r"""Multiply by :math:`\hat k`."""
        return self._multiply(self.check_x(x), self._kept(x.dtype))

    def adjoint(self, y: Tensor) -> Tensor:
        r"""Multiply by the conjugate: correlate."""
        return self._multiply(self.check_y(y), self._kept(y.dtype).conj())

    def pinv(self, y: Tensor) -> Tensor:
        r"""Divide by :math:`\hat k` where it is not zero."""
        y = self.check_y(y)
        kept = self._kept(y.dtype)
        inverse = torch.where(kept != 0, 1 / kept, 0.0)
        return self._multiply(y, inverse)

    def singular_values(self) -> Tensor:
        r""":math:`|\hat k|` at every frequency of every channel, float64."""
        half, width = self._kept(torch.float64).abs(), self.in_shape[-1]
        # Columns between the first and the middle stand for two.
        full = torch.cat([half, half[:, 1 : (width + 1) // 2]], dim=1)
        channels = torch.Size(self.in_shape[:-2]).numel()
        return full.flatten().repeat(channels).sort(descending=True).values

    def spectral_filter(self, x: Tensor, response: Response) -> Tensor:
        """Multiply every frequency by its response."""
        x = self.check_x(x)
        gain = self._kept(x.dtype).abs()
        at_zero, at = respond_with_zero(response, gain)
        seen = self._multiply(x, at - at_zero)
        return at_zero.to(x.dtype) * x + seen

    def _kept(self, dtype: torch.dtype) -> Tensor:
        """Spectrum without what is negligible in this precision."""
        cut = negligible(self.rcond, dtype)
        kept = numerical_rank(self.spectrum.abs(), cut)
        return torch.where(kept, self.spectrum, 0.0)

    def _multiply(self, x: Tensor, spectrum: Tensor) -> Tensor:
        frequencies = torch.fft.rfft2(x)
        return torch.fft.irfft2(
            frequencies * spectrum.to(frequencies.dtype), self._size()
        )

    def _size(self) -> tuple[int, int]:
        return self.in_shape[-2], self.in_shape[-1]


def _centred(kernel: Tensor, height: int, width: int) -> Tensor:
    """Put the kernel on an empty picture, its centre at pixel (0, 0)."""
    if kernel.dim() != 2:
        raise ValueError(
            f"kernel must have two dimensions, got {tuple(kernel.shape)}: "
            f"an outer product makes one, k[:, None] * k"
        )
    h, w = kernel.shape
    if h > height or w > width:
        raise ValueError(
            f"kernel {h} x {w} is larger than the {height} x {width} "
            f"picture: crop the kernel"
        )
    picture = kernel.new_zeros(height, width)
    picture[:h, :w] = kernel
    return picture.roll((-(h // 2), -(w // 2)), (0, 1))
