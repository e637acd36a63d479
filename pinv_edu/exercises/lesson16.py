"""Exercises of lesson 16: honest residuals, a step on a known camera."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from pinv_edu.exercises import Exercise

Map = Callable[[Tensor], Tensor]

# 16a: the residual of the picture that is handed over


def _relative(error: Tensor, y: Tensor) -> Tensor:
    return error.flatten(1).norm(dim=1) / y.flatten(1).norm(dim=1)


def _report_case(g: torch.Generator) -> tuple[Map, Map, Tensor, Tensor]:
    a, b = (1 + torch.rand(2, generator=g).double()).tolist()

    def model(x: Tensor) -> Tensor:
        return (a * F.avg_pool2d(x, 2)).sin()

    def camera(x: Tensor) -> Tensor:
        return (b * F.avg_pool2d(x, 2)).tanh()

    x = 1.5 * torch.randn(4, 1, 6, 6, generator=g).double()
    y = torch.randn(4, 1, 3, 3, generator=g).double()
    return model, camera, x, y * torch.arange(1, 5).reshape(-1, 1, 1, 1)


def _report(
    model: Map, camera: Map, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    shown = x.clamp(-1, 1)
    return _relative(model(shown) - y, y), _relative(camera(shown) - y, y)


def _unclamped(
    model: Map, camera: Map, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    return _relative(model(x) - y, y), _relative(camera(x) - y, y)


def _against_model(
    model: Map, camera: Map, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    seen = model(x.clamp(-1, 1))
    return _relative(seen - y, y), _relative(camera(x.clamp(-1, 1)) - seen, y)


def _absolute(
    model: Map, camera: Map, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    shown = x.clamp(-1, 1)
    return tuple(
        (see(shown) - y).flatten(1).norm(dim=1) for see in (model, camera)
    )


def _all_at_once(
    model: Map, camera: Map, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    shown = x.clamp(-1, 1)
    first, second = ((s(shown) - y).norm() / y.norm() for s in (model, camera))
    return first.expand(len(x)), second.expand(len(x))


REPORT = Exercise(
    key="16a",
    draw=_report_case,
    solution=_report,
    mistakes={
        "you measured a picture that nobody will see: its pixels leave the "
        "range of a picture.": _unclamped,
        "your second number compares the camera with the model. It says how "
        "good the model is there; asked was the distance to y.": (
            _against_model
        ),
        "your numbers are lengths. A bright y has a large residual then, "
        "however good the picture is.": _absolute,
        "one number for the whole batch: a bad picture hides behind the "
        "others.": _all_at_once,
    },
    hint="Clamp first. Then compare what the model, and what the camera, "
    "says of the clamped picture with y, for each picture alone.",
)

# 16b: one gradient step on a camera that is known


def _camera_case(g: torch.Generator) -> tuple[Tensor, Tensor, float, float]:
    x, truth = torch.rand(2, 3, 1, 8, 8, generator=g).double() * 2 - 1
    bend = 1 + float(torch.rand(1, generator=g))
    step = 1 + 2 * float(torch.rand(1, generator=g))
    return x, F.avg_pool2d((bend * truth).tanh(), 2), bend, step


def _spread(v: Tensor, share: float) -> Tensor:
    """Paint each value of ``v`` on a block of 2 x 2 pixels."""
    return share * v.repeat_interleave(2, -1).repeat_interleave(2, -2)


def _slope(x: Tensor, bend: float) -> Tensor:
    return bend * (1 - (bend * x).tanh() ** 2)


def _descend(x: Tensor, y: Tensor, bend: float, step: float) -> Tensor:
    error = y - F.avg_pool2d((bend * x).tanh(), 2)
    return x + step * _slope(x, bend) * _spread(error, 0.25)


def _no_slope(x: Tensor, y: Tensor, bend: float, step: float) -> Tensor:
    error = y - F.avg_pool2d((bend * x).tanh(), 2)
    return x + step * _spread(error, 0.25)


def _uphill(x: Tensor, y: Tensor, bend: float, step: float) -> Tensor:
    return 2 * x - _descend(x, y, bend, step)


def _pinv_of_pool(x: Tensor, y: Tensor, bend: float, step: float) -> Tensor:
    return x + 4 * (_descend(x, y, bend, step) - x)


def _no_bend(x: Tensor, y: Tensor, bend: float, step: float) -> Tensor:
    return x + (_descend(x, y, bend, step) - x) / bend


DESCEND = Exercise(
    key="16b",
    draw=_camera_case,
    solution=_descend,
    mistakes={
        "you carried the error back through the pool and forgot the curve: "
        "each pixel has its own slope.": _no_slope,
        "you walk uphill: the residual grows.": _uphill,
        "you used the pseudo-inverse of the pool. A gradient goes back "
        "through its transpose.": _pinv_of_pool,
        "one factor of the chain rule is missing: the derivative of the "
        "inner function, bend times x.": _no_bend,
    },
    hint="Half the squared residual: error in y, back through the transpose "
    "of the pool, times the slope of the curve at each pixel.",
)

# 16c: what can be known of the camera's residual without the camera


def _sides_case(g: torch.Generator) -> tuple[float, float]:
    left, error = torch.rand(2, generator=g).double().tolist()
    return left, error


def _sides(left: float, error: float) -> tuple[float, float]:
    return abs(left - error), left + error


BOUNDS = Exercise(
    key="16c",
    draw=_sides_case,
    solution=_sides,
    mistakes={
        "the lower end cannot be zero in general: two parts of different "
        "length never cancel.": lambda left, error: (0.0, left + error),
        "a length is never negative: which part is the longer one?": (
            lambda left, error: (left - error, left + error)
        ),
        "you reckon with right angles. Nobody said that the two parts are "
        "perpendicular.": lambda left, error: (
            abs(left - error),
            math.hypot(left, error),
        ),
        "the larger of the two is not the upper end: the parts can point the "
        "same way.": lambda left, error: (
            abs(left - error),
            max(left, error),
        ),
    },
    hint="camera(x) - y = (camera(x) - g(x)) + (g(x) - y): a triangle, of "
    "which you know two sides.",
)

EXERCISES = [REPORT, DESCEND, BOUNDS]
