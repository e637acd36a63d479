"""Exercises of lesson 10: a completion, path independence, naive steps."""

from __future__ import annotations

import math
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

# 10c: targets for which the tempting formula settles


def _targets(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    y, x2 = torch.rand(2, 400, generator=generator, dtype=torch.float64)
    return 6 * y - 3, 4 * x2 - 2


def _reach(y: Tensor, x2: Tensor) -> Tensor:
    """Size of sinh(x1) at the goal."""
    return (y + (2 * x2).sin()).abs()


SETTLES = Exercise(
    key="10c",
    draw=_targets,
    solution=lambda y, x2: _reach(y, x2) < math.sqrt(3),
    mistakes={
        "your border is right on the x1 axis only. At the height of the "
        "guess the wave has moved the goal.": (
            lambda y, x2: y.abs() < math.sqrt(3)
        ),
        "your border is the x1 of the goal. The question is about y: pass "
        "it through sinh.": lambda y, x2: _reach(y, x2) < math.acosh(2),
        "the sign of the wave: solve g(x) = y for sinh(x1) once more.": (
            lambda y, x2: (y - (2 * x2).sin()).abs() < math.sqrt(3)
        ),
        "your border is the slope, cosh(x1) = 2. How large is sinh(x1) "
        "there?": lambda y, x2: _reach(y, x2) < 2,
        "you ask for a slope below 1. A step that overshoots by less than "
        "the error still shrinks it: |1 - s| < 1 allows s beyond 1.": (
            lambda y, x2: torch.zeros_like(y, dtype=torch.bool)
        ),
    },
    hint="At the goal sinh(x1) = y + sin(2 x2), and the factor of the error "
    "is 1 - cosh(x1). Your answer is a boolean tensor shaped like y.",
)

EXERCISES = [RADIUS, DETOUR, SETTLES]
