"""Exercises of lesson 18: coverage, averaging, ranks, least squares."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from pinv_edu.exercises import Exercise


def _normal(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _share(inside: Tensor) -> Tensor:
    return inside.double().mean()


# 18a: coverage


def _draw_samples(generator: Generator) -> tuple[Tensor, Tensor, float]:
    n = int(torch.randint(9, 20, (1,), generator=generator))
    widths = torch.linspace(0.1, 3, 200, dtype=torch.float64)
    centre = _normal(generator, 200)
    samples = centre + widths * _normal(generator, n, 200)
    truth = centre + 1.3 * widths * _normal(generator, 200)
    k = 1 + torch.rand(1, generator=generator, dtype=torch.float64)
    return samples, truth, float(k)


def _coverage(samples: Tensor, truth: Tensor, k: float) -> Tensor:
    away = (truth - samples.mean(0)).abs()
    return _share(away <= k * samples.std(0))


COVERAGE = Exercise(
    key="18a",
    draw=_draw_samples,
    solution=_coverage,
    mistakes={
        "this is the standard deviation of the mean: how well you know the "
        "mean, not where the truth is.": (
            lambda samples, truth, k: _share(
                (truth - samples.mean(0)).abs()
                <= k * samples.std(0) / len(samples) ** 0.5
            )
        ),
        "you took one standard deviation for all entries: each entry has "
        "its own.": (
            lambda samples, truth, k: _share(
                (truth - samples.mean(0)).abs() <= k * samples.std()
            )
        ),
        "this is a variance: it has not the units of the entries.": (
            lambda samples, truth, k: _share(
                (truth - samples.mean(0)).abs() <= k * samples.var(0)
            )
        ),
        "you look at one side only: the truth can also be too low.": (
            lambda samples, truth, k: _share(
                truth <= samples.mean(0) + k * samples.std(0)
            )
        ),
        "a single sample is not the middle of the interval.": (
            lambda samples, truth, k: _share(
                (truth - samples[0]).abs() <= k * samples.std(0)
            )
        ),
    },
    hint="Mean and standard deviation run over the samples, dimension 0.",
)


# 18b: what averaging buys


def _decibel(ratio: float) -> float:
    return 10 * math.log10(ratio)


AVERAGE = Exercise(
    key="18b",
    draw=lambda generator: (
        int(torch.randint(2, 60, (1,), generator=generator)),
    ),
    solution=lambda n: _decibel(2 / (1 + 1 / n)),
    mistakes={
        "you average the truth's own part away as well: it is the same for "
        "all samples.": lambda n: _decibel(n),
        "one sample is off by 2 V, not by V.": (
            lambda n: _decibel(1 / (1 + 1 / n))
        ),
        "20 log10 is for amplitudes; the errors here are squares.": (
            lambda n: 2 * _decibel(2 / (1 + 1 / n))
        ),
        "this is how much worse the single sample is: mind the sign.": (
            lambda n: -_decibel(2 / (1 + 1 / n))
        ),
    },
    hint="Divide the expected error of one sample by that of the mean.",
)


# 18c: a rank histogram


def _draw_ranks(generator: Generator) -> tuple[Tensor, Tensor]:
    n = int(torch.randint(4, 12, (1,), generator=generator))
    return _normal(generator, 50, n, 6), 1.5 * _normal(generator, 50, 6)


def _counts(ranks: Tensor, bins: int) -> Tensor:
    return torch.bincount(ranks.flatten(), minlength=bins)


def _below(samples: Tensor, truth: Tensor) -> Tensor:
    return (samples < truth[:, None]).sum(1)


RANKS = Exercise(
    key="18c",
    draw=_draw_ranks,
    solution=lambda samples, truth: _counts(
        _below(samples, truth), samples.shape[1] + 1
    ),
    mistakes={
        "you count the samples above the truth: the histogram is turned "
        "round.": (
            lambda samples, truth: _counts(
                (samples > truth[:, None]).sum(1), samples.shape[1] + 1
            )
        ),
        "these are shares; counts were asked for.": (
            lambda samples, truth: (
                _counts(_below(samples, truth), samples.shape[1] + 1)
                / truth.numel()
            )
        ),
        "rank 0 and rank 1 share a bin: n samples leave n + 1 places.": (
            lambda samples, truth: _counts(
                _below(samples, truth).clamp(min=1), samples.shape[1] + 1
            )
        ),
    },
    hint="Compare along the samples, then count how often each rank occurs.",
)


# 18d: one step of least squares


def _draw_step(generator: Generator) -> tuple:
    root = _normal(generator, 6, 6)
    C = root @ root.T / 6 + 0.1 * torch.eye(6, dtype=torch.float64)
    u, J = _normal(generator, 6), _normal(generator, 3, 6)
    sigma = 0.2 + 0.5 * float(torch.rand(1, generator=generator))
    return u, _normal(generator, 3), J, _normal(generator, 3), C, sigma


def _gain(J: Tensor, C: Tensor, noise: float) -> Tensor:
    eye = torch.eye(len(J), dtype=J.dtype)
    return C @ J.T @ torch.linalg.inv(J @ C @ J.T + noise * eye)


STEP = Exercise(
    key="18d",
    draw=_draw_step,
    solution=lambda u, seen, J, y, C, sigma: (
        _gain(J, C, sigma**2) @ (y - seen + J @ u)
    ),
    mistakes={
        "you correct the old state: then the prior pulls towards it, and "
        "not towards its own mean.": (
            lambda u, seen, J, y, C, sigma: (
                u + _gain(J, C, sigma**2) @ (y - seen)
            )
        ),
        "the noise enters by its variance.": (
            lambda u, seen, J, y, C, sigma: (
                _gain(J, C, sigma) @ (y - seen + J @ u)
            )
        ),
        "without noise in the gain the readings are taken as exact.": (
            lambda u, seen, J, y, C, sigma: (
                _gain(J, C, 0.0) @ (y - seen + J @ u)
            )
        ),
        "you forgot what the linear model already explains at u.": (
            lambda u, seen, J, y, C, sigma: _gain(J, C, sigma**2) @ (y - seen)
        ),
        "all states are equally likely for you: where is C?": (
            lambda u, seen, J, y, C, sigma: (
                _gain(J, torch.eye(len(u), dtype=u.dtype), sigma**2)
                @ (y - seen + J @ u)
            )
        ),
    },
    hint="Build K from C, J and the noise, then apply it to one vector.",
)


EXERCISES = [COVERAGE, AVERAGE, RANKS, STEP]
