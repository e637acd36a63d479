"""Lesson 1: the null space, pictures with equal means, how many answers."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from pinv_edu.exercises import Exercise
from pinv_edu.linear import AveragePool

SEEN = (
    "this is the direction that the measurement sees best: along it, a · v "
    "is as large as it can be. Look for a · v = 0."
)
SWAPPED = (
    "you swapped the two entries. In a · v the two products now add up; "
    "they should cancel."
)
LENGTH = "the direction is right, but the vector does not have length 1."
ZERO = "the zero vector is not noticed either, but it is no direction."
NOTICED = "the measurement notices your vector: a · v is not 0."


def _draw_direction(g: Generator) -> tuple:
    sign = 1 - 2 * torch.randint(0, 2, (2,), generator=g)
    return (sign * (0.5 + torch.rand(2, generator=g).double()),)


def _perpendicular(a: Tensor) -> Tensor:
    return torch.stack([-a[1], a[0]])


def _unseen(a: Tensor) -> Tensor:
    return _perpendicular(a) / a.norm()


def _judge_unseen(v: Tensor, a: Tensor) -> str | None:
    v = torch.as_tensor(v, dtype=torch.float64)
    if v.shape != (2,):
        return f"your result has shape {tuple(v.shape)}, expected (2,)."
    if not v.norm() > 1e-9:
        return ZERO
    if not (a @ v).abs() < 1e-6 * a.norm() * v.norm():
        return NOTICED
    return None if abs(v.norm() - 1) < 1e-6 else LENGTH


SAME = "this is x itself: nothing has changed."
SHIFTED = (
    "the means moved: you changed every block as a whole. Inside a block, "
    "what you add in one place must be taken away in another."
)
GLOBAL = (
    "the mean of the whole picture is right, the block means are not: what "
    "you add must cancel inside every single block."
)
SMALL = "this has the size of the measurement. Return a picture like x."
CLOSE = "the block means are right, but it is almost x: change it more."


def _draw_picture(g: Generator) -> tuple:
    r = int(torch.randint(2, 5, (1,), generator=g))
    x = torch.rand(1, 3, 4 * r, 6 * r, generator=g, dtype=torch.float64)
    return 2 * x - 1, r


def _spread(y: Tensor, r: int) -> Tensor:
    return y.repeat_interleave(r, -1).repeat_interleave(r, -2)


def _pool(x: Tensor, r: int) -> Tensor:
    return AveragePool(tuple(x.shape[1:]), r)(x)


def _another(x: Tensor, r: int) -> Tensor:
    return 2 * _spread(_pool(x, r), r) - x


def _judge_another(other: Tensor, x: Tensor, r: int) -> str | None:
    other = torch.as_tensor(other).double()
    if other.shape == _pool(x, r).shape:
        return SMALL
    if other.shape != x.shape:
        shapes = tuple(other.shape), tuple(x.shape)
        return "your result has shape {}, expected {}.".format(*shapes)
    moved = (_pool(other, r) - _pool(x, r)).abs().max()
    if not moved < 1e-6:
        whole = (other - x).mean((-2, -1)).abs().max()
        return GLOBAL if whole < 1e-6 else SHIFTED
    change = (other - x).norm() / x.norm()
    if change < 1e-9:
        return SAME
    return None if change > 0.1 else CLOSE


COUNTED = (
    "you counted equations. Some of them say nothing new: which number "
    "counts the others only?"
)
UNASKED = (
    "your dimensions are right where there is a solution, but you never "
    "return -1: ask first whether y is in the range of A."
)
SEEN_COUNT = "this is how much A sees. The fibre is made of what is left."
TOO_STRICT = (
    "you return -1 whenever A is not onto. Then some y have no solution, "
    "but this one may have: compare y with the columns of A."
)
WIDE = (
    "you took more unknowns than measurements for a proof that there is a "
    "solution. It is none: two rows can contradict each other."
)


def _draw_system(g: Generator) -> tuple:
    m, n, r = (int(torch.randint(2, 6, (1,), generator=g)) for _ in range(3))
    r = min(m, n, r - 1)
    left = torch.randn(m, r, generator=g, dtype=torch.float64)
    A = left @ torch.randn(r, n, generator=g, dtype=torch.float64)
    x = torch.randn(n, generator=g, dtype=torch.float64)
    off = torch.randn(m, generator=g, dtype=torch.float64)
    return A, A @ x + off * float(torch.rand(1, generator=g) < 0.5)


def _rank(*parts: Tensor) -> int:
    return int(torch.linalg.matrix_rank(torch.cat(parts, dim=1)))


def _exists(A: Tensor, y: Tensor) -> bool:
    return _rank(A, y[:, None]) == _rank(A)


def _fibre_dimension(A: Tensor, y: Tensor) -> int:
    return A.shape[1] - _rank(A) if _exists(A, y) else -1


def _wide(A: Tensor, y: Tensor) -> int:
    m, n = A.shape
    return n - _rank(A) if n > m or _exists(A, y) else -1


EXERCISES = [
    Exercise(
        key="1a",
        draw=_draw_direction,
        solution=_unseen,
        judge=_judge_unseen,
        mistakes={
            SEEN: lambda a: a / a.norm(),
            SWAPPED: lambda a: a.flip(0) / a.norm(),
            LENGTH: _perpendicular,
            ZERO: torch.zeros_like,
        },
    ),
    Exercise(
        key="1b",
        draw=_draw_picture,
        solution=_another,
        judge=_judge_another,
        mistakes={
            SAME: lambda x, r: x,
            SHIFTED: lambda x, r: x + 0.1,
            GLOBAL: lambda x, r: x.flip(-1),
            SMALL: _pool,
        },
    ),
    Exercise(
        key="1c",
        draw=_draw_system,
        solution=_fibre_dimension,
        hint="Ask first whether there is a solution, then count what is free.",
        mistakes={
            COUNTED: lambda A, y: (
                A.shape[1] - A.shape[0] if _exists(A, y) else -1
            ),
            UNASKED: lambda A, y: A.shape[1] - _rank(A),
            SEEN_COUNT: lambda A, y: _rank(A) if _exists(A, y) else -1,
            TOO_STRICT: lambda A, y: (
                A.shape[1] - _rank(A) if _rank(A) == len(A) else -1
            ),
            WIDE: _wide,
        },
    ),
]
