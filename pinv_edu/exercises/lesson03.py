"""Exercises of lesson 3: back-projection, step sizes, right inverses."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.exercises import Exercise

# 3a: back-projection for a mask


def _masked_pair(generator: torch.Generator) -> tuple[Tensor, ...]:
    x_r, truth = torch.randn(
        2, 2, 3, 8, 8, generator=generator, dtype=torch.float64
    )
    mask = (torch.rand(8, 8, generator=generator) > 0.5).double()
    return x_r, mask * truth, mask


def _project_mask(x_r: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return x_r + mask * (y - mask * x_r)


MASK = Exercise(
    key="3a",
    draw=_masked_pair,
    solution=_project_mask,
    mistakes={
        "your result is y itself: the guess is lost where nothing was "
        "measured. Carry the error back only where the mask is 1.": (
            lambda x_r, y, mask: x_r + (y - x_r)
        ),
        "you added y without asking how wrong the guess is. Which term of "
        "the formula is missing?": lambda x_r, y, mask: x_r + y,
        "you kept the guess where the mask measures and y where it does "
        "not. Which pixels does a mask of 1 mark?": (
            lambda x_r, y, mask: (1 - mask) * y + mask * x_r
        ),
        "the residual has doubled: the step has the right length and the "
        "wrong direction.": lambda x_r, y, mask: x_r - mask * (y - x_r),
        "this is the correction alone. What is it added to?": (
            lambda x_r, y, mask: mask * (y - x_r)
        ),
    },
    hint="Measure your result with the mask: is it y? Then look at the "
    "hidden pixels: are they those of the guess?",
)

# 3b: the step of the loss ||Ax - y||^2 for pooling by r x r


def _factor(generator: torch.Generator) -> tuple[int]:
    return (int(torch.randint(2, 10, (1,), generator=generator)),)


def _judge_step(step: object, r: int) -> str | None:
    if not isinstance(step, int | float | Tensor):
        return "return one number, the step."
    left = 1 - 2 * float(step) / r**2
    if abs(left) < 1e-9:
        return None
    return (
        f"for r = {r} your step multiplies the residual by {left:+.2f}; "
        "back-projection makes it 0. Start from the singular value of "
        "pooling and the gradient of this loss."
    )


STEP = Exercise(
    key="3b",
    draw=_factor,
    solution=lambda r: r**2 / 2,
    judge=_judge_step,
    mistakes={
        "you halved the loss: halve the step. (Yours is right for "
        "½‖Ax - y‖²; without the ½ the gradient is twice as long.)": (
            lambda r: r**2
        ),
        "a constant step suits operators that keep lengths, such as masks. "
        "By how much does pooling shorten what it sees?": lambda r: 1 / 2,
        "a constant step, and the half forgotten as well. By how much does "
        "pooling shorten what it sees?": lambda r: 1,
        "the singular value enters once in A and once more in its "
        "transpose.": lambda r: r / 2,
        "upside down: the smaller the singular value, the longer the "
        "step.": lambda r: 1 / (2 * r**2),
    },
)

# 3c: a right inverse that is not A+, and the Penrose identity it lost


def _wide(generator: torch.Generator) -> tuple[Tensor]:
    return (torch.randn(2, 4, generator=generator, dtype=torch.float64),)


def _oblique(A: Tensor) -> tuple[Tensor, int]:
    pinv = torch.linalg.pinv(A)
    lost = torch.eye(4, dtype=A.dtype) - pinv @ A
    return pinv + lost @ torch.ones(4, 2, dtype=A.dtype), 4


TWO_THINGS = "return two things: the matrix B and a number from 1 to 4."
NOT_RIGHT = (
    "A B is not the identity, so the result would not agree with y. Start "
    "from a B that is a right inverse, and add what A cannot see."
)
TRANSPOSE = (
    "this is the transpose. It leads back to x, but not by the right "
    "lengths: A Aᵀ is not the identity."
)
IS_PINV = (
    "this is A+ itself: consistent, and no identity is lost. Which columns "
    "can you add to it that A maps to zero?"
)
FREE = (
    "your B is right, the number is not: identities 1 and 2 follow from "
    "A B = I. Write them out and put brackets around A B."
)
SYMMETRIC = (
    "your B is right, the number is not: A B is the identity. Is the "
    "identity symmetric?"
)


def _judge_oblique(answer: tuple, A: Tensor) -> str | None:
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        return TWO_THINGS
    B, number = answer
    if not isinstance(B, Tensor) or B.shape != (4, 2):
        return "B must be a tensor of shape (4, 2)."
    B = B.to(A.dtype)
    if torch.dist(B, A.T) < 1e-6:
        return TRANSPOSE
    if torch.dist(A @ B, torch.eye(2, dtype=A.dtype)) > 1e-6:
        return NOT_RIGHT
    if torch.dist(B, torch.linalg.pinv(A)) < 1e-6:
        return IS_PINV
    if number == 4:
        return None
    return {1: FREE, 2: FREE, 3: SYMMETRIC}.get(number, TWO_THINGS)


OBLIQUE = Exercise(
    key="3c",
    draw=_wide,
    solution=_oblique,
    judge=_judge_oblique,
    mistakes={
        IS_PINV: lambda A: (torch.linalg.pinv(A), 4),
        TRANSPOSE: lambda A: (A.T, 4),
        SYMMETRIC: lambda A: (_oblique(A)[0], 3),
        FREE: lambda A: (_oblique(A)[0], 2),
        NOT_RIGHT: lambda A: (torch.linalg.pinv(A) + 1, 4),
    },
)

EXERCISES = [MASK, STEP, OBLIQUE]
