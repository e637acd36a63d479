"""Constraints in turn, and linear ones stacked."""

from __future__ import annotations

import pytest
import torch

from pinv_edu import (
    AlternatingProjections,
    AveragePool,
    Chain,
    Gamma,
    GaussianMixturePrior,
    GaussNewtonStep,
    Grayscale,
    Inpainting,
    LinearComposition,
    LinearStack,
    MatrixOperator,
    SurjectiveCoupling,
    check_operator,
    ddnm,
)


def seed(k: int) -> torch.Generator:
    return torch.Generator().manual_seed(k)


def matrix(rows: int, k: int, columns: int = 6) -> MatrixOperator:
    return MatrixOperator(torch.randn(rows, columns, generator=seed(k)))


def vectors(count: int, n: int, k: int) -> torch.Tensor:
    return torch.randn(count, n, generator=seed(k)).double()


def pair() -> tuple[MatrixOperator, MatrixOperator]:
    return matrix(2, 0), matrix(3, 1)


def test_a_stack_is_a_linear_operator_with_its_true_inverse() -> None:
    stack = LinearStack(*pair())
    check_operator(stack, vectors(4, 6, 2), tol=1e-10)
    y = vectors(4, 5, 3)
    dense = torch.cat([a(torch.eye(6).double()).T for a in pair()])
    torch.testing.assert_close(stack.pinv(y), y @ torch.linalg.pinv(dense).T)
    torch.testing.assert_close(stack.adjoint(y), y @ dense)


def test_a_stack_takes_operators_on_pictures() -> None:
    shape = (3, 8, 8)
    light = LinearComposition(Grayscale(shape), AveragePool((1, 8, 8), 2))
    stack = LinearStack(AveragePool(shape, 4), light)
    x = torch.randn(2, *shape, generator=seed(0)).double()
    assert stack(x).shape == (2, 12 + 16)
    check_operator(stack, x, tol=1e-8)


def test_sweeps_converge_to_the_inverse_of_the_stack() -> None:
    stack = LinearStack(*pair())
    turns = AlternatingProjections(*pair(), sweeps=400)
    x, y = vectors(4, 6, 2), stack(vectors(4, 6, 3))
    torch.testing.assert_close(turns.project(x, y), stack.project(x, y))
    torch.testing.assert_close(turns.pinv(y), stack.pinv(y))
    torch.testing.assert_close(turns(x), stack(x))


def test_the_rate_is_the_squared_cosine_of_the_angle() -> None:
    angle = torch.tensor(0.6)
    flat = MatrixOperator([[0.0, 1.0]])
    steep = MatrixOperator([[-float(angle.sin()), float(angle.cos())]])
    turns = AlternatingProjections(flat, steep, sweeps=8)
    left = turns.residuals(vectors(3, 2, 0), torch.zeros(3, 2).double())
    assert left.shape == (9, 2, 3)
    ratio = left[2:, 0] / left[1:-1, 0]
    wanted = torch.full_like(ratio, float(angle.cos() ** 2))
    torch.testing.assert_close(ratio, wanted, rtol=1e-6, atol=0)
    assert left[1:, 1].max() < 1e-14  # the last one is met at once


def test_contradictions_leave_the_last_one_right() -> None:
    flat = MatrixOperator([[0.0, 1.0]])
    turns = AlternatingProjections(flat, flat)
    y = turns.join(torch.zeros(1, 1), torch.ones(1, 1)).double()
    left = turns.residuals(vectors(1, 2, 0), y)
    assert left[-1, :, 0].tolist() == pytest.approx([1, 0])
    middle = LinearStack(flat, flat).project(vectors(1, 2, 0), y)
    assert float(middle[0, 1]) == pytest.approx(0.5)


def bent() -> SurjectiveCoupling:
    torch.manual_seed(0)
    block = SurjectiveCoupling((4,), 1, hidden=8)
    for weight in block.parameters():
        torch.nn.init.normal_(weight, std=0.3, generator=seed(1))
    return block.double().requires_grad_(False)


def test_bent_constraints_converge_and_the_last_is_exact() -> None:
    g, A = bent(), matrix(1, 5, columns=4)
    turns = AlternatingProjections(g, A, sweeps=60)
    x, truth = vectors(5, 4, 2), vectors(5, 4, 3)
    left = turns.residuals(x, turns(truth))
    assert left[1:, 1].max() < 1e-12
    assert left[-1, 0].max() < 1e-3 * left[0, 0].max()
    swapped = AlternatingProjections(A, g, sweeps=60)
    assert swapped.residuals(x, swapped(truth))[-1, 1].max() < 1e-12


def test_a_gauss_newton_step_is_the_shortest_to_first_order() -> None:
    A = matrix(2, 0)
    step, x, y = GaussNewtonStep(A), vectors(4, 6, 2), vectors(4, 2, 3)
    torch.testing.assert_close(step.project(x, y), A.project(x, y))
    half = torch.tensor([0.5, 0.5, 1.0, 0.0]).double()
    torch.testing.assert_close(step.project(x, y, half), A.project(x, y, half))
    g = bent()
    near = GaussNewtonStep(g)
    x = vectors(3, 4, 2)
    y = g(x) + 1e-4
    moved, swapped = near.project(x, y), g.project(x, y)
    assert (g(moved) - y).abs().max() < 1e-6
    assert ((moved - x).norm(dim=1) <= (swapped - x).norm(dim=1)).all()
    check_operator(near.operator, x, tol=1e-10)
    assert torch.equal(near(x), g(x))
    torch.testing.assert_close(near.complete_inverse(*near.complete(x)), x)
    assert near.null_code(y).shape == g.null_code(y).shape
    with pytest.raises(ValueError, match="vector"):
        GaussNewtonStep(AveragePool((3, 8, 8), 2))


def test_shortest_moves_converge_where_swaps_may_not() -> None:
    g, A = bent(), matrix(1, 5, columns=4)
    turns = AlternatingProjections(GaussNewtonStep(g), A, sweeps=60)
    x, truth = vectors(5, 4, 2), vectors(5, 4, 3)
    left = turns.residuals(x, turns(truth))
    assert left[-1, 0].max() < 1e-6 * left[0, 0].max()


def test_strength_code_and_split() -> None:
    g, A = bent(), matrix(1, 5, columns=4)
    turns = AlternatingProjections(g, A, sweeps=2)
    x, y = vectors(5, 4, 2), turns(vectors(5, 4, 3))
    torch.testing.assert_close(turns.project(x, y, 0.0), x)
    code = turns.null_code(y)
    same = turns.project(x, y, code=code)
    torch.testing.assert_close(same, turns.project(x, y))
    parts = turns.split(y)
    assert [p.shape for p in parts] == [(5, 1), (5, 1)]
    assert torch.equal(turns.join(*parts), y)
    half = AlternatingProjections(A, sweeps=2).project(x, parts[1], 0.5)
    torch.testing.assert_close(A(half) - parts[1], (A(x) - parts[1]) / 4)


def test_the_sampler_takes_constraints() -> None:
    prior = GaussianMixturePrior(torch.zeros(1, 2), torch.eye(2)[None])
    first, second = MatrixOperator([[1.0, 0.0]]), MatrixOperator([[1.0, 1.0]])
    turns = AlternatingProjections(first, second, sweeps=60)
    y = turns.join(torch.ones(3, 1), 3 * torch.ones(3, 1)).double()
    x = ddnm(prior, turns, y, steps=5, generator=seed(0), progress=False)
    wanted = torch.tensor([[1.0, 2.0]]).double().expand(3, 2)
    torch.testing.assert_close(x, wanted, rtol=0, atol=1e-6)


def test_errors_say_what_is_wrong() -> None:
    shape = (3, 8, 8)
    pool, curve = AveragePool(shape, 2), Gamma(shape, 2.2)
    with pytest.raises(ValueError, match="at least one"):
        AlternatingProjections()
    with pytest.raises(ValueError, match="same shape of x"):
        AlternatingProjections(pool, AveragePool((1, 8, 8), 2))
    with pytest.raises(ValueError, match="positive integer"):
        AlternatingProjections(pool, sweeps=0)
    with pytest.raises(TypeError, match="PseudoInvertible"):
        AlternatingProjections(torch.nn.Identity())
    with pytest.raises(TypeError, match="AlternatingProjections"):
        LinearStack(Chain(curve, pool))
    turns = AlternatingProjections(pool, Inpainting(shape, torch.ones(8, 8)))
    with pytest.raises(ValueError, match="one measurement for each"):
        turns.join(torch.zeros(1, 3, 4, 4))
    with pytest.raises(ValueError, match="must have shape"):
        turns.join(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4))
    with pytest.raises(NotImplementedError, match="LinearStack"):
        turns.complete(torch.zeros(1, *shape))
    with pytest.raises(NotImplementedError, match="LinearStack"):
        turns.complete_inverse(torch.zeros(1, 240), ())
