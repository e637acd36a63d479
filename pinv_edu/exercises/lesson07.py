"""Exercises of lesson 7: the step of DDNM, its price, exact weights."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from pinv_edu.exercises import Exercise

# 7a: one step of DDNM


def _state(generator: torch.Generator) -> tuple:
    options = {"generator": generator, "dtype": torch.float64}
    x_t, noise, z = torch.randn(3, 5, 4, **options)
    y, A = torch.randn(5, 2, **options), torch.randn(2, 4, **options)
    a, more, eta = torch.rand(3, **options).tolist()
    a = 0.1 + 0.7 * a
    a_next = a + (1 - a) * (0.1 + 0.8 * more)
    return x_t, noise, z, y, A, torch.linalg.pinv(A), a, a_next, eta


def _clean(x_t: Tensor, noise: Tensor, a: float) -> Tensor:
    return (x_t - (1 - a) ** 0.5 * noise) / a**0.5


def _fit(x: Tensor, y: Tensor, A: Tensor, pinv: Tensor) -> Tensor:
    return x + (y - x @ A.T) @ pinv.T


def _mix(noise: Tensor, z: Tensor, eta: float) -> Tensor:
    return eta * z + (1 - eta**2) ** 0.5 * noise


def _join(x_0: Tensor, noise: Tensor, a_next: float) -> Tensor:
    return a_next**0.5 * x_0 + (1 - a_next) ** 0.5 * noise


class _Case(NamedTuple):
    """Arguments of exercise 7a, by name."""

    x_t: Tensor
    noise: Tensor
    z: Tensor
    y: Tensor
    A: Tensor
    pinv: Tensor
    a: float
    a_next: float
    eta: float

    def clean(self) -> Tensor:
        return _clean(self.x_t, self.noise, self.a)

    def fit(self, x: Tensor) -> Tensor:
        return _fit(x, self.y, self.A, self.pinv)

    def mixed(self) -> Tensor:
        return _mix(self.noise, self.z, self.eta)


def _step(*args: Any) -> Tensor:
    c = _Case(*args)
    return _join(c.fit(c.clean()), c.mixed(), c.a_next)


def _no_projection(*args: Any) -> Tensor:
    c = _Case(*args)
    return _join(c.clean(), c.mixed(), c.a_next)


def _project_state(*args: Any) -> Tensor:
    c = _Case(*args)
    return _no_projection(c.fit(c.x_t), *args[1:])


def _project_after(*args: Any) -> Tensor:
    return _Case(*args).fit(_no_projection(*args))


def _linear_mix(*args: Any) -> Tensor:
    c = _Case(*args)
    mixed = c.eta * c.z + (1 - c.eta) * c.noise
    return _join(c.fit(c.clean()), mixed, c.a_next)


def _same_time(*args: Any) -> Tensor:
    c = _Case(*args)
    return _join(c.fit(c.clean()), c.mixed(), c.a)


STEP = Exercise(
    key="7a",
    draw=_state,
    solution=_step,
    mistakes={
        "this is the walk of lesson 6: y does not enter.": _no_projection,
        "you projected x_t. Of which picture is y a measurement, the clean "
        "or the noisy one?": _project_state,
        "you projected after adding the noise. The measured part then has "
        "no noise, and the next estimate expects some.": _project_after,
        "old and fresh noise with weights that sum to one: then the "
        "variances do not. Which weights keep the variance?": _linear_mix,
        "your state has as much noise as before: at which time must it "
        "arrive?": _same_time,
    },
    hint="Three lines: the clean estimate, its back-projection, and noise "
    "for the next time. Compare them one by one with the formulas.",
)

# 7b: network calls with time travel


def _trip(generator: torch.Generator) -> tuple[int, int, int]:
    steps = int(torch.randint(20, 300, (1,), generator=generator))
    length = int(torch.randint(2, 9, (1,), generator=generator))
    repeat = int(torch.randint(2, 6, (1,), generator=generator))
    return steps, length, repeat


def _jumps(steps: int, length: int) -> int:
    return len(range(0, steps - length, length))


CALLS = Exercise(
    key="7b",
    draw=_trip,
    solution=lambda s, n, r: s + (r - 1) * n * _jumps(s, n),
    mistakes={
        "r visits mean r - 1 repetitions: the first one is the walk "
        "itself.": lambda s, n, r: s + r * n * _jumps(s, n),
        "each climb has to be walked down again: how many calls is "
        "that?": lambda s, n, r: s + (r - 1) * _jumps(s, n),
        "this counts the repetitions alone. The plain walk needs calls as "
        "well.": lambda s, n, r: (r - 1) * n * _jumps(s, n),
        "this repeats the whole walk. The highest indices are visited only "
        "once: where is the first jump point?": lambda s, n, r: s * r,
    },
    hint="Count the jump points, then the calls that one jump costs.",
    tol=1e-12,
)

# 7c: posterior weights of K points


def _points(generator: torch.Generator) -> tuple:
    options = {"generator": generator, "dtype": torch.float64}
    points, A = torch.randn(5, 3, **options), torch.randn(2, 3, **options)
    w = 0.1 + torch.rand(5, **options)
    sigma = float(0.7 + torch.rand(1, **options))
    y = A @ points[0] + sigma * torch.randn(2, **options)
    return points, w / w.sum(), A, y, sigma


def _fitness(points: Tensor, A: Tensor, y: Tensor, scale: float) -> Tensor:
    return torch.exp(-((y - points @ A.T) ** 2).sum(1) / scale)


def _normal(weights: Tensor) -> Tensor:
    return weights / weights.sum()


WEIGHTS = Exercise(
    key="7c",
    draw=_points,
    solution=lambda points, w, A, y, sigma: _normal(
        w * _fitness(points, A, y, 2 * sigma**2)
    ),
    mistakes={
        "you weighed the points by how well they explain y, and forgot how "
        "probable they were before.": lambda points, w, A, y, sigma: _normal(
            _fitness(points, A, y, 2 * sigma**2)
        ),
        "the proportions are right, the sum is not one.": (
            lambda points, w, A, y, sigma: (
                w * _fitness(points, A, y, 2 * sigma**2)
            )
        ),
        "the half of the normal density is missing: what stands below the "
        "square in its exponent?": lambda points, w, A, y, sigma: _normal(
            w * _fitness(points, A, y, sigma**2)
        ),
        "sigma is a standard deviation; the exponent needs a variance.": (
            lambda points, w, A, y, sigma: _normal(
                w * _fitness(points, A, y, 2 * sigma)
            )
        ),
    },
    hint="Prior times likelihood, then divide by the sum.",
)

# 7d: the published eta that keeps a wanted share of the spread


def _share(generator: torch.Generator) -> tuple[float]:
    return (0.75 + 0.24 * float(torch.rand(1, generator=generator)),)


ETA = Exercise(
    key="7d",
    draw=_share,
    solution=lambda f: (1 - (2 * f**2 - 1) ** 2) ** 0.5,
    mistakes={
        "the formula is about the variance, f about the standard "
        "deviation.": lambda f: (1 - (2 * f - 1) ** 2) ** 0.5,
        "this is η². Take the root.": lambda f: 1 - (2 * f**2 - 1) ** 2,
        "this is √(1 - η²), the weight of the old noise.": (
            lambda f: 2 * f**2 - 1
        ),
        "you put f into the formula in the place of η. Solve it for "
        "η.": lambda f: (1 + (1 - f**2) ** 0.5) / 2,
    },
    hint="Put your η into the formula: is the result f²?",
)

EXERCISES = [STEP, CALLS, WEIGHTS, ETA]
