"""Noise behind a curve, direction by direction."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import pinv_edu as pe
from pinv_edu.metrics import psnr
from pinv_edu.sampling import (
    Move,
    ddnm,
    response_rule,
    scalar_rule,
    spectral_rule,
)
from pinv_edu.sampling.response import Response, needs_directions

F64 = torch.float64
SHAPE = (1, 16, 16)
MOVES = [Move(900, 0.05, 0.1, True), Move(40, 0.9, 0.95, True),
         Move(0, 0.99, 1.0, True)]  # fmt: skip


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=F64)


def blur(shape: tuple[int, ...] = SHAPE) -> pe.SeparableBlur:
    kernel = pe.gaussian_kernel(5, 1.0)
    return pe.SeparableBlur(shape, kernel, kernel)


@pytest.mark.parametrize("move", MOVES)
def test_a_curve_that_is_none_gives_the_spectral_rule(move, monkeypatch):
    """The slope, measured by a draw, is near 1; with 1 the rules are one."""
    A, sigma_y = blur(), 0.1
    y = A(randn(64, *SHAPE)) + sigma_y * randn(64, *SHAPE, seed=1)
    x0 = randn(64, *SHAPE, seed=2)
    exact = spectral_rule(A, y, 0.85, sigma_y).project(x0, move)
    chain = pe.Chain(pe.Identity(SHAPE), A)
    f = Response(pe.Chain(pe.Identity(SHAPE)), seeded())
    assert f.slope(x0, sigma_y) == pytest.approx(1, abs=0.02)
    monkeypatch.setattr(Response, "slope", lambda self, x, noise: 1.0)
    ours = response_rule(chain, y, 0.85, sigma_y, generator=seeded())
    assert torch.allclose(ours.project(x0, move), exact, atol=1e-9)


@pytest.mark.parametrize("move", MOVES)
def test_the_variance_is_filled_up(move):
    A, sigma_y = blur(), 0.05
    curve = pe.SensorResponse(SHAPE)
    x = 0.3 * randn(64, *SHAPE)
    chain = pe.Chain(curve, A)
    rule = response_rule(chain, chain(x), 0.85, sigma_y, generator=seeded())
    hat = rule.project(x, move)
    # The estimate is right and y without noise: nothing moves.
    assert torch.allclose(hat, x, atol=1e-9)
    total = 1 - move.alpha_next
    added = float(rule.spread(randn(64, *SHAPE, seed=3), move).var())
    assert 0 <= added <= 1.05 * total
    if move.t == 900:  # noise enough to cover what y brings
        assert added > 0.5 * total
    if move.t == 0:
        assert added == 0


def test_it_is_used_where_directions_differ():
    curve = pe.SensorResponse(SHAPE)
    assert needs_directions(pe.Chain(curve, blur()))
    for other in (blur(), pe.Chain(blur()), pe.Chain(blur(), curve),
                  pe.Chain(curve, pe.AveragePool(SHAPE, 4))):  # fmt: skip
        assert not needs_directions(other)
    with pytest.raises(ValueError, match="use scalar_rule"):
        response_rule(pe.Chain(blur(), curve), randn(1, *SHAPE), 1.0, 0.1)


def test_it_restores_what_one_number_for_all_does_not(monkeypatch):
    prior = pe.load_prior("fashion-mnist")
    A = pe.Chain(pe.SensorResponse(prior.shape), blur(prior.shape))
    x, sigma_y = pe.held_out("fashion-mnist", 4), 0.05
    noise = torch.randn(x.shape, generator=seeded(1))

    def restored() -> float:
        result = ddnm(
            prior, A, A(x) + sigma_y * noise, steps=20, eta=1.0,
            sigma_y=sigma_y, generator=seeded(), progress=False,
        )  # fmt: skip
        return float(psnr(result, x).mean())

    ours = restored()
    monkeypatch.setattr(
        "pinv_edu.sampling.samplers.response_rule", scalar_rule
    )
    assert ours > restored() + 1


def test_strength_scales_the_step():
    A, sigma_y, move = blur(), 0.05, MOVES[0]
    chain = pe.Chain(pe.Identity(SHAPE), A)
    y, x0 = A(randn(2, *SHAPE)), randn(2, *SHAPE, seed=2)
    half, whole = (
        response_rule(chain, y, 1.0, sigma_y, strength, seeded()).project(
            x0, move
        )
        - x0
        for strength in (0.5, 1.0)
    )
    assert torch.allclose(half, whole / 2, atol=1e-12)
