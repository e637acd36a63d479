r"""Pseudo-inverse and spectral filter of any linear operator.

Four ways, tried in this order:

``DiagonalGram``
    :math:`AA^\top` is diagonal (each pixel is used by one measurement at
    most, as in masking, then gray, then pooling): exact at any size.
``DenseSVD``
    the matrix is small: exact.
``CirculantGram``
    :math:`AA^\top` is a periodic convolution (blur, then gray, then pooling):
    exact by FFT at any size.
``Krylov``
    everything else: conjugate gradients on the normal equations for
    :math:`A^+` and Lanczos for functions of :math:`A^\top A`, to a stated
    tolerance, never with a matrix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from pinv_edu.linear.circulant import NEGLIGIBLE, CirculantGram
from pinv_edu.linear.krylov import Krylov
from pinv_edu.linear.responses import Response, respond_with_zero

if TYPE_CHECKING:
    from pinv_edu.linear.operator import LinearOperator

DENSE_LIMIT = 2**20
"""Largest number of matrix entries that are decomposed densely."""

ROUNDING = 1e-14
"""Relative size of the rounding errors of a fast transform, float64."""


class Spectrum(Protocol):
    """What the defaults of a linear operator need to know about it."""

    def pinv(self, y: Tensor) -> Tensor:
        """Moore-Penrose inverse."""

    def filter(self, x: Tensor, response: Response) -> Tensor:
        """Spectral filter."""

    def singular_values(self) -> Tensor:
        """All singular values, descending."""


def choose_spectrum(
    operator: LinearOperator, device: torch.device | None
) -> Spectrum:
    """Return the cheapest exact decomposition of ``operator``, or Krylov."""
    generator = torch.Generator().manual_seed(0)
    probe = torch.randn(
        1, *operator.out_shape, generator=generator, dtype=torch.float64
    ).to(device)
    if diagonal := DiagonalGram.find(operator, probe):
        return diagonal
    m = torch.Size(operator.out_shape).numel()
    n = torch.Size(operator.in_shape).numel()
    if m * n <= DENSE_LIMIT:
        return DenseSVD.of(operator, device)
    return CirculantGram.find(operator, probe) or Krylov(operator)


def numerical_rank(values: Tensor, rcond: float) -> Tensor:
    """Mask of the singular values that count: above rcond times the max."""
    return values > rcond * values.max()


def negligible(rcond: float | None, dtype: torch.dtype) -> float:
    """Relative size up to which a blur's singular values count as zero."""
    return max(NEGLIGIBLE[dtype] if rcond is None else rcond, ROUNDING)


def default_rcond(m: int, n: int, dtype: torch.dtype) -> float:
    """Relative size below which a singular value is rounding noise."""
    return max(m, n) * torch.finfo(dtype).eps


def spread(values: Tensor, total: int) -> Tensor:
    """Sort descending and pad with zeros to ``total`` singular values."""
    values = values.flatten().sort(descending=True).values[:total]
    return torch.cat([values, values.new_zeros(total - len(values))])


class DiagonalGram:
    r""":math:`AA^\top = \mathrm{diag}(d)`: :math:`A^+ = A^\top
    \mathrm{diag}(d)^+` and :math:`\sigma = \sqrt d`.
    """

    def __init__(self, operator: LinearOperator, gram: Tensor) -> None:
        self.operator = operator
        kept = numerical_rank(gram, 1e-12) & (gram > 0)
        self.gram = torch.where(kept, gram, 0.0)

    @classmethod
    def find(
        cls, operator: LinearOperator, probe: Tensor
    ) -> DiagonalGram | None:
        r"""Return the decomposition if there is one.

        For a random Gaussian ``probe`` (1, \*out_shape),
        :math:`AA^\top v = d \odot v` with :math:`d = AA^\top 1` holds
        almost surely only if :math:`AA^\top` is diagonal.
        """
        both = torch.cat([torch.ones_like(probe), probe])
        gram = operator(operator.adjoint(both))
        error = (gram[1] - gram[0] * probe[0]).abs().max()
        close = error <= 1e-12 * gram.abs().max()
        return cls(operator, gram[0]) if bool(close) else None

    def pinv(self, y: Tensor) -> Tensor:
        """Weighted adjoint."""
        weight = torch.where(self.gram > 0, 1 / self.gram, 0.0)
        return self.operator.adjoint(y * weight.to(y.dtype))

    def filter(self, x: Tensor, response: Response) -> Tensor:
        """Change only what the measurement sees."""
        at_zero, at = respond_with_zero(response, self.gram.sqrt())
        weight = torch.where(self.gram > 0, (at - at_zero) / self.gram, 0.0)
        seen = self.operator(x) * weight.to(x.dtype)
        return at_zero.to(x.dtype) * x + self.operator.adjoint(seen)

    def singular_values(self) -> Tensor:
        r""":math:`\sqrt d`, sorted; as many as min(m, n)."""
        n = torch.Size(self.operator.in_shape).numel()
        return spread(self.gram.sqrt(), min(n, self.gram.numel()))


class DenseSVD(nn.Module):
    r"""Thin SVD :math:`A = U\,\mathrm{diag}(\sigma)\,V^\top` in float64.

    Parameters
    ----------
    matrix
        Dense (m, n) matrix.
    in_shape, out_shape
        Event shapes of ``x`` and ``y``.
    rcond
        Singular values up to ``rcond`` times the largest count as zero.
    """

    u: Tensor
    s: Tensor
    v: Tensor
    values: Tensor

    def __init__(
        self,
        matrix: Tensor,
        in_shape: tuple[int, ...],
        out_shape: tuple[int, ...],
        rcond: float | None = None,
    ) -> None:
        super().__init__()
        rcond = max(rcond or 0.0, default_rcond(*matrix.shape, matrix.dtype))
        u, s, vt = torch.linalg.svd(matrix.double(), full_matrices=False)
        kept = numerical_rank(s, rcond)
        self.register_buffer("values", torch.where(kept, s, 0.0))
        self.register_buffer("u", u[:, kept])
        self.register_buffer("s", s[kept])
        self.register_buffer("v", vt[kept].T)
        self.in_shape, self.out_shape = in_shape, out_shape

    @classmethod
    def of(
        cls, operator: LinearOperator, device: torch.device | None
    ) -> DenseSVD:
        """Measure units, on the smaller side, to get the matrix."""
        shapes = operator.in_shape, operator.out_shape
        n, m = (torch.Size(shape).numel() for shape in shapes)
        few = min(m, n)
        units = torch.eye(few, dtype=torch.float64, device=device)
        if m < n:
            matrix = operator.adjoint(units.reshape(m, *shapes[1]))
            matrix = matrix.reshape(m, n)
        else:
            matrix = operator(units.reshape(n, *shapes[0])).reshape(n, m).T
        # Rounding of a fast transform is a little above that of a matrix.
        return cls(matrix, *shapes, 10 * default_rcond(m, n, torch.float64))

    def pinv(self, y: Tensor) -> Tensor:
        """Divide by what is left of the singular values."""
        u, s, v = (t.to(y.dtype) for t in (self.u, self.s, self.v))
        x = ((y.flatten(1) @ u) / s) @ v.T
        return x.reshape(len(y), *self.in_shape)

    def filter(self, x: Tensor, response: Response) -> Tensor:
        """Multiply the right singular coordinates."""
        at_zero, at = respond_with_zero(response, self.s)
        gain, v = (at - at_zero).to(x.dtype), self.v.to(x.dtype)
        seen = ((x.flatten(1) @ v) * gain) @ v.T
        return at_zero.to(x.dtype) * x + seen.reshape(x.shape)

    def singular_values(self) -> Tensor:
        """All of them, the cut ones as zero."""
        return self.values

    def matrix(self) -> Tensor:
        """Return the matrix without its cut singular values."""
        return (self.u * self.s) @ self.v.T
