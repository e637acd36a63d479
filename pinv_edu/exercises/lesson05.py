"""Exercises of lesson 5, "Noise"."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from pinv_edu.exercises import Exercise, same


def _spectrum(generator: Generator, count: int = 8) -> Tensor:
    """Singular values between 1e-3 and 1, and one that is zero."""
    powers = torch.rand(count, generator=generator, dtype=torch.float64)
    return torch.cat([10 ** (-3 * powers), powers.new_zeros(1)])


def _uniform(generator: Generator, low: float, high: float) -> float:
    share = torch.rand(1, generator=generator, dtype=torch.float64)
    return float(low + (high - low) * share)


# 5a: the response of Tikhonov's filter


def _draw_tikhonov(generator: Generator) -> tuple[Tensor, float]:
    return _spectrum(generator), 10 ** _uniform(generator, -3, 0)


TIKHONOV = Exercise(
    key="5a",
    draw=_draw_tikhonov,
    solution=lambda sigma, alpha: sigma**2 / (sigma**2 + alpha),
    mistakes={
        "this is the whole way from y to the estimate: the division by "
        "sigma is in it, and A⁺ has done that already.": (
            lambda sigma, alpha: sigma / (sigma**2 + alpha)
        ),
        "you use the square of alpha: in this lesson alpha is added to "
        "sigma squared as it is.": (
            lambda sigma, alpha: sigma**2 / (sigma**2 + alpha**2)
        ),
        "this is what the filter takes away: it keeps the weak directions "
        "and drops the strong ones.": (
            lambda sigma, alpha: alpha / (sigma**2 + alpha)
        ),
        "the singular values enter the normal equations squared: where do "
        "A'A + alpha I put them?": (
            lambda sigma, alpha: sigma / (sigma + alpha)
        ),
    },
    hint="The response is 1/2 where sigma squared equals alpha, 0 at 0.",
)


# 5b: the noise of each pixel after A+


def _draw_pixels(
    generator: Generator,
) -> tuple[int, Tensor, Tensor, float]:
    factor = int(torch.randint(2, 9, (1,), generator=generator))
    weights = torch.rand(3, generator=generator, dtype=torch.float64) + 0.1
    mask = torch.rand(6, generator=generator, dtype=torch.float64) > 0.5
    mask[0], mask[1] = True, False
    return factor, weights, mask.double(), _uniform(generator, 0.01, 0.2)


def _pixels(
    factor: int, weights: Tensor, mask: Tensor, sigma_y: float
) -> tuple[float, Tensor, Tensor]:
    gray = sigma_y * weights / weights.square().sum()
    return sigma_y, gray, sigma_y * mask


POOL_DIRECTION = (
    "pooling: this is the spread along a whole singular direction; it is "
    "shared by all the pixels of a block."
)
POOL_AVERAGE = (
    "pooling: averaging does not help, the noise came after it. What does "
    "A⁺ do with the value of a block?"
)
GRAY_DIRECTION = (
    "gray: this is the spread along the direction of the weights; how much "
    "of it does each channel get?"
)
GRAY_ADJOINT = (
    "gray: this is the adjoint. A⁺ divides by the squared length of the "
    "weights as well."
)
MASK_HIDDEN = "mask: A⁺ writes nothing into a hidden pixel, noise included."


def _with(**changed: object) -> object:
    """Wrong answers: the right one with one part replaced."""

    def answer(
        factor: int, weights: Tensor, mask: Tensor, sigma_y: float
    ) -> tuple:
        arguments = factor, weights, mask, sigma_y
        names, right = ("pool", "gray", "mask"), _pixels(*arguments)
        return tuple(
            changed[n](*arguments) if n in changed else v
            for n, v in zip(names, right, strict=True)
        )

    return answer


PIXEL_MISTAKES = {
    POOL_DIRECTION: ("pool", lambda r, w, m, s: s * r),
    POOL_AVERAGE: ("pool", lambda r, w, m, s: s / r),
    GRAY_DIRECTION: (
        "gray",
        lambda r, w, m, s: (s / w.norm()).expand(3),
    ),
    GRAY_ADJOINT: ("gray", lambda r, w, m, s: s * w),
    MASK_HIDDEN: ("mask", lambda r, w, m, s: torch.full_like(m, s)),
}


def _judge_pixels(result: object, *arguments: object) -> str | None:
    """Look at the three operators one by one."""
    if not isinstance(result, tuple | list) or len(result) != 3:
        return "return three things: for pooling, for gray, for the mask."
    names, right = ("pool", "gray", "mask"), _pixels(*arguments)
    for name, given, expected in zip(names, result, right, strict=True):
        given = torch.as_tensor(given, dtype=torch.float64)
        if same(given, expected, 1e-6):
            continue
        for words, (which, wrong) in PIXEL_MISTAKES.items():
            if which == name and same(given, wrong(*arguments), 1e-6):
                return words
        return f"{name}: write down A⁺n for one value of n and look at it."
    return None


PIXELS = Exercise(
    key="5b",
    draw=_draw_pixels,
    solution=_pixels,
    mistakes={
        words: _with(**{name: wrong})
        for words, (name, wrong) in PIXEL_MISTAKES.items()
    },
    judge=_judge_pixels,
)


# 5c: the discrepancy principle by bisection


def _draw_data(generator: Generator) -> tuple[Tensor, Tensor, float]:
    count = 40
    sigma = torch.logspace(0, -3, count, dtype=torch.float64)
    sigma_y = _uniform(generator, 0.03, 0.06)
    x, n = torch.randn(2, count, generator=generator, dtype=torch.float64)
    return sigma, sigma * (4 + x) + sigma_y * n, sigma_y


def _residual(sigma: Tensor, beta: Tensor, alpha: float) -> Tensor:
    return (alpha / (sigma**2 + alpha) * beta).norm()


def _bisect(size: object, target: float) -> float:
    """Find the alpha at which an increasing size meets its target."""
    low, high = 1e-12, 1e12
    for _ in range(100):
        alpha = (low * high) ** 0.5
        low, high = (
            (alpha, high) if float(size(alpha)) < target else (low, alpha)
        )
    return alpha


def _discrepancy(sigma: Tensor, beta: Tensor, sigma_y: float) -> float:
    target = sigma_y * len(beta) ** 0.5
    return _bisect(lambda a: _residual(sigma, beta, a), target)


def _judge_alpha(
    result: object, sigma: Tensor, beta: Tensor, sigma_y: float
) -> str | None:
    """Any alpha whose residual is right to a thousandth."""
    alpha = torch.as_tensor(result, dtype=torch.float64)
    if alpha.numel() != 1 or not bool(alpha > 0):
        return "return one positive number, alpha."
    ratio = _residual(sigma, beta, float(alpha)) / sigma_y / len(beta) ** 0.5
    if abs(ratio - 1) < 1e-3:
        return None
    if ratio > 1:
        return "the residual of your alpha is above its target."
    return "the residual of your alpha is below its target."


DISCREPANCY = Exercise(
    key="5c",
    draw=_draw_data,
    solution=_discrepancy,
    mistakes={
        "your target is the noise of a single measurement: how long is the "
        "vector of all of them?": (
            lambda sigma, beta, sigma_y: _bisect(
                lambda a: _residual(sigma, beta, a), sigma_y
            )
        ),
        "lengths of random vectors grow with the square root of their "
        "number of entries, not with the number.": (
            lambda sigma, beta, sigma_y: _bisect(
                lambda a: _residual(sigma, beta, a), sigma_y * len(beta)
            )
        ),
        "you compare a squared residual with a length: square both or none.": (
            lambda sigma, beta, sigma_y: _bisect(
                lambda a: _residual(sigma, beta, a) ** 2,
                sigma_y * len(beta) ** 0.5,
            )
        ),
        "your residual is divided by sigma: that is a change of x, and "
        "the discrepancy is measured in y.": (
            lambda sigma, beta, sigma_y: _bisect(
                lambda a: _residual(sigma, beta / sigma, a),
                sigma_y * len(beta) ** 0.5,
            )
        ),
    },
    judge=_judge_alpha,
    tol=1e-2,
)


# 5d: Landweber's steps as a filter


def _draw_steps(generator: Generator) -> tuple[Tensor, int, float]:
    steps = int(torch.randint(3, 30, (1,), generator=generator))
    return _spectrum(generator), steps, _uniform(generator, 0.3, 1.7)


LANDWEBER = Exercise(
    key="5d",
    draw=_draw_steps,
    solution=lambda sigma, steps, tau: 1 - (1 - tau * sigma**2) ** steps,
    mistakes={
        "this is the share that is still missing after the steps.": (
            lambda sigma, steps, tau: (1 - tau * sigma**2) ** steps
        ),
        "the step goes through A and back through its adjoint: which power "
        "of sigma does that give?": (
            lambda sigma, steps, tau: 1 - (1 - tau * sigma) ** steps
        ),
        "you are one step ahead: after no step at all the estimate, and "
        "the response, are 0.": (
            lambda sigma, steps, tau: 1 - (1 - tau * sigma**2) ** (steps + 1)
        ),
        "you forgot the step size.": (
            lambda sigma, steps, tau: 1 - (1 - sigma**2) ** steps
        ),
    },
    hint="Follow one coordinate: each step shrinks what is missing.",
)


EXERCISES = [TIKHONOV, PIXELS, DISCREPANCY, LANDWEBER]
