"""Lesson 2: A+ by hand, with a cut, three of four, the worst error."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from pinv_edu.exercises import Exercise

INFINITE = (
    "your result has entries that are infinite or not a number: you "
    "divided by a zero. What should come back of something that was lost?"
)
HUGE = (
    "your result has huge entries where S has zeros. A small number in "
    "place of a zero does not make it invertible."
)
SAME_SHAPE = (
    "the numbers are right, the shape is not: S takes n numbers to m, and "
    "S+ must take m numbers to n."
)
TRANSPOSE = (
    "this is the transpose: it goes the right way, but it does not undo "
    "the stretching."
)


def _randint(g: Generator, low: int, high: int) -> int:
    return int(torch.randint(low, high, (1,), generator=g))


def _randn(g: Generator, *size: int) -> Tensor:
    return torch.randn(*size, generator=g, dtype=torch.float64)


def _draw_diagonal(g: Generator) -> tuple:
    m, n = _randint(g, 2, 6), _randint(g, 2, 6)
    d = (0.5 + torch.rand(min(m, n), generator=g).double()) * 2
    d = d * (1 - 2 * torch.randint(0, 2, d.shape, generator=g))
    d[_randint(g, 0, len(d))] = 0
    S = torch.zeros(m, n, dtype=torch.float64)
    S.diagonal().copy_(d)
    return (S,)


def _reciprocal(S: Tensor) -> Tensor:
    return torch.where(S != 0, 1 / S, torch.zeros_like(S))


def _judge_diagonal(B: Tensor, S: Tensor) -> str | None:
    B = torch.as_tensor(B).double()
    if not torch.isfinite(B).all():
        return INFINITE
    if B.shape != S.T.shape:
        shapes = tuple(B.shape), tuple(S.T.shape)
        return "your result has shape {}, expected {}.".format(*shapes)
    if B.abs().max() > 1e4:
        return HUGE
    if (B - _reciprocal(S.T)).abs().max() > 1e-6:
        return "compare entry by entry with 1 / S where S is not zero."
    return None


UNCUT = (
    "you inverted every singular value, the small ones too: nothing was cut."
)
ABSOLUTE = (
    "you compared the singular values with cut itself. It is meant as a "
    "share of the largest one, so that units do not matter."
)
WRONG_WAY = (
    "this goes from x to y: the roles of U and V are swapped. Which of the "
    "two lives in the space of y?"
)
LEFT_IN = (
    "the small singular values are not inverted, but they are still in "
    "your result. A direction that does not count must give zero."
)


def _with_spectrum(g: Generator, m: int, n: int, s: Tensor) -> Tensor:
    U, V = (torch.linalg.qr(_randn(g, k, len(s)))[0] for k in (m, n))
    return U @ torch.diag(s) @ V.T


def _draw_cut(g: Generator) -> tuple:
    m, n = _randint(g, 3, 6), _randint(g, 3, 6)
    levels = torch.tensor([1, 0.4, 0.02, 0.01, 0.005], dtype=torch.float64)
    scale = 10.0 ** _randint(g, -2, 3)
    return _with_spectrum(g, m, n, scale * levels[: min(m, n)]), 0.1


def _by_svd(A: Tensor, kept: Tensor, else_: float | Tensor = 0.0) -> Tensor:
    U, s, V_t = torch.linalg.svd(A, full_matrices=False)
    other = torch.as_tensor(else_, dtype=s.dtype).expand(s.shape)
    return V_t.T @ torch.diag(torch.where(kept, 1 / s, other)) @ U.T


def _pinv_cut(A: Tensor, cut: float) -> Tensor:
    s = torch.linalg.svdvals(A)
    return _by_svd(A, s > cut * s[0])


def _left_in(A: Tensor, cut: float) -> Tensor:
    s = torch.linalg.svdvals(A)
    return _by_svd(A, s > cut * s[0], s)


MOORE = (
    "P1 to P4 all hold: this is A+ itself. Which changes of it does A not "
    "notice?"
)
VISIBLE = (
    "P1 is lost: A B is not I any more, so A sees what you added to A+. "
    "Add only what A does not see."
)
ADJOINT = (
    "P1 is lost: this is the transpose, and A times its transpose is not I."
)
NOTHING = "P1 is lost: this inverse always says zero."


def _draw_wide(g: Generator) -> tuple:
    m = _randint(g, 2, 4)
    n = m + _randint(g, 1, 4)
    s = 0.5 + 2 * torch.rand(m, generator=g).double()
    return (_with_spectrum(g, m, n, s),)


def _three_of_four(A: Tensor) -> Tensor:
    n = A.shape[1]
    plus = torch.linalg.pinv(A)
    unseen = torch.eye(n, dtype=A.dtype) - plus @ A
    return plus + unseen[:, unseen.diagonal().argmax()][:, None]


def _lost(A: Tensor, B: Tensor) -> list[str]:
    """Names of the Penrose identities that fail."""
    products = {
        "P1": A @ B @ A - A,
        "P2": B @ A @ B - B,
        "P3": A @ B - (A @ B).T,
        "P4": B @ A - (B @ A).T,
    }
    return [name for name, e in products.items() if not e.norm() < 1e-6]


def _judge_three(B: Tensor, A: Tensor) -> str | None:
    B = torch.as_tensor(B).to(A.dtype)
    if B.shape != A.T.shape:
        shapes = tuple(B.shape), tuple(A.T.shape)
        return "your result has shape {}, expected {}.".format(*shapes)
    lost = _lost(A, B)
    if not lost:
        return MOORE
    if lost == ["P4"]:
        return None
    return f"these fail: {', '.join(lost)}. Only P4 may: check A B = I."


HARMLESS = (
    "this is where an error does least harm: A+ divides it by the largest "
    "singular value."
)
OUTSIDE = (
    "your vector is outside the range of A: A+ ignores it and the answer "
    "does not move at all. Look at the singular value that goes with it."
)
IN_X = "this is a direction of x, with n entries. The error sits in y."
LONG = "the direction is right, but the vector does not have length 1."


def _draw_deficient(g: Generator) -> tuple:
    m = _randint(g, 3, 6)
    n = m + _randint(g, 1, 3)
    s = torch.linspace(3, 0.5, m - 1, dtype=torch.float64)
    return (_with_spectrum(g, m, n, s),)


def _left(A: Tensor, index: int) -> Tensor:
    return torch.linalg.svd(A)[0][:, index]


def _judge_error(error: Tensor, A: Tensor) -> str | None:
    error = torch.as_tensor(error).to(A.dtype)
    if error.shape != A.shape[:1]:
        shapes = tuple(error.shape), tuple(A.shape[:1])
        return "your result has shape {}, expected {}.".format(*shapes)
    plus = torch.linalg.pinv(A, rtol=1e-9)
    moved, worst = (plus @ error).norm(), torch.linalg.matrix_norm(plus, 2)
    if not moved > 1e-9 * worst:
        return OUTSIDE
    if moved < (1 - 1e-6) * worst * error.norm():
        return "another error of this length moves the answer farther."
    return None if abs(error.norm() - 1) < 1e-6 else LONG


EXERCISES = [
    Exercise(
        key="2a",
        draw=_draw_diagonal,
        solution=lambda S: _reciprocal(S.T),
        judge=_judge_diagonal,
        mistakes={
            INFINITE: lambda S: 1 / S.T,
            HUGE: lambda S: torch.eye(*S.T.shape) / (S.T + 1e-9),
            SAME_SHAPE: _reciprocal,
            TRANSPOSE: lambda S: S.T,
        },
    ),
    Exercise(
        key="2b",
        draw=_draw_cut,
        solution=_pinv_cut,
        mistakes={
            UNCUT: lambda A, cut: torch.linalg.pinv(A),
            ABSOLUTE: lambda A, cut: _by_svd(A, torch.linalg.svdvals(A) > cut),
            WRONG_WAY: lambda A, cut: _pinv_cut(A, cut).T,
            LEFT_IN: _left_in,
        },
    ),
    Exercise(
        key="2c",
        draw=_draw_wide,
        solution=_three_of_four,
        judge=_judge_three,
        mistakes={
            MOORE: torch.linalg.pinv,
            VISIBLE: lambda A: torch.linalg.pinv(A) + 1,
            ADJOINT: lambda A: A.T,
            NOTHING: lambda A: torch.zeros_like(A.T),
        },
    ),
    Exercise(
        key="2d",
        draw=_draw_deficient,
        solution=lambda A: _left(A, len(A) - 2),
        judge=_judge_error,
        mistakes={
            HARMLESS: lambda A: _left(A, 0),
            OUTSIDE: lambda A: _left(A, -1),
            IN_X: lambda A: torch.linalg.svd(A)[2][len(A) - 2],
            LONG: lambda A: 2 * _left(A, len(A) - 2),
        },
    ),
]
