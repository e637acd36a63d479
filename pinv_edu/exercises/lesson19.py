"""Exercises of lesson 19: a batch that fits, a careful step, the bill."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from pinv_edu.exercises import Exercise

Net = Callable[[Tensor], Tensor]

# 19a: the largest batch


def _memory(generator: torch.Generator) -> tuple[int, int, int]:
    fixed, each, n, rest = torch.rand(4, generator=generator).tolist()
    fixed, each = int(300 + 700 * fixed), int(100 + 100 * each)
    free = fixed + int(3 + 20 * n) * each + int((0.1 + 0.8 * rest) * each)
    return fixed + each, fixed + 2 * each, free


def _largest(one: int, two: int, free: int) -> int:
    each = two - one
    return max(0, (free - one + each) // each)


BATCH = Exercise(
    key="19a",
    draw=_memory,
    solution=_largest,
    mistakes={
        "you let every picture pay the fixed part again. How much does the "
        "second picture cost?": lambda one, two, free: free // one,
        "half of the memory of two pictures is not what a picture costs: "
        "there is a part that is paid once.": lambda one, two, free: (
            2 * free // two
        ),
        "you know what a picture costs, and forgot the part that is paid "
        "once.": lambda one, two, free: free // (two - one),
        "you took off the memory of a whole first picture, and did not count "
        "that picture.": lambda one, two, free: (free - one) // (two - one),
        "rounded up: the last picture does not fit.": (
            lambda one, two, free: _largest(one, two, free) + 1
        ),
    },
    hint="Two points determine the line: its slope is two - one. Where does "
    "it meet n = 0?",
)

# 19b: one careful step


def _step(generator: torch.Generator) -> tuple:
    def network(x: Tensor) -> Tensor:
        if x.dtype != torch.bfloat16:
            raise TypeError(f"the network takes bfloat16, got {x.dtype}")
        return torch.tanh(0.7 * x)

    A = torch.randn(6, 16, generator=generator)
    x_t = torch.randn(5, 16, generator=generator)
    y = torch.randn(5, 6, generator=generator)
    alpha = 0.3 + 0.4 * float(torch.rand(1, generator=generator))
    return network, x_t, alpha, y, A, torch.linalg.pinv(A)


def _clean(x_t: Tensor, noise: Tensor, alpha: float) -> Tensor:
    return (x_t - (1 - alpha) ** 0.5 * noise) / alpha**0.5


def _project(x: Tensor, y: Tensor, A: Tensor, A_plus: Tensor) -> Tensor:
    return x + (y - x @ A.T) @ A_plus.T


def _careful(
    network: Net, x_t: Tensor, alpha: float, y: Tensor, A: Tensor, P: Tensor
) -> Tensor:
    noise = network(x_t.bfloat16()).float()
    return _project(_clean(x_t, noise, alpha), y, A, P)


def _all_in_half(
    network: Net, x_t: Tensor, alpha: float, y: Tensor, A: Tensor, P: Tensor
) -> Tensor:
    x, y, A, P = (v.bfloat16() for v in (x_t, y, A, P))
    return _project(_clean(x, network(x), alpha), y, A, P).float()


def _no_projection(
    network: Net, x_t: Tensor, alpha: float, y: Tensor, A: Tensor, P: Tensor
) -> Tensor:
    return _clean(x_t, network(x_t.bfloat16()).float(), alpha)


def _stored_in_half(
    network: Net, x_t: Tensor, alpha: float, y: Tensor, A: Tensor, P: Tensor
) -> Tensor:
    return _careful(network, x_t, alpha, y, A, P).bfloat16().float()


def _judge_step(
    result: Tensor,
    network: Net,
    x_t: Tensor,
    alpha: float,
    y: Tensor,
    A: Tensor,
    P: Tensor,
) -> str | None:
    """Any way is right that ends in float32, near ours, and agrees."""
    right = _careful(network, x_t, alpha, y, A, P)
    if not isinstance(result, Tensor) or result.shape != right.shape:
        return f"return a tensor of shape {tuple(right.shape)}."
    if result.dtype != torch.float32:
        return f"your result is {result.dtype}, expected torch.float32."
    if (result @ A.T - y).norm() > 1e-4 * y.norm():
        return "A times your result is not y to float32."
    if (result - right).norm() > 0.03 * right.norm():
        return "it agrees with y, and is not the estimate of the network."
    return None


STEP = Exercise(
    key="19b",
    draw=_step,
    solution=_careful,
    mistakes={
        "you did all of it in 16 bits and called the result float32. Only "
        "the network needs them.": _all_in_half,
        "your estimate has not been projected.": _no_projection,
        "a good projection, rounded to 16 bits at the end: what you hand "
        "over no longer agrees.": _stored_in_half,
    },
    judge=_judge_step,
    hint="Go to bfloat16 for the call of the network, and come back at once.",
)

# 19c: the bill


def _job(generator: torch.Generator) -> tuple[int, int, int, float, float]:
    a, b, c = torch.randint(2, 9, (3,), generator=generator).tolist()
    start, each = (0.1 + torch.rand(2, generator=generator)).tolist()
    return a * b + 1, 10 * c, b, start, each


def _seconds(
    n: int, steps: int, batch: int, start: float, each: float
) -> float:
    return steps * (math.ceil(n / batch) * start + n * each)


TIME = Exercise(
    key="19c",
    draw=_job,
    solution=_seconds,
    mistakes={
        "you rounded the number of batches down: the last pictures are still "
        "waiting.": lambda n, steps, batch, start, each: (
            steps * (n // batch * start + n * each)
        ),
        "there are no fractions of a call: a small last batch pays the whole "
        "start.": lambda n, steps, batch, start, each: (
            steps * (n / batch * start + n * each)
        ),
        "you charged the last batch as if it were full.": (
            lambda n, steps, batch, start, each: (
                steps * math.ceil(n / batch) * (start + batch * each)
            )
        ),
        "you let every picture pay the start of a call. A batch pays it "
        "once.": lambda n, steps, batch, start, each: (
            steps * n * (start + each)
        ),
        "this is the time of one step.": (
            lambda n, steps, batch, start, each: (
                math.ceil(n / batch) * start + n * each
            )
        ),
    },
    hint="Count the calls of one step, then the pictures, then the steps.",
)

EXERCISES = [BATCH, STEP, TIME]
