"""Exercises of lesson 8: masks, null parts, and rulers for restorations."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from pinv_edu.exercises import Exercise


def _pictures(generator: torch.Generator, n: int, *shape: int) -> Tensor:
    size = (n, *shape)
    return torch.randn(size, generator=generator, dtype=torch.float64)


def _whole(generator: torch.Generator, low: int, high: int) -> int:
    return int(torch.randint(low, high, (1,), generator=generator))


# 8a: a hole and its measurement


def _hole_case(g: torch.Generator) -> tuple[Tensor, int, int, int, int]:
    top, left = _whole(g, 3, 5), _whole(g, 0, 3)
    height, width = _whole(g, 2, 4), _whole(g, 4, 6)
    return _pictures(g, 2, 3, 9, 9), top, left, height, width


def _hole(
    x: Tensor, top: int, left: int, height: int, width: int
) -> tuple[Tensor, Tensor]:
    mask = torch.ones(x.shape[-2:], dtype=x.dtype)
    mask[top : top + height, left : left + width] = 0
    return mask, mask * x


def _seen_inside(x: Tensor, *box: int) -> tuple[Tensor, Tensor]:
    mask = 1 - _hole(x, *box)[0]
    return mask, mask * x


def _turned(
    x: Tensor, top: int, left: int, height: int, width: int
) -> tuple[Tensor, Tensor]:
    return _hole(x, left, top, width, height)


def _ends(
    x: Tensor, top: int, left: int, height: int, width: int
) -> tuple[Tensor, Tensor]:
    return _hole(x, top, left, max(height - top, 0), max(width - left, 0))


HOLE = Exercise(
    key="8a",
    draw=_hole_case,
    solution=_hole,
    mistakes={
        "your mask is the complement: it sees the rectangle and nothing "
        "else. Which pixels did the camera lose?": _seen_inside,
        "rows and columns are exchanged. The first index of a picture "
        "counts rows, from the top.": _turned,
        "height and width are lengths. You used them as the end of the "
        "slices.": _ends,
        "the mask is right, but y still holds the lost pixels: it says more "
        "than the camera saw.": lambda x, *box: (_hole(x, *box)[0], x),
    },
    hint="Draw your mask for a rectangle in a corner, and compare y with x.",
)

# 8b: the range part of one picture and the null part of another


def _mix_case(generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
    r = _whole(generator, 2, 5)
    a = _pictures(generator, 2, 1, 4 * r, 3 * r)
    return a, _pictures(generator, 2, 1, 4 * r, 3 * r), r


def _block_means(x: Tensor, r: int) -> Tensor:
    small = F.avg_pool2d(x, r)
    return small.repeat_interleave(r, -1).repeat_interleave(r, -2)


def _mix(a: Tensor, b: Tensor, r: int) -> Tensor:
    return _block_means(a, r) + b - _block_means(b, r)


MIX = Exercise(
    key="8b",
    draw=_mix_case,
    solution=_mix,
    mistakes={
        "the roles are exchanged: your picture measures like b.": (
            lambda a, b, r: _mix(b, a, r)
        ),
        "you added the whole of b: its block means are counted as well. "
        "Measure your picture.": lambda a, b, r: _block_means(a, r) + b,
        "this measures like a, but its details are those of a and b "
        "together. Which part of a may stay?": (
            lambda a, b, r: a + b - _block_means(b, r)
        ),
        "half of each is the mean of two pictures: it measures like "
        "neither.": lambda a, b, r: (a + b) / 2,
    },
    hint="Write a and b as range part plus null part, and take one of each.",
)

# 8c: PSNR of pictures in [-1, 1]


def _psnr_case(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    truth = _pictures(generator, 3, 3, 6, 6).tanh()
    noise = _pictures(generator, 3, 3, 6, 6)
    return truth + 0.3 * noise, truth


def _decibel(peak: float, error: Tensor) -> Tensor:
    return 10 * torch.log10(peak**2 / error)


def _error(x: Tensor, truth: Tensor) -> Tensor:
    return (x.clamp(-1, 1) - truth).flatten(1).square().mean(1)


PSNR = Exercise(
    key="8c",
    draw=_psnr_case,
    solution=lambda x, truth: _decibel(2, _error(x, truth)),
    mistakes={
        "you are 6 dB low for every picture. How far is it from black to "
        "white, when black is -1?": (
            lambda x, truth: _decibel(1, _error(x, truth))
        ),
        "you did not clamp: values that no screen can show are counted as "
        "errors in full.": (
            lambda x, truth: _decibel(2, (x - truth).square().mean((1, 2, 3)))
        ),
        "twice the decibels: 20 is for a ratio of lengths, 10 for a ratio "
        "of squares.": lambda x, truth: 2 * _decibel(2, _error(x, truth)),
        "that is the sign of an error, not of a quality: small errors must "
        "give large numbers.": lambda x, truth: -_decibel(2, _error(x, truth)),
    },
    hint="One mean squared error for each picture; then the squared range "
    "divided by it, in decibels.",
)

# 8d: what the mean of several runs gains


def _runs_case(generator: torch.Generator) -> tuple[Tensor]:
    k = _whole(generator, 3, 7)
    common = 2 * _pictures(generator, 1, 3, 5, 5)
    return (common + _pictures(generator, k, 3, 5, 5),)


GAIN = Exercise(
    key="8d",
    draw=_runs_case,
    solution=lambda runs: (runs - runs.mean(0)).square().mean(),
    mistakes={
        "you divided by K - 1. The equation has 1/K: it is a statement about "
        "these runs, not about runs that were never made.": (
            lambda runs: runs.var(0).mean()
        ),
        "you took the mean over runs and pixels at once. The mean of the "
        "runs is a picture.": (
            lambda runs: (runs - runs.mean()).square().mean()
        ),
        "this is a standard deviation. The equation is about squares.": (
            lambda runs: runs.std(0, unbiased=False).mean()
        ),
        "a sum over the pixels: the mean squared error is a mean.": (
            lambda runs: (runs - runs.mean(0)).square().mean(0).sum()
        ),
    },
    hint="Solve the equation for the difference of the two errors. What is "
    "left does not contain the truth.",
)

EXERCISES = [HOLE, MIX, PSNR, GAIN]
