"""Exercises of lesson 14: a fit by pixel, aiming off, out of reach."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pinv_edu.exercises import Exercise

Camera = Callable[[Tensor], Tensor]
Project = Callable[[Tensor, Tensor], Tensor]

# 14a: gain and offset of each pixel


def _seen(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    seen = torch.randn(30, 6, generator=generator).double() + 0.3
    gain, offset, noise = (
        torch.randn(size, generator=generator).double()
        for size in ((6,), (6,), (30, 6))
    )
    return seen, (gain + 2) * seen + offset + 0.3 * noise


def _fit(seen: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    centred = seen - seen.mean(0)
    gain = (centred * y).mean(0) / centred.square().mean(0)
    return gain, y.mean(0) - gain * seen.mean(0)


def _through_zero(seen: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    gain = (seen * y).mean(0) / seen.square().mean(0)
    return gain, torch.zeros_like(gain)


def _one_for_all(seen: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    gain, offset = _fit(seen.reshape(-1, 1), y.reshape(-1, 1))
    return gain.expand(seen.shape[1]), offset.expand(seen.shape[1])


def _uncentred(seen: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    gain = (seen * y).mean(0) / seen.square().mean(0)
    return gain, y.mean(0) - gain * seen.mean(0)


def _wrong_way(seen: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return _fit(y, seen)


def _mean_as_offset(seen: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return _fit(seen, y)[0], y.mean(0)


FIT = Exercise(
    key="14a",
    draw=_seen,
    solution=_fit,
    mistakes={
        "your lines go through zero. The camera need not: where is the "
        "offset?": _through_zero,
        "you fitted one line to all pixels. The corner gets less light than "
        "the centre: take means over the pictures only.": _one_for_all,
        "you found the slope of a line through zero, and shifted it "
        "afterwards. Slope and offset belong together: what changes if you "
        "subtract the means first?": _uncentred,
        "this predicts the pool from the measurement, the wrong way "
        "round.": _wrong_way,
        "your offset is the mean of y. The line goes through the point of "
        "both means.": _mean_as_offset,
    },
    hint="For one pixel it is the line through a cloud of points, by least "
    "squares. Do it for all pixels at once, with means over dimension 0.",
)

# 14b: aim off


def _shooting(generator: torch.Generator) -> tuple:
    A = torch.randn(3, 6, generator=generator).double()
    B = torch.randn(3, 6, generator=generator).double()
    back = torch.linalg.pinv(A)

    def project(x: Tensor, y: Tensor) -> Tensor:
        return x + (y - x @ A.T) @ back.T

    def camera(x: Tensor) -> Tensor:
        return x @ A.T + 0.5 + 0.2 * (x @ B.T).sin()

    x, y = (torch.randn(4, n, generator=generator).double() for n in (6, 3))
    presses = int(torch.randint(2, 5, (1,), generator=generator))
    return project, camera, x, y, presses


def _aim_off(
    project: Project, camera: Camera, x: Tensor, y: Tensor, presses: int
) -> Tensor:
    target, x = y, project(x, y)
    for _ in range(presses):
        target = target + y - camera(x)
        x = project(x, target)
    return x


def _forgetful(
    project: Project, camera: Camera, x: Tensor, y: Tensor, presses: int
) -> Tensor:
    x = project(x, y)
    for _ in range(presses):
        x = project(x, 2 * y - camera(x))
    return x


def _wrong_sign(
    project: Project, camera: Camera, x: Tensor, y: Tensor, presses: int
) -> Tensor:
    target, x = y, project(x, y)
    for _ in range(presses):
        target = target - y + camera(x)
        x = project(x, target)
    return x


def _stubborn(
    project: Project, camera: Camera, x: Tensor, y: Tensor, presses: int
) -> Tensor:
    for _ in range(presses + 1):
        x = project(x, y)
    return x


def _one_short(
    project: Project, camera: Camera, x: Tensor, y: Tensor, presses: int
) -> Tensor:
    return _aim_off(project, camera, x, y, presses - 1)


AIM = Exercise(
    key="14b",
    draw=_shooting,
    solution=_aim_off,
    mistakes={
        "you start each correction from y again, and forget what the earlier "
        "ones have taught. Which number has to be remembered?": _forgetful,
        "your corrections double the error. If the camera shows too little, "
        "where should you aim?": _wrong_sign,
        "you project onto the same y again and again. For the model it was "
        "right the first time: nothing moves.": _stubborn,
        "you pressed the button once less than asked: project first, then "
        "correct that many times.": _one_short,
    },
    hint="Keep a target. First it is y. After each press, move it by what "
    "the camera still lacks, and project onto it.",
)

# 14c: out of reach


def _ranges(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    centre, width = torch.rand(2, 5, generator=generator).double()
    seen = torch.rand(40, 5, generator=generator).double()
    y = torch.rand(6, 5, generator=generator).double()
    return centre + width * (y - 0.5) * 1.8, centre + width * (seen - 0.5)


def _beyond(y: Tensor, seen: Tensor) -> Tensor:
    low, high = seen.amin(0), seen.amax(0)
    return torch.maximum(low - y, y - high).clamp(min=0).amax(1)


def _one_range(y: Tensor, seen: Tensor) -> Tensor:
    outside = torch.maximum(seen.min() - y, y - seen.max())
    return outside.clamp(min=0).amax(1)


def _too_bright_only(y: Tensor, seen: Tensor) -> Tensor:
    return (y - seen.amax(0)).clamp(min=0).amax(1)


def _signed(y: Tensor, seen: Tensor) -> Tensor:
    return torch.maximum(seen.amin(0) - y, y - seen.amax(0)).amax(1)


def _averaged(y: Tensor, seen: Tensor) -> Tensor:
    outside = torch.maximum(seen.amin(0) - y, y - seen.amax(0))
    return outside.clamp(min=0).mean(1)


REACH = Exercise(
    key="14c",
    draw=_ranges,
    solution=_beyond,
    mistakes={
        "you took one range for all pixels. A value that is usual in the "
        "centre can be impossible in a corner.": _one_range,
        "you look for values that are too bright. A dead pixel is too "
        "dark.": _too_bright_only,
        "inside the range your result is negative. Nothing is beyond it "
        "there.": _signed,
        "you average over the pixels. One dead pixel among many good ones "
        "would hide.": _averaged,
    },
    hint="For each pixel: by how much is y below the smallest or above the "
    "largest value that it had in the pairs? Then the worst pixel.",
)

EXERCISES = [FIT, AIM, REACH]
