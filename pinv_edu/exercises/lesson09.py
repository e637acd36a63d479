"""Exercises of lesson 9: units, strength, filling up, noise level."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from pinv_edu.exercises import Exercise


def _uniform(generator: Generator, low: float, high: float) -> float:
    share = torch.rand(1, generator=generator, dtype=torch.float64)
    return float(low + (high - low) * share)


def _values(generator: Generator, count: int) -> Tensor:
    """Singular values between 1e-3 and 1."""
    powers = torch.rand(count, generator=generator, dtype=torch.float64)
    return 10 ** (-3 * powers)


# 9a: a noise level with units


def _draw_camera(generator: Generator) -> tuple[float, int]:
    frames = int(torch.randint(2, 20, (1,), generator=generator))
    return _uniform(generator, 2, 30), frames


UNITS = Exercise(
    key="9a",
    draw=_draw_camera,
    solution=lambda levels, frames: levels / 127.5 / frames**0.5,
    mistakes={
        "this is for pixels in [0, 1]: how long is the range [-1, 1]?": (
            lambda levels, frames: levels / 255 / frames**0.5
        ),
        "averaging divides the variance by the number of frames. What does "
        "it do to the standard deviation?": (
            lambda levels, frames: levels / 127.5 / frames
        ),
        "this is the noise of a single frame.": (
            lambda levels, frames: levels / 127.5
        ),
        "this is the noise of a sum of the frames, not of their average.": (
            lambda levels, frames: levels / 127.5 * frames**0.5
        ),
    },
    hint="255 gray levels are how many units of [-1, 1]?",
)


# 9b: the strength of the back-projection


def _draw_direction(
    generator: Generator,
) -> tuple[Tensor, float, float, float]:
    values = _values(generator, 40)
    s = torch.cat([values, values.new_zeros(1)])
    error = 10 ** _uniform(generator, -1.5, 0.3)
    cover = error * _uniform(generator, 0.4, 2.5)
    return s, error, cover, _uniform(generator, 0.02, 0.2)


def _weighed(s: Tensor, error: float, sigma_y: float) -> Tensor:
    return (s * error) ** 2 / ((s * error) ** 2 + sigma_y**2)


def _strength(
    s: Tensor, error: float, cover: float, sigma_y: float
) -> Tensor:
    whole = s * max(error, cover) >= sigma_y
    return torch.where(whole, 1.0, _weighed(s, error, sigma_y))


STRENGTH = Exercise(
    key="9b",
    draw=_draw_direction,
    solution=_strength,
    mistakes={
        "you weigh everywhere: where is y taken whole?": (
            lambda s, error, cover, sigma_y: _weighed(s, error, sigma_y)
        ),
        "you keep or drop: a noisy direction is weighed, not dropped.": (
            lambda s, error, cover, sigma_y: (
                s * max(error, cover) >= sigma_y
            ).double()
        ),
        "you weigh by standard deviations; the rule weighs by variances.": (
            lambda s, error, cover, sigma_y: torch.where(
                s * max(error, cover) >= sigma_y,
                1.0,
                s * error / (s * error + sigma_y),
            )
        ),
        "one of two reasons is enough to take y whole: you ask for both.": (
            lambda s, error, cover, sigma_y: torch.where(
                s * min(error, cover) >= sigma_y,
                1.0,
                _weighed(s, error, sigma_y),
            )
        ),
    },
    hint="Compare sigma_y / s with the cover and with the error, one by one.",
)


# 9c: what is left of the noise


def _draw_budget(generator: Generator) -> tuple[Tensor, Tensor, float, float]:
    s = _values(generator, 30)
    lam = torch.rand(30, generator=generator, dtype=torch.float64)
    a_next = _uniform(generator, 0.3, 0.95)
    return s, lam, a_next, _uniform(generator, 0.02, 0.2)


def _left(s: Tensor, lam: Tensor, a_next: float, sigma_y: float) -> Tensor:
    carried = a_next * (lam * sigma_y / s) ** 2
    return (1 - a_next - carried).clamp(min=0)


FILL = Exercise(
    key="9c",
    draw=_draw_budget,
    solution=lambda s, lam, a_next, sigma_y: (
        _left(s, lam, a_next, sigma_y).sqrt()
    ),
    mistakes={
        "this is a variance; the noise is multiplied by a standard "
        "deviation.": _left,
        "you subtract standard deviations: which quantity of independent "
        "noises adds up?": (
            lambda s, lam, a_next, sigma_y: (
                (1 - a_next) ** 0.5 - a_next**0.5 * lam * sigma_y / s
            ).clamp(min=0)
        ),
        "the measurement's noise is shrunk with the picture before it "
        "arrives in the next state.": (
            lambda s, lam, a_next, sigma_y: (
                (1 - a_next - (lam * sigma_y / s) ** 2).clamp(min=0).sqrt()
            )
        ),
        "you count the noise of y as if it were followed in full.": (
            lambda s, lam, a_next, sigma_y: (
                _left(s, torch.ones_like(lam), a_next, sigma_y).sqrt()
            )
        ),
        "some of your numbers are not real: what if y brings too much?": (
            lambda s, lam, a_next, sigma_y: (
                1 - a_next - a_next * (lam * sigma_y / s) ** 2
            ).sqrt()
        ),
    },
    hint="Solve the budget for what is added, then take the root.",
)


# 9d: the noise level of a picture


def _draw_picture(generator: Generator) -> tuple[Tensor]:
    """Return a ramp with one bright patch, and white noise."""
    noise = torch.randn(64, 64, generator=generator, dtype=torch.float64)
    ramp = torch.linspace(-0.4, 0.4, 64, dtype=torch.float64)
    picture = ramp[:, None] + 0.5 * ramp
    top, left = torch.randint(5, 30, (2,), generator=generator).tolist()
    picture[top : top + 21, left : left + 25] += 1.0
    return (picture + _uniform(generator, 0.02, 0.1) * noise,)


def _details(y: Tensor) -> Tensor:
    upper, lower = y[0::2], y[1::2]
    change = upper[:, 0::2] - upper[:, 1::2]
    return (change - lower[:, 0::2] + lower[:, 1::2]) / 2


LEVEL = Exercise(
    key="9d",
    draw=_draw_picture,
    solution=lambda y: _details(y).abs().median() / 0.6745,
    mistakes={
        "this is the median itself: it is smaller than the standard "
        "deviation, by a known factor.": (
            lambda y: _details(y).abs().median()
        ),
        "four noises add up in h: you forgot to divide by 2.": (
            lambda y: 2 * _details(y).abs().median() / 0.6745
        ),
        "a standard deviation counts the edges too, and squared: take what "
        "is in the middle.": (lambda y: _details(y).std()),
        "this is the spread of the whole picture, not of its noise.": (
            lambda y: y.std()
        ),
        "without the absolute value the median is near zero.": (
            lambda y: _details(y).median() / 0.6745
        ),
    },
    hint="Look at h of a picture that is noise alone.",
)


EXERCISES = [UNITS, STRENGTH, FILL, LEVEL]
