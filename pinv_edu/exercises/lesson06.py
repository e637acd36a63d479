"""Exercises of lesson 6: denoiser from examples, noise levels, one step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pinv_edu.exercises import Exercise
from pinv_edu.priors import add_noise, clean_estimate


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _between(generator: torch.Generator, low: float, high: float) -> float:
    share = torch.rand((), generator=generator, dtype=torch.float64)
    return low + (high - low) * float(share)


# 6a: the mean of all examples that could have led to x_t


def _examples(generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
    examples = _normal(generator, 30, 4)
    alpha = _between(generator, 0.2, 0.8)
    return (
        add_noise(examples[0], _normal(generator, 4), alpha),
        examples,
        alpha,
    )


def _weighted(
    shrink: Callable[[float], float] = lambda alpha: alpha**0.5,
    spread: Callable[[float], float] = lambda alpha: 2 * (1 - alpha),
) -> Callable[..., Tensor]:
    """Denoiser with a given factor of x_0 and width of the weights."""

    def denoise(x_t: Tensor, examples: Tensor, alpha: float) -> Tensor:
        misfit = (x_t - shrink(alpha) * examples).square().sum(1)
        return (-misfit / spread(alpha)).softmax(0) @ examples

    return denoise


def _nearest(x_t: Tensor, examples: Tensor, alpha: float) -> Tensor:
    misfit = (x_t - alpha**0.5 * examples).square().sum(1)
    return examples[misfit.argmin()]


def _unnormalised(x_t: Tensor, examples: Tensor, alpha: float) -> Tensor:
    misfit = (x_t - alpha**0.5 * examples).square().sum(1)
    return (-misfit / (2 * (1 - alpha))).exp() @ examples


EXAMPLES = Exercise(
    key="6a",
    draw=_examples,
    solution=_weighted(),
    mistakes={
        "every example counts alike. Which of them explain where x_t is, "
        "and which would need an unlikely noise?": (
            lambda x_t, examples, alpha: examples.mean(0)
        ),
        "this is the most probable example, not the mean of all that are "
        "possible.": _nearest,
        "your weights compare x_t with the examples themselves. What does "
        "the forward process do to x_0 before it adds noise?": _weighted(
            shrink=lambda alpha: 1.0
        ),
        "your weights fall too fast: look for the half in the exponent of "
        "the normal density.": _weighted(spread=lambda alpha: 1 - alpha),
        "your weights do not add up to 1. What is the denominator of the "
        "mean for?": _unnormalised,
    },
    hint="Compute the noise that each example would need, then its "
    "probability, then the mean with these weights.",
)

# 6b: a picture with noise of standard deviation sigma as an x_t


def _camera(generator: torch.Generator) -> tuple[Tensor, float]:
    return _normal(generator, 2, 4), _between(generator, 0.2, 0.9)


def _state(x_noisy: Tensor, sigma: float) -> tuple[Tensor, float]:
    alpha = 1 / (1 + sigma**2)
    return alpha**0.5 * x_noisy, alpha


STATE = Exercise(
    key="6b",
    draw=_camera,
    solution=_state,
    mistakes={
        "the noise level is right, but x_t is not: it is the picture as the "
        "camera gave it. How long is x_0 in it, and how long in an x_t?": (
            lambda x, sigma: (x, 1 / (1 + sigma**2))
        ),
        "alpha is right; x_t has shrunk too much. Variance or length?": (
            lambda x, sigma: (x / (1 + sigma**2), 1 / (1 + sigma**2))
        ),
        "you set the variance of the noise in x_t to sigma². But x_t is the "
        "noisy picture *after* shrinking, and the noise shrinks with it.": (
            lambda x, sigma: ((1 - sigma**2) ** 0.5 * x, 1 - sigma**2)
        ),
        "you compare standard deviations where alpha compares variances.": (
            lambda x, sigma: ((1 + sigma) ** -0.5 * x, 1 / (1 + sigma))
        ),
        "you return the root of alpha in place of alpha.": (
            lambda x, sigma: (
                x / (1 + sigma**2) ** 0.5,
                1 / (1 + sigma**2) ** 0.5,
            )
        ),
    },
    hint="Multiply x_noisy by an unknown factor and compare both terms with "
    "those of x_t: two equations for the factor and for alpha.",
)

# 6c: one step with fresh noise

Case = tuple[Tensor, Tensor, float, float, float, Tensor]


def _step_case(generator: torch.Generator) -> Case:
    x_t, noise, z = _normal(generator, 3, 5, 2)
    alpha = _between(generator, 0.1, 0.6)
    alpha_next = _between(generator, alpha + 0.1, 1.2)
    eta = _between(generator, 0.3, 0.9)
    return x_t, noise, alpha, min(alpha_next, 1.0), eta, z


def _step(
    fresh: Callable[[float, float, float], float],
    kept: Callable[[float, float], float] = lambda total, fresh: total - fresh,
) -> Callable[..., Tensor]:
    """Step with given variances of the fresh and the kept noise."""

    def step(
        x_t: Tensor,
        noise: Tensor,
        alpha: float,
        alpha_next: float,
        eta: float,
        z: Tensor,
    ) -> Tensor:
        new = fresh(alpha, alpha_next, eta)
        old = max(kept(1 - alpha_next, new), 0.0)
        clean = alpha_next**0.5 * clean_estimate(x_t, noise, alpha)
        return clean + old**0.5 * noise + new**0.5 * z

    return step


def _variance(alpha: float, alpha_next: float, eta: float) -> float:
    share = (1 - alpha / alpha_next) / (1 - alpha)
    return eta**2 * share * (1 - alpha_next)


STEP = Exercise(
    key="6c",
    draw=_step_case,
    solution=_step(_variance),
    mistakes={
        "the two noises together are too strong: the fresh noise came, and "
        "nothing of the old one left.": _step(
            _variance, kept=lambda total, fresh: total
        ),
        "the formula gives the variance of the fresh noise. By what is z "
        "multiplied?": _step(
            lambda *case: _variance(*case) ** 2,
            kept=lambda total, fresh: total - fresh**0.5,
        ),
        "your fresh noise is that of the published program of DDNM. Here "
        "its share depends on the length of the step.": _step(
            lambda alpha, alpha_next, eta: eta**2 * (1 - alpha_next)
        ),
        "η enters the variance once. Which power has it there?": _step(
            lambda *case: _variance(*case) / case[2]
        ),
        "your last step adds noise. Which factor of the variance is zero "
        "there?": _step(
            lambda alpha, alpha_next, eta: eta**2 * (1 - alpha / alpha_next)
        ),
    },
    hint="Build the step from its three terms: the clean guess, the kept "
    "noise, the fresh noise. Do the squares of the noise factors add up to "
    "1 - alpha_next?",
)

EXERCISES = [EXAMPLES, STATE, STEP]
