r"""Pseudo-inverse and filter of an operator without a known structure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pinv_edu.linear.responses import (
    Response,
    respond,
    respond_with_zero,
)

if TYPE_CHECKING:
    from pinv_edu.linear.operator import LinearOperator


class Krylov:
    r"""CGLS for the pseudo-inverse and Lanczos for the filter, in float64.

    Parameters
    ----------
    operator
        Needs ``forward`` and ``adjoint`` only.
    tol
        Where to stop: size of :math:`A^\top(y - Ax)` relative to
        :math:`A^\top y` for the pseudo-inverse, last change relative to
        the result for the filter.
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
            size = _squares(seen)  # y may have fewer dimensions than x
            step = _ratio(power, size.reshape(power.shape))
            x = x + step * direction
            residual = residual - step.reshape(size.shape) * seen
            gradient = self.operator.adjoint(residual)
            power, before = _squares(gradient), power
            direction = gradient + _ratio(power, before) * direction
        raise RuntimeError(self._not_yet("the pseudo-inverse"))

    def filter(self, x: Tensor, response: Response) -> Tensor:
        r"""Filter the row-space part by Lanczos; the rest gets f(0).

        Splitting first makes responses with a jump at zero exact.
        """
        start = x.double()
        seen = self.pinv(self.operator(start))
        at_zero, _ = respond_with_zero(response, start.new_ones(1))
        filtered = self._lanczos(seen, response)
        return (at_zero * (start - seen) + filtered).to(x.dtype)

    def _lanczos(self, x: Tensor, response: Response) -> Tensor:
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
    diagonal: list[Tensor], beside: list[Tensor], response: Response
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
