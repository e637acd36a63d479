"""Burgers' equation against an exact solution; the network on a ring."""

from __future__ import annotations

import math

import pytest
import torch

from pinv_edu import check_operator
from pinv_edu.burgers import burgers, state_covariance
from pinv_edu.spnn.ring import RingFold, cosines, ring_surrogate

STATES = torch.randn(
    5, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64
)


def cole_hopf(n: int, time: float, viscosity: float) -> torch.Tensor:
    """u = -2 ν φ'/φ for φ = 1.5 + exp(-4 π² ν t) cos 2 π x."""
    x = 2 * math.pi * torch.arange(n, dtype=torch.float64) / n
    decay = math.exp(-4 * math.pi**2 * viscosity * time)
    phi = 1.5 + decay * x.cos()
    return (4 * math.pi * viscosity * decay * x.sin() / phi)[None]


def miss(n: int) -> float:
    start, end = cole_hopf(n, 0.0, 0.05), cole_hopf(n, 0.5, 0.05)
    made = burgers(start, viscosity=0.05, time=0.5, steps=800)
    return float((made - end).abs().max() / end.abs().max())


def test_burgers_meets_the_exact_solution_in_second_order() -> None:
    coarse, fine = miss(32), miss(64)
    assert fine < 2e-3
    assert 3.5 < coarse / fine < 4.5


def test_burgers_keeps_the_mean_and_adds_no_energy() -> None:
    end = burgers(STATES, steps=200)
    assert torch.allclose(end.mean(1), STATES.mean(1), atol=1e-13)
    assert bool((end.norm(dim=1) < STATES.norm(dim=1)).all())


def test_burgers_turns_with_the_ring_and_is_not_linear() -> None:
    turned = burgers(STATES.roll(5, 1), steps=200)
    assert torch.allclose(turned, burgers(STATES, steps=200).roll(5, 1))
    double = burgers(2 * STATES, steps=400)
    assert not torch.allclose(double, 2 * burgers(STATES, steps=400), rtol=0.1)


def test_burgers_derivative() -> None:
    u = STATES[:1, :8].clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda v: burgers(v, steps=5), u)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"steps": 0}, "steps must be positive"),
        ({"viscosity": -1.0}, "viscosity must be positive"),
        ({"time": float("nan")}, "time must be positive"),
        ({"viscosity": 0.2, "steps": 10}, "at least 328 steps"),
        ({"u": torch.zeros(64)}, "shape"),
    ],
)
def test_burgers_says_what_is_wrong(given: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        burgers(**{"u": STATES} | given)
    with pytest.raises(TypeError):
        burgers(torch.zeros(1, 64, dtype=torch.int64))


def test_state_covariance() -> None:
    C = state_covariance(size=0.7)
    assert torch.allclose(C.diagonal(), torch.full((64,), 0.49).double())
    assert torch.allclose(C, C.roll((1, 1), (0, 1)), atol=1e-12)
    assert torch.allclose(C.sum(0), torch.zeros(64).double(), atol=1e-12)
    assert int(torch.linalg.matrix_rank(C, hermitian=True)) == 32


@pytest.mark.parametrize("given", [{"waves": 32}, {"size": 0.0}, {"waves": 0}])
def test_state_covariance_says_what_is_wrong(given: dict) -> None:
    with pytest.raises(ValueError, match="2 waves < points"):
        state_covariance(**given)


def test_fold_is_a_permutation_that_turns() -> None:
    fold = RingFold(12, 3)
    x = STATES[:, :12]
    y = fold(x)
    assert y.shape == (5, 3, 1, 4)
    assert float(y[0, 2, 0, 1]) == float(x[0, 5])
    assert torch.equal(fold.inverse(y), x)
    assert torch.equal(fold(x.roll(3, 1)), y.roll(1, 3))
    assert torch.equal(fold.log_det(x), torch.zeros(5).double())
    with pytest.raises(ValueError, match="does not divide"):
        RingFold(12, 5)


def bent(points: int, sensors: int) -> torch.nn.Module:
    g = ring_surrogate(points, sensors, hidden=8)
    generator = torch.Generator().manual_seed(1)
    for weight in g.parameters():
        noise = torch.randn(weight.shape, generator=generator)
        weight.data = weight + 0.2 * noise
    return g.requires_grad_(False)


@pytest.mark.parametrize("sensors", [16, 32])
def test_surrogate_has_the_laws_and_turns(sensors: int) -> None:
    g, c = bent(64, sensors), 64 // sensors
    check_operator(g)
    seen = g(STATES)
    assert torch.allclose(g(STATES.roll(c, 1)), seen.roll(1, 1))
    made = g.project(STATES, seen.roll(3, 1))
    assert torch.allclose(g(made), seen.roll(3, 1), atol=1e-9)


def test_surrogate_begins_as_block_means_and_repeats() -> None:
    g = ring_surrogate(60, 12)
    means = STATES[:, :60].reshape(5, 12, 5).mean(2)
    assert torch.allclose(g(STATES[:, :60]), means, atol=0.1)
    eye = cosines(5) @ cosines(5).T
    assert torch.allclose(eye, torch.eye(5).double())
    again = ring_surrogate(60, 12)
    for a, b in zip(g.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("sensors", [0, 7, 64])
def test_surrogate_says_what_is_wrong(sensors: int) -> None:
    with pytest.raises(ValueError, match="sensors must divide points"):
        ring_surrogate(64, sensors)
