r"""Laws as functions: the same checks in lessons, exercises and tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from pinv_edu.base import PseudoInvertible
from pinv_edu.codes import Code, combine
from pinv_edu.linear import LinearOperator


class LawError(AssertionError):
    """A law does not hold; ``law`` names it."""

    def __init__(self, law: str, message: str) -> None:
        super().__init__(f"{law}: {message}")
        self.law = law


def range_null(A: LinearOperator, x: Tensor) -> tuple[Tensor, Tensor]:
    r"""Split ``x`` into what ``A`` sees and what it loses.

    .. math::
        x = A^+A\,x + (I - A^+A)\,x , \qquad
        \langle A^+A\,x,\; (I - A^+A)\,x \rangle = 0 .

    Returns
    -------
    The range part :math:`A^+Ax` and the null part, shaped like ``x``.
    """
    if not isinstance(A, LinearOperator):
        raise TypeError(
            f"range_null needs a LinearOperator, got {type(A).__name__}; a "
            f"matrix becomes one by MatrixOperator(matrix)"
        )
    seen = A.pinv(A(x))
    return seen, x - seen


def relative(a: Tensor, b: Tensor) -> float:
    r"""Largest :math:`\|a_i - b_i\| / \|b_i\|` over the batch.

    0 / 0 counts as 0; NaN stays NaN.
    """
    error = (a - b).flatten(1).norm(dim=1)
    size = b.flatten(1).norm(dim=1)
    ratio = torch.where(error == 0, 0.0, error / size)
    return float(ratio.max())


def _asymmetry(
    function: Callable[[Tensor], Tensor], a: Tensor, b: Tensor
) -> float:
    r"""Relative size of :math:`\langle Pa, b\rangle - \langle a, Pb\rangle`
    over all pairs of the two batches.
    """
    a_flat, b_flat = a.flatten(1), b.flatten(1)
    left = function(a).flatten(1) @ b_flat.T
    right = a_flat @ function(b).flatten(1).T
    size = a_flat.norm(dim=1)[:, None] * b_flat.norm(dim=1)
    return float(((left - right).abs() / size.clamp(min=1e-300)).max())


def _noise(like: Tensor, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(like.shape, generator=generator, dtype=like.dtype).to(
        like.device
    )


@torch.no_grad()
def penrose_residuals(
    g: PseudoInvertible, x: Tensor, y: Tensor | None = None
) -> dict[str, float]:
    r"""Relative residuals of the Penrose identities.

    For a linear operator all four, which only :math:`A^+` satisfies:

    ====  ==============================  ==============================
    P1    :math:`AA^+A = A`               consistency
    P2    :math:`A^+AA^+ = A^+`           doing it twice changes nothing
    P3    :math:`(AA^+)^\top = AA^+`      best fit to the data
    P4    :math:`(A^+A)^\top = A^+A`      smallest move
    ====  ==============================  ==============================

    For a non-linear one P1 and P2 and the right inverse
    :math:`g\,g^\dagger = \mathrm{id}` on the range; the adjoints of P3 and
    P4 do not exist there.

    Parameters
    ----------
    g
        The operator.
    x
        Batch (B, \*in_shape) on which the identities are measured.
    y
        Batch of measurements (B, \*out_shape). Default: random for a linear
        operator; for a non-linear one the measurements of a perturbed
        ``x``, so that they lie in its range.

    Returns
    -------
    dict
        Residuals by name; zero up to rounding where the identity holds.
    """
    seen = g(x)
    if y is None and isinstance(g, LinearOperator):
        y = _noise(seen, 1)
    elif y is None:
        y = g(x + 0.1 * _noise(x, 1))
    back = g.pinv(y)
    residuals = {
        "P1": relative(g(g.pinv(seen)), seen),
        "P2": relative(g.pinv(g(back)), back),
    }
    if not isinstance(g, LinearOperator):
        return residuals | {"right inverse": relative(g(back), y)}
    return residuals | {
        "P3": _asymmetry(lambda v: g(g.pinv(v)), y, _noise(y, 2)),
        "P4": _asymmetry(lambda v: g.pinv(g(v)), x, _noise(x, 3)),
    }


@torch.no_grad()
def check_operator(
    op: PseudoInvertible,
    x: Tensor | None = None,
    *,
    tol: float | None = None,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> dict[str, float]:
    r"""Test an operator against every law it should obey.

    Checked in this order: shapes; type and device kept; same result twice,
    and whoever else is in the batch; for linear operators, linearity and
    the adjoint :math:`\langle Ax, y\rangle = \langle x, A^\top y\rangle`;
    the Penrose identities; the completion :math:`G^{-1}(G(x)) = x`; that
    null coordinates are not measured; back-projection in both forms; and
    for linear operators the spectral filter against :math:`A^+A` and
    :math:`A^\top A`.

    Parameters
    ----------
    op
        The operator: one of ours, or your own.
    x
        Batch to test on; the default is three random pictures.
    tol
        Largest relative residual; default 1e-9 for float64 and 1e-4 for
        float32.
    dtype, device
        Of the default ``x``.

    Returns
    -------
    dict
        The residual of every law.

    Raises
    ------
    LawError
        Names the first law that fails and by how much.
    """
    if x is None:
        like = torch.empty(3, *op.in_shape, dtype=dtype, device=device)
        x = 0.5 * _noise(like, 0)
    if tol is None:
        tol = 1e-9 if x.dtype == torch.float64 else 1e-4
    residuals: dict[str, float] = {}
    for law, residual in _residuals(op, x):
        residuals[law] = residual
        if not residual <= tol:  # NaN fails too
            words = f"residual {residual:.1e} is above {tol:.0e}."
            raise LawError(law, f"{words} {HINTS[law]}")
    return residuals


HINTS = {
    "shape of g(x)": "forward must map (B, *in_shape) to (B, *out_shape).",
    "shape of the pseudo-inverse": "pinv must map measurements to inputs.",
    "type and device": "Results must have the input's dtype and device.",
    "same result twice": "A call must not change the operator or its input.",
    "same result in another batch": (
        "Items must not depend on each other, as under BatchNorm: use eval()."
    ),
    "linearity": "A(ax + by) = aAx + bAy fails: is there an offset?",
    "adjoint": "<Ax, y> = <x, A'y> fails: is it the transpose of forward?",
    "P1": "g g+ g = g fails: the inverse does not reproduce measurements.",
    "P2": "g+ g g+ = g+ fails: inverting adds what is not measured.",
    "P3": "A A+ is not symmetric: not the best fit outside the range.",
    "P4": "A+ A is not symmetric: an oblique inverse, not the least move.",
    "right inverse": "g g+ y = y fails for y in the range.",
    "completion": "complete_inverse(complete(x)) = x fails.",
    "null coordinates": "Changing z alone changes the measurement.",
    "back-projection": "g(project(x, y)) = y fails for y in the range.",
    "centred back-projection": "The stage-wise form misses y.",
    "spectral filter": "With response (sigma > 0) it must be A+ A.",
    "singular values": "The filter with response sigma**2 must be A'A.",
}


def _residuals(op: PseudoInvertible, x: Tensor) -> Iterator[tuple[str, float]]:
    """Yield (law, residual) one by one, so that the first failure stops."""
    before, y = x.clone(), op(x)
    kind = x.dtype, x.device
    yield "shape of g(x)", _mismatch(y.shape, (len(x), *op.out_shape))
    yield "type and device", _mismatch((y.dtype, y.device), kind)
    back = op.pinv(y)
    yield "shape of the pseudo-inverse", _mismatch(back.shape, x.shape)
    yield "type and device", _mismatch((back.dtype, back.device), kind)
    yield (
        "same result twice",
        _mismatch(torch.equal(op(x), y) and torch.equal(before, x), True),
    )
    if len(x) > 1:
        yield "same result in another batch", relative(op(x[1:]), y[1:])
    if isinstance(op, LinearOperator):
        yield from _linear_residuals(op, x)
    yield from penrose_residuals(op, x).items()
    yield from _completion_residuals(op, x)
    if isinstance(op, LinearOperator):
        yield from _spectral_residuals(op, x)


def _mismatch(a: object, b: object) -> float:
    return 0.0 if a == b else float("inf")


def _linear_residuals(
    op: LinearOperator, x: Tensor
) -> Iterator[tuple[str, float]]:
    other = _noise(x, 4)
    mixed, apart = op(2 * x - 3 * other), 2 * op(x) - 3 * op(other)
    scale = (2 * op(x)).flatten(1).norm(dim=1) + apart.flatten(1).norm(dim=1)
    error = (mixed - apart).flatten(1).norm(dim=1)
    yield "linearity", float((error / scale.clamp(min=1e-300)).max())
    y = _noise(op(x), 5)
    left = op(x).flatten(1) @ y.flatten(1).T
    right = x.flatten(1) @ op.adjoint(y).flatten(1).T
    size = op(x).flatten(1).norm(dim=1)[:, None] * y.flatten(1).norm(dim=1)
    ratio = (left - right).abs() / size.clamp(min=1e-300)
    yield "adjoint", float(ratio.max())


def _spectral_residuals(
    op: LinearOperator, x: Tensor
) -> Iterator[tuple[str, float]]:
    y = op(x)
    seen = op.spectral_filter(x, lambda s: (s > 0).to(s.dtype))
    error = (seen - op.pinv(y)).flatten(1).norm(dim=1)
    yield "spectral filter", float((error / x.flatten(1).norm(dim=1)).max())
    squares = op.spectral_filter(x, lambda s: s**2)
    yield "singular values", relative(squares, op.adjoint(y))


def _completion_residuals(
    op: PseudoInvertible, x: Tensor
) -> Iterator[tuple[str, float]]:
    y, z = op.complete(x)
    yield "completion", relative(op.complete_inverse(y, z), x)
    target, z_other = op.complete(x + 0.1 * _noise(x, 6))
    swapped: Code = combine(lambda a: a, z_other)
    moved = op.complete_inverse(y, swapped)
    yield "null coordinates", relative(op(moved), y)
    yield "back-projection", relative(op(op.project(x, target)), target)
    centred = op.project(x, target, completion="centred")
    yield "centred back-projection", relative(op(centred), target)
