"""Exercises of lesson 15: the order of stages, Jensen, tangents, noise."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pinv_edu.bijections import Gamma
from pinv_edu.exercises import Exercise
from pinv_edu.linear import AveragePool, Blur

Light = Callable[[Tensor], Tensor]

# 15a: a camera from its story


def _story(generator: torch.Generator) -> tuple:
    x, y = torch.rand(2, 2, 1, 4, 4, generator=generator).double()
    kernel = torch.zeros(3, 3).double()
    kernel[1] = torch.rand(3, generator=generator).double() + 0.1
    kernel[1, 1] += 1.5  # so that the lens can be undone
    exponent = 1.5 + float(torch.rand(1, generator=generator))
    lens = Blur((1, 4, 4), kernel / kernel.sum())
    grid = AveragePool((1, 4, 4), 2)
    return x, grid(y), lens, Gamma((1, 4, 4), exponent), grid


def _camera(
    x: Tensor, y: Tensor, lens: Blur, curve: Gamma, grid: AveragePool
) -> tuple[Tensor, Tensor]:
    return grid(curve(lens(x))), lens.pinv(curve.pinv(grid.pinv(y)))


def _curve_first(
    x: Tensor, y: Tensor, lens: Blur, curve: Gamma, grid: AveragePool
) -> tuple[Tensor, Tensor]:
    return grid(lens(curve(x))), curve.pinv(lens.pinv(grid.pinv(y)))


def _undone_forwards(
    x: Tensor, y: Tensor, lens: Blur, curve: Gamma, grid: AveragePool
) -> tuple[Tensor, Tensor]:
    return grid(curve(lens(x))), curve.pinv(lens.pinv(grid.pinv(y)))


def _bent_twice(
    x: Tensor, y: Tensor, lens: Blur, curve: Gamma, grid: AveragePool
) -> tuple[Tensor, Tensor]:
    return grid(curve(lens(x))), lens.pinv(curve(grid.pinv(y)))


def _no_curve_back(
    x: Tensor, y: Tensor, lens: Blur, curve: Gamma, grid: AveragePool
) -> tuple[Tensor, Tensor]:
    return grid(curve(lens(x))), lens.pinv(grid.pinv(y))


ORDER = Exercise(
    key="15a",
    draw=_story,
    solution=_camera,
    mistakes={
        "you bent the picture and then blurred it. Light goes through the "
        "lens before it meets the sensor.": _curve_first,
        "g is right. In the pseudo-inverse you undid the lens before the "
        "curve: what was done last is undone first.": _undone_forwards,
        "g is right. On the way back you bent the values once more; the "
        "curve has an inverse.": _bent_twice,
        "g is right. On the way back you forgot the curve.": _no_curve_back,
    },
    hint="Follow the light through three stages. Then walk back through the "
    "same three, each by its own pinv.",
)

# 15b: the decoded mean of a black and white block


def _block(generator: torch.Generator) -> tuple[float, float]:
    p, more = torch.rand(2, generator=generator).double().tolist()
    return 0.1 + 0.8 * p, 1.2 + 2 * more


BRIGHT = Exercise(
    key="15b",
    draw=_block,
    solution=lambda p, gamma: p ** (1 / gamma) - p,
    mistakes={
        "this is the light that decodes to p, the other way round. What is "
        "the mean of the shown values 0 and 1? Decode that.": (
            lambda p, gamma: p - p**gamma
        ),
        "the sign: for a curve that bends upwards, is the decoded mean too "
        "bright or too dark?": lambda p, gamma: p - p ** (1 / gamma),
        "this is the decoded light. The question was by how much it exceeds "
        "the true mean.": lambda p, gamma: p ** (1 / gamma),
        "you encoded where you should decode: the shown mean is p, not its "
        "power.": lambda p, gamma: p**gamma - p,
    },
    hint="Three numbers: the mean of the light, the mean of what is shown, "
    "and the light that one pixel with this value would have.",
)

# 15c: the tangent as a linear measurement


def _sensor(generator: torch.Generator) -> tuple:
    A = torch.randn(2, 4, generator=generator).double()
    x_0 = torch.randn(4, generator=generator).double()
    a = 1 + float(torch.rand(1, generator=generator))

    def f(x: Tensor) -> Tensor:
        return x + (a * x).sin() / (2 * a)

    return x_0, A, f, lambda x: 1 + (a * x).cos() / 2


def _tangent(
    x_0: Tensor, A: Tensor, f: Light, slope: Light
) -> tuple[Tensor, Tensor]:
    J = A * slope(x_0)
    return J, A @ f(x_0) - J @ x_0


def _through_origin(
    x_0: Tensor, A: Tensor, f: Light, slope: Light
) -> tuple[Tensor, Tensor]:
    return A * slope(x_0), A @ f(x_0)


def _wrong_sign(
    x_0: Tensor, A: Tensor, f: Light, slope: Light
) -> tuple[Tensor, Tensor]:
    J = A * slope(x_0)
    return J, A @ f(x_0) + J @ x_0


def _slope_at_zero(
    x_0: Tensor, A: Tensor, f: Light, slope: Light
) -> tuple[Tensor, Tensor]:
    J = A * slope(torch.zeros_like(x_0))
    return J, A @ f(x_0) - J @ x_0


def _no_slope(
    x_0: Tensor, A: Tensor, f: Light, slope: Light
) -> tuple[Tensor, Tensor]:
    return A, A @ f(x_0) - A @ x_0


TANGENT = Exercise(
    key="15c",
    draw=_sensor,
    solution=_tangent,
    mistakes={
        "J is right. But at x = x_0 your model gives J x_0 too much.": (
            _through_origin
        ),
        "J is right. Check your b: at x = x_0 the model must give g(x_0).": (
            _wrong_sign
        ),
        "your model is right at x_0, but its slope was taken at zero.": (
            _slope_at_zero
        ),
        "your model is right at x_0, and it has forgotten that the curve has "
        "a slope there.": _no_slope,
    },
    hint="g(x) is about g(x_0) + J (x - x_0). Multiply out: what stands "
    "before x, and what is left?",
)

# 15d: noise on its way through the curve


def _pixel(generator: torch.Generator) -> tuple[Tensor, float, float]:
    u = 0.05 + 0.9 * torch.rand(4, generator=generator).double()
    more, noise = torch.rand(2, generator=generator).double().tolist()
    return u, 1.5 + 2 * more, 0.01 + 0.05 * noise


NOISE = Exercise(
    key="15d",
    draw=_pixel,
    solution=lambda u, gamma, sigma: sigma / (gamma * u ** (gamma - 1)),
    mistakes={
        "this is what the curve makes of noise in the light. Here the noise "
        "is in v, and you come back.": (
            lambda u, gamma, sigma: sigma * gamma * u ** (gamma - 1)
        ),
        "you took the slope at v. It belongs to the light u.": (
            lambda u, gamma, sigma: sigma / (gamma * (u**gamma) ** (gamma - 1))
        ),
        "you divided by the value of the curve. Small errors are stretched "
        "by its slope.": lambda u, gamma, sigma: sigma / u**gamma,
        "you decoded the noise as if it were light. It is a small "
        "difference, and differences follow the slope.": (
            lambda u, gamma, sigma: torch.full_like(u, sigma ** (1 / gamma))
        ),
    },
    hint="A small error dv of v is f'(u) du. Solve for du.",
)

EXERCISES = [ORDER, BRIGHT, TANGENT, NOISE]
