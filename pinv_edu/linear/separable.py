r"""Operators that act on rows and columns separately.

:math:`Y = A_h X A_w^\top`: the singular values of the whole are the
products of those of two small matrices, whatever the picture's size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from pinv_edu.checks import (
    check_divides,
    check_finite_values,
    check_rcond,
    check_shape,
)
from pinv_edu.linear.operator import LinearOperator, sizes
from pinv_edu.linear.responses import Response, respond_with_zero
from pinv_edu.linear.spectra import negligible, numerical_rank, spread


class SeparableOperator(LinearOperator):
    r""":math:`Y = A_h X A_w^\top`, the same for every channel.

    With :math:`A_h = U_h S_h V_h^\top` and :math:`A_w = U_w S_w V_w^\top`
    the singular values are :math:`\Sigma_{ij} = (S_h)_i (S_w)_j` and

    .. math::
        A^+Y = V_h\,\big[(U_h^\top Y U_w) \oslash \Sigma\big]\,V_w^\top .

    Parameters
    ----------
    shape
        Event shape (H, W) or (C, H, W).
    rows, columns
        :math:`A_h` (h, H) and :math:`A_w` (w, W), float64.
    rcond
        Values :math:`\Sigma_{ij}` up to ``rcond`` times the largest count
        as zero, in the measurement as in its inverse, so that all laws
        hold exactly for what is left. ``A`` changes by at most ``rcond``
        of its norm. The default depends on the precision of the picture:
        1e-7 in float64, 1e-4 in float32.
    """

    rows: Tensor
    columns: Tensor
    values: Tensor

    def __init__(
        self,
        shape: Sequence[int],
        rows: Tensor,
        columns: Tensor,
        rcond: float | None = None,
    ) -> None:
        shape = check_shape(shape, dims=(2, 3))
        super().__init__(shape, (*shape[:-2], len(rows), len(columns)))
        u_h, s_h, v_h = torch.linalg.svd(rows, full_matrices=False)
        u_w, s_w, v_w = torch.linalg.svd(columns, full_matrices=False)
        self.rcond = check_rcond(rcond)
        constants = {
            "rows": rows,
            "columns": columns,
            "values": s_h[:, None] * s_w,
            "u_h": u_h,
            "u_w": u_w,
            "v_h": v_h.T.contiguous(),
            "v_w": v_w.T.contiguous(),
        }
        for name, value in constants.items():
            self.register_buffer(name, value)

    def forward(self, x: Tensor) -> Tensor:
        r"""Return :math:`A_h X A_w^\top`."""
        x = self.check_x(x)
        values = self._kept(x.dtype)
        if values.all():
            return _both_sides(self.rows, x, self.columns)
        return self._from_y(self._to_x(x) * values.to(x.dtype))

    def adjoint(self, y: Tensor) -> Tensor:
        r"""Return :math:`A_h^\top Y A_w`."""
        y = self.check_y(y)
        values = self._kept(y.dtype)
        if values.all():
            return _both_sides(self.rows.T, y, self.columns.T)
        return self._from_x(self._to_y(y) * values.to(y.dtype))

    def pinv(self, y: Tensor) -> Tensor:
        """Divide by the singular values that are left."""
        y = self.check_y(y)
        values = self._kept(y.dtype)
        inverse = torch.where(values > 0, 1 / values, 0.0)
        return self._from_x(self._to_y(y) * inverse.to(y.dtype))

    def singular_values(self) -> Tensor:
        """Products of the two spectra, for every channel."""
        channels = torch.Size(self.in_shape[:-2]).numel()
        values = self._kept(torch.float64).repeat(channels, 1)
        return spread(values, min(sizes(self)))

    def spectral_filter(self, x: Tensor, response: Response) -> Tensor:
        """Multiply the coordinates that are seen; the rest gets f(0)."""
        x = self.check_x(x)
        at_zero, at = respond_with_zero(response, self._kept(x.dtype))
        seen = self._from_x(self._to_x(x) * (at - at_zero).to(x.dtype))
        return at_zero.to(x.dtype) * x + seen

    def _kept(self, dtype: torch.dtype) -> Tensor:
        """Singular values without what is negligible in this precision."""
        cut = negligible(self.rcond, dtype)
        return torch.where(numerical_rank(self.values, cut), self.values, 0.0)

    def _to_x(self, x: Tensor) -> Tensor:
        return _both_sides(self.v_h.T, x, self.v_w.T)

    def _from_x(self, c: Tensor) -> Tensor:
        return _both_sides(self.v_h, c, self.v_w)

    def _to_y(self, y: Tensor) -> Tensor:
        return _both_sides(self.u_h.T, y, self.u_w.T)

    def _from_y(self, c: Tensor) -> Tensor:
        return _both_sides(self.u_h, c, self.u_w)


def _both_sides(left: Tensor, x: Tensor, right: Tensor) -> Tensor:
    r""":math:`L X R^\top` in the precision of ``x``."""
    return left.to(x.dtype) @ x @ right.to(x.dtype).T


class SeparableBlur(SeparableOperator):
    r"""Blur along columns and rows; zero outside the picture.

    .. math::
        y_{ij} = \sum_{a,b} k^h_a\,k^w_b\;
        x_{i - (a - c_h),\, j - (b - c_w)}, \qquad
        c = \lfloor \text{length} / 2 \rfloor .

    Parameters
    ----------
    shape
        Event shape (H, W) or (C, H, W).
    kernel_h, kernel_w
        One-dimensional kernels for the vertical and horizontal direction.
    rcond
        Relative cut for singular values: see :class:`SeparableOperator`.
    """

    def __init__(
        self,
        shape: Sequence[int],
        kernel_h: Tensor,
        kernel_w: Tensor,
        rcond: float | None = None,
    ) -> None:
        shape = check_shape(shape, dims=(2, 3))
        rows = _convolution_matrix(kernel_h, shape[-2], "kernel_h")
        columns = _convolution_matrix(kernel_w, shape[-1], "kernel_w")
        super().__init__(shape, rows, columns, rcond)


def _convolution_matrix(kernel: Tensor, n: int, what: str) -> Tensor:
    """Toeplitz matrix (n, n) of a centred convolution, zero outside."""
    kernel = check_finite_values(kernel, what)
    if kernel.dim() != 1:
        raise ValueError(
            f"{what} must be one-dimensional, got {tuple(kernel.shape)}"
        )
    if len(kernel) > 2 * n - 1:
        raise ValueError(
            f"{what} has {len(kernel)} taps, more than the {2 * n - 1} that "
            f"can reach a picture of {n} pixels: crop it"
        )
    matrix = kernel.new_zeros(n, n)
    for tap, value in enumerate(kernel.tolist()):
        shift = tap - len(kernel) // 2
        if abs(shift) < n:
            matrix.diagonal(-shift)[:] = value
    return matrix


class BicubicDownsample(SeparableOperator):
    r"""Antialiased bicubic downsampling with its exact :math:`A^+`.

    The weights are those of Keys' kernel with :math:`a = -1/2`, stretched
    by the factor and renormalised at the border: the operator of Pillow's
    ``BICUBIC`` and of ``torch.nn.functional.interpolate(...,
    mode="bicubic", antialias=True)``.

    Parameters
    ----------
    shape
        Event shape (H, W) or (C, H, W).
    factor
        Divisor of H and W.
    """

    def __init__(self, shape: Sequence[int], factor: int) -> None:
        shape = check_shape(shape, dims=(2, 3))
        check_divides(shape, factor, "factor")
        rows, columns = (_bicubic_matrix(n, factor) for n in shape[-2:])
        super().__init__(shape, rows, columns, rcond=1e-10)
        self.factor = factor


def _bicubic_matrix(n: int, factor: int) -> Tensor:
    """Matrix (n / factor, n): downsample every unit vector."""
    units = torch.eye(n, dtype=torch.float64)[None, None]
    return F.interpolate(
        units, size=(n // factor, n), mode="bicubic", antialias=True
    )[0, 0]


def box_kernel(length: int) -> Tensor:
    """Return a uniform kernel of ``length`` taps with sum 1, float64."""
    (length,) = check_shape((length,))
    return torch.full((length,), 1 / length, dtype=torch.float64)


def gaussian_kernel(length: int, sigma: float) -> Tensor:
    """Return a Gaussian of standard deviation ``sigma`` pixels, sum 1."""
    (length,) = check_shape((length,))
    if not sigma > 0:
        raise ValueError(f"sigma is in pixels and positive, got {sigma!r}")
    at = torch.arange(length, dtype=torch.float64) - (length - 1) / 2
    kernel = torch.exp(-(at**2) / (2 * sigma**2))
    return kernel / kernel.sum()
