"""Exercises of lesson 12: a block undone, its losses, and the dial."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.exercises import Exercise

# 12a: the pseudo-inverse of a block that drops its second half


def _dropped(generator: torch.Generator) -> tuple[Tensor, ...]:
    y = torch.randn(5, 2, generator=generator, dtype=torch.float64)
    weights = torch.randn(3, 2, 2, generator=generator, dtype=torch.float64)
    return y, *weights


def _back(y: Tensor, z: Tensor, S: Tensor, T: Tensor) -> Tensor:
    """Solve for the kept half, with the recipe read from ``z``."""
    return torch.cat([(y - z @ T) * (-torch.tanh(z @ S)).exp(), z], dim=1)


def _pinv(y: Tensor, S: Tensor, T: Tensor, R: Tensor) -> Tensor:
    return _back(y, y @ R, S, T)


def _recipe_from_y(y: Tensor, S: Tensor, T: Tensor, R: Tensor) -> Tensor:
    kept = (y - y @ T) * (-torch.tanh(y @ S)).exp()
    return torch.cat([kept, y @ R], dim=1)


def _forward(y: Tensor, S: Tensor, T: Tensor, R: Tensor) -> Tensor:
    z = y @ R
    return torch.cat([y * torch.tanh(z @ S).exp() + z @ T, z], dim=1)


def _shift_last(y: Tensor, S: Tensor, T: Tensor, R: Tensor) -> Tensor:
    z = y @ R
    kept = y * (-torch.tanh(z @ S)).exp() - z @ T
    return torch.cat([kept, z], dim=1)


def _zero_code(y: Tensor, S: Tensor, T: Tensor, R: Tensor) -> Tensor:
    return _back(y, torch.zeros_like(y), S, T)


def _zero_at_the_end(y: Tensor, S: Tensor, T: Tensor, R: Tensor) -> Tensor:
    kept = _pinv(y, S, T, R)[:, :2]
    return torch.cat([kept, torch.zeros_like(y)], dim=1)


BLOCK = Exercise(
    key="12a",
    draw=_dropped,
    solution=_pinv,
    mistakes={
        "you read the recipe from y. The forward map read it from the half "
        "that was dropped: what stands for that half now?": _recipe_from_y,
        "this is the forward map once more. You hold y and look for x0: "
        "solve the equation.": _forward,
        "you divide before you subtract. Which of the two steps did the "
        "forward map do last?": _shift_last,
        "this is consistent, but it is another pseudo-inverse: its code is "
        "zero, and R was not used.": _zero_code,
        "you solved with one code and returned another: x0 is right for "
        "y R, and beside it stand zeros. Measure your result again.": (
            _zero_at_the_end
        ),
    },
    hint="Three steps: guess the dropped half, read the recipe from the "
    "guess, solve for x0. Return both halves.",
)

# 12b: how many numbers does each level of a stack drop?


def _picture(generator: torch.Generator) -> tuple[int, int, int]:
    channels, levels, size = (
        int(torch.randint(low, high, (), generator=generator))
        for low, high in ((1, 4), (1, 4), (1, 6))
    )
    return channels, 2**levels * size, levels


def _lost(channels: int, side: int, levels: int) -> list[int]:
    lost = []
    for _ in range(levels):
        channels, side = 2 * channels, side // 2
        lost.append(channels * side**2)
    return lost


def _without_folding(channels: int, side: int, levels: int) -> list[int]:
    return [channels * side**2 // 2] * levels


def _channels_only(channels: int, side: int, levels: int) -> list[int]:
    return [2 ** (k + 1) * channels for k in range(levels)]


def _kept_all_along(channels: int, side: int, levels: int) -> list[int]:
    total = channels * side**2
    return [total - n for n in _lost(channels, side, levels)]


COUNT = Exercise(
    key="12b",
    draw=_picture,
    solution=_lost,
    mistakes={
        "every level loses the same number in your count. What enters the "
        "second level is only what the first one has kept.": (
            _without_folding
        ),
        "these are the channels that are dropped. Each channel holds a "
        "whole small picture of numbers.": _channels_only,
        "you count what is left of the whole picture, not what one level "
        "drops.": _kept_all_along,
    },
    hint="Follow the shape through one level: c x n x n is folded to "
    "4c x n/2 x n/2, and half of these channels go.",
)

# 12c: the best straight-line code for a setting of the dial


def _codes(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    y, noise = torch.randn(2, 50, generator=generator, dtype=torch.float64)
    slope, dial = torch.rand(2, generator=generator, dtype=torch.float64)
    return y, (1 + slope) * y + noise, 0.1 + 0.7 * dial


def _slope(y: Tensor, z: Tensor) -> Tensor:
    return (y * z).sum() / (y * y).sum()


DIAL = Exercise(
    key="12c",
    draw=_codes,
    solution=lambda y, z, dial: (1 - dial) * _slope(y, z),
    mistakes={
        "this is the answer for dial 0. The second term pulls the code "
        "towards zero: set the derivative of the whole sum to zero.": (
            lambda y, z, dial: _slope(y, z)
        ),
        "the dial is turned the wrong way: at dial 1 the code should be "
        "zero.": lambda y, z, dial: dial * _slope(y, z),
        "you predict y from z. Here y is known and z is guessed.": (
            lambda y, z, dial: (1 - dial) * (y * z).sum() / (z * z).sum()
        ),
        "you divided by the weight of the first term only: the second one "
        "contains rho squared too.": (
            lambda y, z, dial: _slope(y, z) / (1 - dial)
        ),
    },
    hint="The sum is a parabola in rho. Write it as a rho^2 - 2 b rho + c; "
    "its lowest point is b / a.",
)

EXERCISES = [BLOCK, COUNT, DIAL]
