"""The camera of lesson 14: what it does, and that it hides how."""

from __future__ import annotations

import math

import pytest
import torch

from pinv_edu import BlackBoxCamera, PseudoInvertible, held_out

F64 = torch.float64


@pytest.fixture(scope="module")
def camera() -> BlackBoxCamera:
    return BlackBoxCamera((1, 28, 28))


def test_it_gives_a_quarter_of_the_pixels_in_64_levels(camera) -> None:
    y = camera(held_out("fashion-mnist", 64))
    assert y.shape == (64, 1, 14, 14) and y.dtype == torch.float32
    assert y.min() == -1 and y.max() <= 1
    steps = (y + 1) / 2 * 63
    assert torch.allclose(steps, steps.round(), atol=1e-4)
    assert 40 < len(steps.round().unique()) <= 64


def test_rounding_costs_about_one_percent(camera) -> None:
    x = held_out("fashion-mnist", 64, dtype=torch.float64)
    error = (camera(x) - camera.smooth(x)).abs()
    assert error.max() <= 1 / 63 + 1e-12
    assert 0.005 < error.norm() / camera(x).norm() < 0.015


def test_a_grey_chart_is_bent_and_darker_towards_the_corners(camera) -> None:
    v = math.tanh(1.5 * 0.4) / math.tanh(1.5)
    y = camera.smooth(torch.full((1, 1, 28, 28), 0.4, dtype=F64))[0, 0]
    for i, j in ((0, 0), (6, 3), (13, 7)):
        places = [
            1 - 0.45 * (a * a + b * b) / 2
            for a in (4 * i / 27 - 1, (4 * i + 2) / 27 - 1)
            for b in (4 * j / 27 - 1, (4 * j + 2) / 27 - 1)
        ]
        assert math.isclose(
            y[i, j], (v + 1) * sum(places) / 4 - 1, rel_tol=1e-12
        )


def test_a_bright_dot_is_blurred_by_a_gaussian(camera) -> None:
    x = torch.zeros(1, 1, 28, 28).double()
    seen = camera.smooth(x)
    x[0, 0, 14, 14] = 1.0
    spread = (camera.smooth(x) - seen)[0, 0] / camera.light[::2, ::2]
    assert int((spread.abs() > 1e-9).sum()) == 9  # 5 x 5 on large pixels
    g = [math.exp(-k * k / 2) for k in range(-2, 3)]
    own = (g[2] + g[3]) ** 2 / sum(g) ** 2 / 4  # a dot at an even place
    assert math.isclose(float(spread[7, 7]), own, rel_tol=0.02)


def test_black_stays_black_and_channels_do_not_mix() -> None:
    camera = BlackBoxCamera((3, 8, 12))
    x = -torch.ones(2, 3, 8, 12)
    assert torch.equal(camera(x), -torch.ones(2, 3, 4, 6))
    x[0, 1] = 0.7
    y = camera(x)
    assert y[0, 1].min() > -1
    assert bool((y[0, [0, 2]] == -1).all() and (y[1] == -1).all())


def test_it_is_a_black_box(camera) -> None:
    assert not isinstance(camera, PseudoInvertible)
    assert not list(camera.parameters())
    x = held_out("fashion-mnist", 2).requires_grad_(True)
    assert not camera(x).requires_grad
    camera.smooth(x).sum().backward()
    assert x.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.zeros(1, 28, 28), "add the batch dimension"),
        (torch.zeros(2, 1, 14, 14), r"\(B, 1, 28, 28\)"),
        (torch.full((1, 1, 28, 28), math.nan), "NaN"),
    ],
)
def test_wrong_pictures_are_refused(camera, x, words) -> None:
    with pytest.raises(ValueError, match=words):
        camera(x)
    with pytest.raises(TypeError, match="float"):
        camera(torch.zeros(1, 1, 28, 28).long())


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="does not divide"):
        BlackBoxCamera((1, 27, 28))
    with pytest.raises(ValueError, match="3 dimensions"):
        BlackBoxCamera((28, 28))
