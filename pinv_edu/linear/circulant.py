r"""Operators whose :math:`AA^\top` is a periodic convolution.

Blur, then pool, then gray, say: shifting the measurement by one pixel is
shifting the picture by a block, so :math:`AA^\top` is diagonal in the
Fourier basis of the (small) measurement, although :math:`A` is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pinv_edu.linear.responses import Response, respond_with_zero

if TYPE_CHECKING:
    from pinv_edu.linear.operator import LinearOperator

NEGLIGIBLE = {torch.float64: 1e-7, torch.float32: 1e-4}
"""Singular values below this share of the largest drown in rounding."""


class CirculantGram:
    r""":math:`AA^\top = F^* \mathrm{diag}(d)\,F`: :math:`\sigma = \sqrt d`,
    :math:`A^+ = A^\top F^* \mathrm{diag}(d)^+ F`.

    Parameters
    ----------
    operator
        The operator; its measurements have two picture dimensions.
    gram
        :math:`d`, real, shape (..., h, w // 2 + 1), as of ``rfft2``.
    """

    def __init__(self, operator: LinearOperator, gram: Tensor) -> None:
        self.operator, self.gram = operator, gram.clamp(min=0)

    @classmethod
    def find(
        cls, operator: LinearOperator, probe: Tensor
    ) -> CirculantGram | None:
        r"""Return the decomposition if there is one.

        :math:`AA^\top` of unit impulses gives the convolution; for a random
        Gaussian ``probe`` (1, \*out_shape) the two agree almost surely only
        if :math:`AA^\top` is that convolution.
        """
        if len(operator.out_shape) < 2:
            return None
        impulse = torch.zeros_like(probe)
        impulse[..., 0, 0] = 1.0  # of every channel at once
        gram = torch.fft.rfft2(operator(operator.adjoint(impulse)))
        seen = operator(operator.adjoint(probe))
        made = _multiply(probe, gram)
        close = (seen - made).abs().max() <= 1e-12 * seen.abs().max()
        return cls(operator, gram[0].real) if bool(close) else None

    def pinv(self, y: Tensor) -> Tensor:
        """Divide by the squares, then transpose."""
        d = self._kept(y.dtype)
        inverse = torch.where(d > 0, 1 / d, 0.0)
        return self.operator.adjoint(_multiply(y, inverse))

    def filter(self, x: Tensor, response: Response) -> Tensor:
        """Change only what the measurement sees."""
        d = self._kept(x.dtype)
        at_zero, at = respond_with_zero(response, d.sqrt())
        weight = torch.where(d > 0, (at - at_zero) / d, 0.0)
        seen = _multiply(self.operator(x), weight)
        return at_zero.to(x.dtype) * x + self.operator.adjoint(seen)

    def singular_values(self) -> Tensor:
        r""":math:`\sqrt d` at every frequency, sorted, min(m, n) of them."""
        half, width = self._kept(torch.float64), self.operator.out_shape[-1]
        # Columns between the first and the middle stand for two.
        twins = half[..., 1 : (width + 1) // 2]
        d = torch.cat([half.flatten(), twins.flatten()])
        n = torch.Size(self.operator.in_shape).numel()
        return d.sqrt().sort(descending=True).values[:n]

    def _kept(self, dtype: torch.dtype) -> Tensor:
        """Squares without what is negligible in this precision."""
        floor = NEGLIGIBLE[dtype] ** 2 * self.gram.max()
        return torch.where(self.gram > floor, self.gram, 0.0)


def _multiply(y: Tensor, spectrum: Tensor) -> Tensor:
    """Multiply the frequencies of ``y``."""
    frequencies = torch.fft.rfft2(y)
    if not spectrum.is_complex():
        spectrum = spectrum.to(y.dtype)
    return torch.fft.irfft2(frequencies * spectrum, y.shape[-2:])
