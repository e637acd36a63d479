"""Exercises of lesson 4: pseudo-inverses and tests without a matrix."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from pinv_edu.exercises import Exercise, same
from pinv_edu.linear import Blur

# 4a: the pseudo-inverse of grayscale with weights


def _gray_case(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    y = torch.randn(2, 1, 6, 6, generator=generator, dtype=torch.float64)
    w = 0.1 + torch.rand(3, generator=generator, dtype=torch.float64)
    return y, w


def _gray_pinv(y: Tensor, w: Tensor) -> Tensor:
    return w[:, None, None] * y / (w**2).sum()


GRAY = Exercise(
    key="4a",
    draw=_gray_case,
    solution=_gray_pinv,
    mistakes={
        "you divided by the sum of the weights. Measure your result: does y "
        "come back? The sum that comes out has squares in it.": (
            lambda y, w: w[:, None, None] * y / w.sum()
        ),
        "you repeated y without the weights. That is consistent only if "
        "they sum to 1, and shortest only if they are equal.": (
            lambda y, w: y.expand(-1, 3, -1, -1)
        ),
        "this is the transpose: the right colour at the wrong length. What "
        "does A Aᵀ do to y?": lambda y, w: w[:, None, None] * y,
        "consistent, but not the shortest: every channel gives the same "
        "share of y. Which channel costs least?": (
            lambda y, w: y / (3 * w[:, None, None])
        ),
    },
    hint="Measure your result with the weights: is it y? Then ask for the "
    "shortest such picture.",
)

# 4b: the adjoint of average pooling


def _pool_case(generator: torch.Generator) -> tuple[Tensor, int]:
    r = int(torch.randint(2, 6, (1,), generator=generator))
    y = torch.randn(2, 3, 4, 4, generator=generator, dtype=torch.float64)
    return y, r


def _repeat(y: Tensor, r: int) -> Tensor:
    return y.repeat_interleave(r, -1).repeat_interleave(r, -2)


POOL = Exercise(
    key="4b",
    draw=_pool_case,
    solution=lambda y, r: _repeat(y, r) / r**2,
    mistakes={
        "you forgot the weight of a pixel in its mean. What you wrote is the "
        "pseudo-inverse: the adjoint is shorter.": _repeat,
        "a block has r pixels on each side. What weight has one pixel in the "
        "mean?": lambda y, r: _repeat(y, r) / r,
        "this tiles the small picture. A value of y belongs to the pixels "
        "of its own block.": lambda y, r: y.repeat(1, 1, r, r) / r**2,
        "the weight is upside down: the adjoint must shrink.": (
            lambda y, r: _repeat(y, r) * r**2
        ),
    },
    hint="Compare (A x · y) with (x · Aᵀ y), both summed over all pixels, "
    "for a picture x with a single white pixel.",
)

# 4c: a test that lets good blurs pass, and only those


def _kernel(generator: torch.Generator, fault: str) -> Tensor:
    """A kernel that keeps constants and is symmetric, or has a fault."""
    half = torch.rand(4, generator=generator, dtype=torch.float64)
    taps = torch.cat([half, half[:3].flip(0)])
    taps = taps / taps.sum()
    if fault == "lost tap":
        taps = torch.cat([taps[:-1], taps.new_zeros(1)])
    if fault == "dark":
        taps = 0.9 * taps
    kernel = F.pad(taps[:, None] * taps, (1, 1, 1, 1))
    return kernel.roll(1, 1) if fault == "moved" else kernel


def _some_blur(
    generator: torch.Generator,
) -> tuple[Callable[[Tensor], Tensor], int]:
    faults = ["none", "none", "lost tap", "dark", "moved"]
    which = int(torch.randint(len(faults), (1,), generator=generator))
    n = 15
    operator = Blur((n, n), _kernel(generator, faults[which]), rcond=0)

    def blur(x: Tensor) -> Tensor:
        y = operator(x.reshape(-1, n, n).double())
        return y.reshape(x.shape).to(x.dtype)

    return blur, n


def _pictures(n: int) -> tuple[Tensor, Tensor]:
    dot = torch.zeros(1, 1, n, n, dtype=torch.float64)
    dot[..., n // 2, n // 2] = 1
    return torch.ones_like(dot), dot


def _keeps_constants(blur: Callable, n: int) -> bool:
    one, _ = _pictures(n)
    return torch.allclose(blur(one), one)


def _symmetric(blur: Callable, n: int) -> bool:
    spot = blur(_pictures(n)[1])
    return torch.allclose(spot, spot.flip((-1, -2)))


TEST = Exercise(
    key="4c",
    draw=_some_blur,
    solution=lambda blur, n: _keeps_constants(blur, n) and _symmetric(blur, n),
    mistakes={
        "a blur that also moves the picture by a pixel passes your test: a "
        "constant picture looks the same after a move.": _keeps_constants,
        "a blur that also darkens the picture passes your test: its spot is "
        "symmetric. What would a constant picture show?": _symmetric,
        "your test lets every blur pass.": lambda blur, n: True,
        "your test lets no blur pass. Did you compare with ==? Rounding "
        "needs a tolerance.": lambda blur, n: False,
    },
    hint="Some blur got the wrong verdict. Test two pictures: a constant one "
    "and one with a single white pixel in the middle.",
)

# 4d: the pseudo-inverse of a mask with half-transparent pixels


def _veil_case(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    y = torch.randn(2, 3, 6, 6, generator=generator, dtype=torch.float64)
    w = torch.randint(3, (6, 6), generator=generator) / 2.0
    return y, w.double()


def _veil_pinv(y: Tensor, w: Tensor) -> Tensor:
    return torch.where(w > 0, y / w, 0.0)


VEIL_HINT = (
    "Treat every pixel as a matrix of one entry. What is the "
    "pseudo-inverse of the number 0?"
)


def _judge_veil(result: Tensor, y: Tensor, w: Tensor) -> str | None:
    result = torch.as_tensor(result)
    if result.shape != y.shape:
        return f"your result has shape {tuple(result.shape)}, not y's."
    if not bool(torch.isfinite(result).all()):
        return "you divided by zero where the mask hides a pixel. " + VEIL_HINT
    return None if same(result, _veil_pinv(y, w), 1e-6) else VEIL_HINT


VEIL = Exercise(
    key="4d",
    draw=_veil_case,
    solution=_veil_pinv,
    judge=_judge_veil,
    mistakes={
        "this is the transpose. A pixel that was darkened to one half comes "
        "back at one quarter.": lambda y, w: w * y,
        "you treat a half-transparent pixel like a clear one: measured "
        "again, it is darkened a second time.": lambda y, w: y * (w > 0),
        "a tiny number in place of 0 turns what should be nothing into "
        "something huge. A hidden pixel gets the value 0.": (
            lambda y, w: y / w.clamp(min=1e-6)
        ),
        "you restored the hidden pixels from y. What does y know about "
        "them?": lambda y, w: torch.where(w > 0, y / w, y),
    },
)

EXERCISES = [GRAY, POOL, TEST, VEIL]
