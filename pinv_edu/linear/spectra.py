r"""Pseudo-inverse and spectral filter of any linear operator.

Three ways, tried in this order:

``DiagonalGram``
    :math:`AA^\top` is diagonal (each pixel is used by one measurement at
    most, as in masking, then gray, then pooling): exact at any size.
``DenseSVD``
    the matrix is small: exact.
``Krylov``
    everything else: conjugate gradients on the normal equations for
    :math:`A^+` and Lanczos for functions of :math:`A^\top A`, to a stated
    tolerance, never with a matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from pinv_edu.linear.operator import LinearOperator

DENSE_LIMIT = 2**20
"""Largest number of matrix entries that are decomposed densely."""


class Spectrum(Protocol):
    """What the defaults of a linear operator need to know about it."""

    def pinv(self, y: Tensor) -> Tensor:
        """Moore-Penrose inverse."""

    def filter(self, x: Tensor, response: Callable) -> Tensor:
        """Spectral filter."""

    def singular_values(self) -> Tensor:
        """All singular values, descending."""


def choose_spectrum(
    operator: LinearOperator, device: torch.device | None
) -> Spectrum:
    """Return the cheapest exact decomposition of ``operator``, or Krylov."""
    gram = _diagonal_of_gram(operator, device)
    if gram is not None:
        return DiagonalGram(operator, gram)
    m = torch.Size(operator.out_shape).numel()
    n = torch.Size(operator.in_shape).numel()
    if m * n <= DENSE_LIMIT:
        return DenseSVD.of(operator, device)
    return Krylov(operator)


def _diagonal_of_gram(
    operator: LinearOperator, device: torch.device | None
) -> Tensor | None:
    r"""Diagonal of :math:`AA^\top` if that is all there is, else None.

    For a random Gaussian ``v``, :math:`AA^\top v = d \odot v` with
    :math:`d = AA^\top 1` holds almost surely only if :math:`AA^\top` is
    diagonal.
    """
    generator = torch.Generator().manual_seed(0)
    probe = torch.randn(
        2, *operator.out_shape, generator=generator, dtype=torch.float64
    )
    probe[0] = 1.0
    probe = probe.to(device)
    gram = operator(operator.adjoint(probe))
    error = (gram[1] - gram[0] * probe[1]).abs().max()
    return gram[0] if error <= 1e-12 * gram.abs().max() else None


def numerical_rank(values: Tensor, rcond: float) -> Tensor:
    """Mask of the singular values that count: above rcond times the max."""
    return values > rcond * values.max()


def default_rcond(m: int, n: int, dtype: torch.dtype) -> float:
    """Relative size below which a singular value is rounding noise."""
    return max(m, n) * torch.finfo(dtype).eps


def respond(response: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """Multipliers of a spectral filter, checked for shape."""
    given = torch.as_tensor(response(values), device=values.device)
    if given.shape not in (values.shape, torch.Size([])):
        raise ValueError(
            f"response must map singular values to multipliers of the same "
            f"shape {tuple(values.shape)}, it gave {tuple(given.shape)}"
        )
    return given.to(torch.float64).expand(values.shape)


def respond_with_zero(
    response: Callable[[Tensor], Tensor], values: Tensor
) -> tuple[Tensor, Tensor]:
    r"""Multiplier at :math:`\sigma = 0`, and those at ``values``."""
    all_values = torch.cat([values.new_zeros(1), values.flatten()])
    given = respond(response, all_values)
    return given[0], given[1:].reshape(values.shape)


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

    def pinv(self, y: Tensor) -> Tensor:
        """Weighted adjoint."""
        weight = torch.where(self.gram > 0, 1 / self.gram, 0.0)
        return self.operator.adjoint(y * weight.to(y.dtype))

    def filter(self, x: Tensor, response: Callable) -> Tensor:
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
        if rcond is None:
            rcond = default_rcond(*matrix.shape, matrix.dtype)
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
        """Measure every unit picture to get the matrix of ``operator``."""
        n = torch.Size(operator.in_shape).numel()
        units = torch.eye(n, dtype=torch.float64, device=device)
        columns = operator(units.reshape(n, *operator.in_shape))
        # Rounding of a fast transform is a little above that of a matrix.
        rcond = 10 * default_rcond(n, n, torch.float64)
        shapes = operator.in_shape, operator.out_shape
        return cls(columns.reshape(n, -1).T, *shapes, rcond)

    def pinv(self, y: Tensor) -> Tensor:
        """Divide by what is left of the singular values."""
        u, s, v = (t.to(y.dtype) for t in (self.u, self.s, self.v))
        x = ((y.flatten(1) @ u) / s) @ v.T
        return x.reshape(len(y), *self.in_shape)

    def filter(self, x: Tensor, response: Callable) -> Tensor:
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


class Krylov:
    """CGLS for the pseudo-inverse and Lanczos for the filter, in float64.

    Parameters
    ----------
    operator
        Needs ``forward`` and ``adjoint`` only.
    tol
        Relative tolerance of the result.
    max_steps
        Each step is one forward and one adjoint.

    Raises
    ------
    RuntimeError
        If the tolerance is not reached.
    """

    def __init__(
        self,
        operator: LinearOperator,
        tol: float = 1e-10,
        max_steps: int = 500,
    ) -> None:
        self.operator, self.tol, self.max_steps = operator, tol, max_steps

    def pinv(self, y: Tensor) -> Tensor:
        """Conjugate gradients from zero stay in the row space: least norm.

        Source: Hestenes and Stiefel (1952), Section 10; Bjorck (1996).
        """
        residual = y.double()
        gradient = self.operator.adjoint(residual)
        x, direction = torch.zeros_like(gradient), gradient
        power = start = _squares(gradient)
        for _ in range(self.max_steps):
            if bool((power <= self.tol**2 * start).all()):
                return x.to(y.dtype)
            seen = self.operator(direction)
            step = _ratio(power, _squares(seen))
            x = x + step * direction
            residual = residual - step * seen
            gradient = self.operator.adjoint(residual)
            power, before = _squares(gradient), power
            direction = gradient + _ratio(power, before) * direction
        raise RuntimeError(self._not_yet("the pseudo-inverse"))

    def filter(self, x: Tensor, response: Callable) -> Tensor:
        r"""Filter the row-space part by Lanczos; the rest gets f(0).

        Splitting first makes responses with a jump at zero exact.
        """
        start = x.double()
        seen = self.pinv(self.operator(start))
        at_zero, _ = respond_with_zero(response, start.new_ones(1))
        filtered = self._lanczos(seen, response)
        return (at_zero * (start - seen) + filtered).to(x.dtype)

    def _lanczos(self, x: Tensor, response: Callable) -> Tensor:
        """Response of the singular values on the Krylov space of x.

        Source: Golub and Van Loan, Matrix Computations, Section 10.1;
        with full reorthogonalisation.
        """
        norm = _squares(x).sqrt()
        basis, diagonal, beside = [_ratio(x, norm)], [], []
        result = torch.zeros_like(x)
        for step in range(1, self.max_steps + 1):
            new = self.operator.adjoint(self.operator(basis[-1]))
            diagonal.append(_dot(new, basis[-1]))
            new = _orthogonal_to(basis, new)
            size = _squares(new).sqrt()
            exhausted = size <= 1e-13 * torch.stack(diagonal).max()
            if step % 5 == 0 or bool(exhausted.all()):
                weights = _lanczos_weights(diagonal, beside, response)
                parts = zip(weights, basis, strict=True)
                before, result = result, norm * sum(w * b for w, b in parts)
                change = _ratio(_squares(result - before).sqrt(), norm)
                if bool((exhausted | (change <= self.tol)).all()):
                    return result
            beside.append(torch.where(exhausted, 0.0, size))
            basis.append(torch.where(exhausted, 0.0, _ratio(new, size)))
        raise RuntimeError(self._not_yet("the spectral filter"))

    def singular_values(self) -> Tensor:
        """Not to be had without a matrix."""
        raise NotImplementedError(
            f"the singular values of this {type(self.operator).__name__} "
            f"have no known structure and its matrix is too large for a "
            f"dense decomposition: ask for them on a smaller picture"
        )

    def _not_yet(self, what: str) -> str:
        return (
            f"{what} of {type(self.operator).__name__} did not reach a "
            f"relative tolerance of {self.tol:g} in {self.max_steps} steps: "
            f"the operator is too badly conditioned; use a smaller picture, "
            f"or an operator with its own spectrum and a larger rcond"
        )


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner product per batch item, shaped to multiply a picture."""
    return (a * b).flatten(1).sum(1).reshape(-1, *[1] * (a.dim() - 1))


def _squares(a: Tensor) -> Tensor:
    return _dot(a, a)


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    """Divide with 0 / 0 = 0: finished batch items stand still."""
    return torch.where(b > 0, a / torch.where(b > 0, b, 1.0), 0.0)


def _orthogonal_to(basis: list[Tensor], new: Tensor) -> Tensor:
    """Remove the components along the basis; twice is enough."""
    for _ in range(2):
        for old in basis:
            new = new - _dot(new, old) * old
    return new


def _lanczos_weights(
    diagonal: list[Tensor], beside: list[Tensor], response: Callable
) -> list[Tensor]:
    r"""First column of :math:`f(T)` for the tridiagonal :math:`T`."""
    alpha = torch.stack([d.flatten() for d in diagonal], -1)
    t = torch.diag_embed(alpha)
    if beside:
        beta = torch.stack([b.flatten() for b in beside], -1)
        t = t + torch.diag_embed(beta, 1) + torch.diag_embed(beta, -1)
    squares, q = torch.linalg.eigh(t)
    # x lies in the row space: what seems zero is rounding.
    floor = 1e-12 * squares.amax(-1, keepdim=True)
    sigma = torch.maximum(squares, floor).sqrt()
    column = (q * respond(response, sigma)[..., None, :] * q[..., :1, :]).sum(
        -1
    )
    shape = (-1, *[1] * (diagonal[0].dim() - 1))
    return [w.reshape(shape) for w in column.unbind(-1)]
