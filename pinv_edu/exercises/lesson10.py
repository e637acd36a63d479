"""Exercises of lesson 10: a completion, path independence, a border."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pinv_edu.exercises import Exercise

# 10a: complete the distance from the origin


def _circles(generator: torch.Generator) -> tuple[Tensor]:
    """Points with their three mirror images: four on each circle."""
    x = 0.3 + torch.rand(3, 2, generator=generator, dtype=torch.float64)
    signs = torch.tensor([[1, 1], [-1, 1], [-1, -1], [1, -1]]).double()
    return ((signs[:, None] * x).flatten(0, 1),)


def _polar(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.norm(dim=1, keepdim=True), torch.atan2(x[:, 1:], x[:, :1])


TWO_PARTS = "return two tensors of shape (B, 1): the measurement y, then z."
NOT_RADIUS = (
    "your y is not the distance from the origin: a completion must begin "
    "with g itself."
)
TOO_MANY = (
    "your z has two numbers for each point. The plane has two, and y is one "
    "of them: how many are left?"
)
OPPOSITE = (
    "x and -x lie on the same circle and get the same z: a quotient of "
    "entries does not see two signs change at once."
)
LEFT_RIGHT = (
    "(x1, x2) and (-x1, x2) lie on the same circle and get the same z. A "
    "height is met twice by each circle."
)
UP_DOWN = (
    "(x1, x2) and (x1, -x2) lie on the same circle and get the same z: the "
    "arc cosine returns angles of the upper half only."
)


def _judge_polar(answer: object, x: Tensor) -> str | None:
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        return TWO_PARTS
    y, z = answer
    if not (isinstance(y, Tensor) and isinstance(z, Tensor)):
        return TWO_PARTS
    if z.shape == (len(x), 2):
        return TOO_MANY
    if not y.shape == z.shape == (len(x), 1):
        return TWO_PARTS
    if not torch.allclose(y.double(), x.norm(dim=1, keepdim=True)):
        return NOT_RADIUS
    return _same_code(z.double().reshape(4, -1))


def _same_code(z: Tensor) -> str | None:
    """Compare z at a point with z at its three mirror images."""
    if not bool(z.isfinite().all()):
        return "your z is not a finite number everywhere."
    for i, j, words in (
        (0, 2, OPPOSITE),
        (0, 1, LEFT_RIGHT),
        (1, 2, UP_DOWN),
        (0, 3, UP_DOWN),
        (1, 3, OPPOSITE),
        (2, 3, LEFT_RIGHT),
    ):
        if bool(((z[i] - z[j]).abs() < 1e-9).any()):
            return words
    return None


RADIUS = Exercise(
    key="10a",
    draw=_circles,
    solution=_polar,
    judge=_judge_polar,
    mistakes={
        OPPOSITE: lambda x: (_polar(x)[0], (x[:, 1:] / x[:, :1]).atan()),
        LEFT_RIGHT: lambda x: (_polar(x)[0], x[:, 1:]),
        UP_DOWN: lambda x: (
            _polar(x)[0],
            (x[:, :1] / _polar(x)[0]).acos(),
        ),
        TOO_MANY: lambda x: (_polar(x)[0], x / _polar(x)[0]),
        NOT_RADIUS: lambda x: (_polar(x)[0] ** 2, _polar(x)[1]),
    },
)

# 10b: the distance that a detour makes

Move = Callable[[Tensor, Tensor], Tensor]


def _journey(generator: torch.Generator) -> tuple[Move, Tensor, ...]:
    x, y1, y2 = torch.randn(3, 5, 2, generator=generator).double()
    slope = float(torch.rand(1, generator=generator)) + 0.5

    def move(x: Tensor, y: Tensor) -> Tensor:
        return x + torch.asinh(y - slope * x.sinh())

    return move, x, y1, y2


def _gap(move: Move, x: Tensor, y1: Tensor, y2: Tensor) -> Tensor:
    return (move(move(x, y1), y2) - move(x, y2)).norm(dim=1)


DETOUR = Exercise(
    key="10b",
    draw=_journey,
    solution=_gap,
    mistakes={
        "your second step starts from the guess again. It has to start "
        "where the first one ended.": (
            lambda move, x, y1, y2: (move(x, y1) - move(x, y2)).norm(dim=1)
        ),
        "you compare with the guess itself. The other traveller goes to y2 "
        "as well, only directly.": (
            lambda move, x, y1, y2: (move(move(x, y1), y2) - x).norm(dim=1)
        ),
        "you visit the targets in the wrong order: both ways end at y2.": (
            lambda move, x, y1, y2: (move(move(x, y2), y1) - move(x, y2)).norm(
                dim=1
            )
        ),
        "this is one number for the whole batch. Take the norm of each row.": (
            lambda move, x, y1, y2: _gap(move, x, y1, y2).norm().expand(len(x))
        ),
    },
    hint="Two travellers start at x. One goes to y1 and then to y2, the "
    "other to y2. How far apart do they end?",
)

# 10c: below which strength the tempting formula settles


def _reaches(generator: torch.Generator) -> tuple[Tensor]:
    return (0.1 + 4 * torch.rand(5, generator=generator).double(),)


def _slope(size: Tensor) -> Tensor:
    """The slope of g along x1 where sinh(x1) has this size."""
    return (1 + size**2).sqrt()


STRENGTH = Exercise(
    key="10c",
    draw=_reaches,
    solution=lambda y: 2 / _slope(y + 1),
    mistakes={
        "your border is right on the x1 axis only. At other heights the "
        "wave moves the goal: by how much at most?": (lambda y: 2 / _slope(y)),
        "with your strength the worst case has the factor 0. How much "
        "larger may the strength be until the factor is -1?": (
            lambda y: 1 / _slope(y + 1)
        ),
        "you divide by sinh(x1). The slope is its derivative.": (
            lambda y: 2 / (y + 1)
        ),
        "you took the largest y + sin(2 x2) for the x1 of the goal. It is "
        "the sinh of it.": lambda y: 2 / (y + 1).cosh(),
        "your border is that of the origin, where the slope is 1. What "
        "counts is the slope at the goal.": lambda y: torch.full_like(y, 2),
    },
    hint="With a strength the factor of the error is 1 - λ s. At the goal "
    "s = cosh(x1) and sinh(x1) = y + sin(2 x2). Which goal is the steepest?",
)

EXERCISES = [RADIUS, DETOUR, STRENGTH]
