"""Chains: one completion made of many, on non-linear stages of our own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pinv_edu import (
    AveragePool,
    BlockSensing,
    Blur,
    Chain,
    Grayscale,
    Identity,
    Inpainting,
    LinearComposition,
    LinearOperator,
    MatrixOperator,
    PseudoInvertible,
    WalshHadamard,
    check_operator,
    penrose_residuals,
)
from pinv_edu.codes import combine

STRENGTHS = [0.0, 0.3, 1.0, 1.7]
COMPLETIONS = ["raw", "centred"]


class Bijection(PseudoInvertible):
    """Loses nothing: the null coordinates are ()."""

    def __init__(self, shape: tuple[int, ...]):
        super().__init__(shape, shape)

    def complete(self, x: Tensor) -> tuple[Tensor, tuple]:
        return self.there(self.check_x(x)), ()

    def complete_inverse(self, y: Tensor, z: tuple) -> Tensor:
        assert z == ()
        return self.back(self.check_y(y))

    def null_code(self, y: Tensor) -> tuple:
        return ()


class Sinh(Bijection):
    there, back = staticmethod(torch.sinh), staticmethod(torch.asinh)


class Cubic(Bijection):
    """x + x**3, undone by Cardano's formula in its hyperbolic form."""

    def there(self, x: Tensor) -> Tensor:
        return x + x**3

    def back(self, y: Tensor) -> Tensor:
        return 2 / 3**0.5 * torch.sinh(torch.asinh(y * 27**0.5 / 2) / 3)


def weights(rows: int, columns: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(rows, columns, generator=generator).double()
    return values / columns**0.5


class Coupling(PseudoInvertible):
    """y = a exp(tanh(S b)) + T b on a vector (a, b).

    As a bijection it hands on b too; as a surjection it loses b, and its
    pseudo-inverse guesses b = tanh(R y).
    """

    def __init__(self, n: int, kept: int, onto: bool, seed: int = 0):
        super().__init__((n,), (kept if onto else n,))
        self.kept, self.onto, lost = kept, onto, n - kept
        self.s = weights(lost, kept, seed)
        self.t = weights(lost, kept, seed + 1)
        self.r = weights(kept, lost, seed + 2)

    def complete(self, x: Tensor) -> tuple[Tensor, Tensor | tuple]:
        a, b = self.check_x(x).split([self.kept, len(self.s)], 1)
        y = a * (b @ self.s).tanh().exp() + b @ self.t
        return (y, b) if self.onto else (torch.cat([y, b], 1), ())

    def complete_inverse(self, y: Tensor, z: Tensor | tuple) -> Tensor:
        y, b = (y, z) if self.onto else y.tensor_split([self.kept], 1)
        a = (y - b @ self.t) / (b @ self.s).tanh().exp()
        return torch.cat([a, b], 1)

    def null_code(self, y: Tensor) -> Tensor | tuple:
        return (self.check_y(y) @ self.r).tanh() if self.onto else ()


CHAINS: dict[str, Callable[[], PseudoInvertible]] = {
    "one bijection": lambda: Chain(Cubic((3, 2))),
    "one surjection": lambda: Chain(Coupling(6, 2, True)),
    "bijection, linear": lambda: Chain(
        Cubic((2, 4, 6)), AveragePool((2, 4, 6), 2)
    ),
    "bijection, linear, linear, bijection": lambda: Chain(
        Sinh((3, 4, 4)),
        Grayscale((3, 4, 4)),
        AveragePool((1, 4, 4), 2),
        Cubic((1, 2, 2)),
    ),
    "four couplings": lambda: Chain(
        Coupling(9, 4, False, 1),
        Coupling(9, 6, True, 2),
        Cubic((6,)),
        Coupling(6, 3, True, 3),
    ),
    "nested": lambda: Chain(
        Chain(Coupling(8, 6, True, 1), Chain(Sinh((6,)))),
        Chain(MatrixOperator(weights(4, 6, 5)), Coupling(4, 2, True, 2)),
    ),
    "linear stages": lambda: Chain(
        AveragePool((2, 6, 6), 3), WalshHadamard((2, 2, 2), 0.5)
    ),
}


@pytest.fixture(params=CHAINS)
def chain(request: pytest.FixtureRequest) -> Chain:
    return CHAINS[request.param]()


def batch(shape: tuple[int, ...], seed: int = 0, count: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, *shape, generator=generator, dtype=torch.float64)
    return 0.7 * x


def inputs(chain: Chain, seed: int = 0) -> Tensor:
    return batch(chain.in_shape, seed)


def outputs(chain: Chain, seed: int = 7) -> Tensor:
    return batch(chain.out_shape, seed)


def close(a: Tensor, b: Tensor, tol: float = 1e-9) -> bool:
    return bool((a - b).norm() <= tol * (1 + b.norm()))


def test_all_laws(chain: Chain) -> None:
    check_operator(chain)


def test_completion_is_undone(chain: Chain) -> None:
    x = inputs(chain)
    assert close(chain.complete_inverse(*chain.complete(x)), x)


def test_codes_nest_like_the_stages() -> None:
    chain = CHAINS["nested"]()
    _, taken = chain.complete(inputs(chain))
    for code in (taken, chain.null_code(outputs(chain))):
        (first, (nothing,)), (second, third) = code
        assert nothing == ()
        assert [c.shape[1] for c in (first, second, third)] == [2, 6, 2]


def test_every_measurement_is_reached(chain: Chain) -> None:
    y = outputs(chain)
    assert close(chain(chain.pinv(y)), y)


def test_pinv_fills_in_the_null_code(chain: Chain) -> None:
    y = outputs(chain)
    x = chain.complete_inverse(y, chain.null_code(y))
    assert close(chain.pinv(y), x)


def test_pinv_inverts_in_reverse_order(chain: Chain) -> None:
    y = x = outputs(chain)
    for stage in reversed(chain.stages):
        x = stage.pinv(x)
    assert close(chain.pinv(y), x)


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("completion", COMPLETIONS)
def test_measurement_moves_in_a_straight_line(
    chain: Chain, strength: float, completion: str
) -> None:
    x, y = inputs(chain), outputs(chain)
    moved = chain.project(x, y, strength, completion=completion)
    assert close(chain(moved), torch.lerp(chain(x), y, strength))


@pytest.mark.parametrize("completion", COMPLETIONS)
class TestProjection:
    def test_zero_strength_stays(self, chain: Chain, completion: str) -> None:
        x, y = inputs(chain), outputs(chain)
        assert close(chain.project(x, y, 0.0, completion=completion), x)

    def test_own_measurement_stays(
        self, chain: Chain, completion: str
    ) -> None:
        x = inputs(chain)
        assert close(chain.project(x, chain(x), completion=completion), x)

    def test_twice_is_once(self, chain: Chain, completion: str) -> None:
        x, y = inputs(chain), outputs(chain)
        once = chain.project(x, y, completion=completion)
        assert close(chain.project(once, y, completion=completion), once)

    def test_only_the_last_target_counts(
        self, chain: Chain, completion: str
    ) -> None:
        x, y = inputs(chain), outputs(chain)
        other = chain.project(x, outputs(chain, 8), completion=completion)
        assert close(
            chain.project(other, y, completion=completion),
            chain.project(x, y, completion=completion),
        )

    def test_from_one_pseudo_inverse_to_another(
        self, chain: Chain, completion: str
    ) -> None:
        x, y = chain.pinv(outputs(chain, 8)), outputs(chain)
        moved = chain.project(x, y, completion=completion)
        assert close(moved, chain.pinv(y))

    def test_gradients_flow(self, chain: Chain, completion: str) -> None:
        x, y = inputs(chain), outputs(chain)

        def moved(x: Tensor, y: Tensor) -> Tensor:
            return chain.project(x, y, 0.6, completion=completion)

        both = [v[:1].requires_grad_() for v in (x, y)]
        assert torch.autograd.gradcheck(moved, both)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_raw_form_is_the_published_one(chain: Chain, strength: float) -> None:
    def complete(x: Tensor) -> tuple:  # G
        return chain.complete(x)

    def natural(y: Tensor) -> Tensor:  # g+
        return chain.pinv(y)

    x, y = inputs(chain), outputs(chain)
    y_new, z_new = combine(
        lambda at, new, old: at + strength * (new - old),
        complete(x),
        complete(natural(y)),
        complete(natural(chain(x))),
    )
    published = chain.complete_inverse(y_new, z_new)
    assert close(chain.project(x, y, strength), published)


def test_a_known_code_gives_the_same(chain: Chain) -> None:
    x, y = inputs(chain), outputs(chain)
    code = chain.null_code(y)
    assert torch.equal(chain.project(x, y, code=code), chain.project(x, y))


def test_one_strength_per_item(chain: Chain) -> None:
    x, y = inputs(chain), outputs(chain)
    several = torch.tensor([0.0, 0.5, 1.0])
    for completion in COMPLETIONS:
        moved = chain.project(x, y, several, completion=completion)
        for i, strength in enumerate([0.0, 0.5, 1.0]):
            one = slice(i, i + 1)
            alone = chain.project(
                x[one], y[one], strength, completion=completion
            )
            assert close(moved[one], alone)


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("one surjection", True),
        ("bijection, linear", True),
        ("linear stages", True),
        ("four couplings", False),
        ("nested", False),
    ],
)
def test_where_the_two_forms_agree(name: str, same: bool) -> None:
    chain = CHAINS[name]()
    x, y = inputs(chain), outputs(chain)
    centred = chain.project(x, y, completion="centred")
    assert close(chain.project(x, y), centred, 1e-9 if same else 1e-3) is same


def test_a_chain_in_a_chain_is_the_flat_chain() -> None:
    stages = [Coupling(8, 6, True, 1), Sinh((6,)), Coupling(6, 4, True, 2)]
    flat = Chain(*stages)
    x, y = inputs(flat), outputs(flat)
    for nested in (
        Chain(Chain(*stages[:2]), stages[2]),
        Chain(stages[0], Chain(*stages[1:])),
        Chain(Chain(*stages)),
    ):
        assert close(nested.pinv(y), flat.pinv(y))
        for completion in COMPLETIONS:
            assert close(
                nested.project(x, y, completion=completion),
                flat.project(x, y, completion=completion),
            )


def test_natural_inverse_of_a_line_through_sinh() -> None:
    line = MatrixOperator([[1.0, 2.0]])
    x = Chain(Sinh((2,)), line).pinv(torch.tensor([[3.0]]).double())
    assert close(x, line.pinv(torch.tensor([[3.0]]).double()).asinh())
    assert x[0].tolist() == pytest.approx([0.5688, 1.0160], abs=5e-5)


def test_gamma_then_linear_has_the_closed_form() -> None:
    curve, pool = Sinh((2, 4, 4)), AveragePool((2, 4, 4), 2)
    chain = Chain(curve, pool)
    x, y = inputs(chain), outputs(chain)
    assert close(chain.pinv(y), curve.back(pool.pinv(y)))
    moved = curve.back(pool.project(curve(x), y))
    assert close(chain.project(x, y), moved)


# Costs: what a network pass would be is one call of a stage.


class Counted(PseudoInvertible):
    """Counts the calls of a stage's three primitives."""

    def __init__(self, inner: PseudoInvertible):
        super().__init__(inner.in_shape, inner.out_shape)
        self.inner, self.calls = inner, Counter()

    def complete(self, x: Tensor) -> tuple:
        self.calls["complete"] += 1
        return self.inner.complete(x)

    def complete_inverse(self, y: Tensor, z: Tensor) -> Tensor:
        self.calls["inverse"] += 1
        return self.inner.complete_inverse(y, z)

    def null_code(self, y: Tensor) -> Tensor:
        self.calls["code"] += 1
        return self.inner.null_code(y)


def counted(run: Callable[[Chain], object]) -> list[dict[str, int]]:
    """Calls of the first, the middle and the last stage."""
    stages = [Counted(Coupling(n, n - 2, True, n)) for n in (8, 6, 4)]
    chain = Chain(*stages)
    run(chain)
    return [dict(stage.calls) for stage in stages]


def test_null_code_never_undoes_the_first_stage() -> None:
    first, middle, last = counted(lambda c: c.null_code(outputs(c)))
    assert first == {"code": 1}
    assert middle == last == {"code": 1, "inverse": 1}


def test_a_projection_calls_every_primitive_once() -> None:
    def run(chain: Chain) -> None:
        x, y = inputs(chain), outputs(chain)
        code = chain.null_code(y)
        for stage in chain.stages:
            stage.calls.clear()
        chain.project(x, y, code=code)

    for calls in counted(run):
        assert calls == {"complete": 1, "code": 1, "inverse": 1}


def test_pinv_is_one_pass() -> None:
    for calls in counted(lambda c: c.pinv(outputs(c))):
        assert calls == {"code": 1, "inverse": 1}


# Chains of linear stages: the reverse-order law.


def matrix(function: Callable[[Tensor], Tensor], shape: tuple) -> Tensor:
    units = torch.eye(int(torch.Size(shape).numel()), dtype=torch.float64)
    return function(units.reshape(-1, *shape)).flatten(1).T


def inverses(*stages: LinearOperator) -> tuple[Tensor, Tensor, Tensor]:
    """Reverse product by hand, that of Chain, that of LinearComposition."""
    product = matrix(stages[0].pinv, stages[0].out_shape)
    for stage in stages[1:]:
        product = product @ matrix(stage.pinv, stage.out_shape)
    chain, true = Chain(*stages), LinearComposition(*stages)
    return product, *(matrix(op.pinv, op.out_shape) for op in (chain, true))


def some_seen(*shape: int) -> Tensor:
    return batch(shape, 3)[0] > -0.5


def old_photo() -> list[LinearOperator]:
    shape = (3, 8, 8)
    seen = Inpainting(shape, some_seen(8, 8))
    return [seen, Grayscale(shape), AveragePool((1, 8, 8), 4)]


def test_chain_of_linear_stages_is_the_reverse_product() -> None:
    product, chain, true = inverses(*old_photo())
    assert close(chain, product, 1e-12)
    assert not close(true, product, 0.05)


def test_old_photo_pseudo_inverse_is_inconsistent_only_as_a_chain() -> None:
    stages = old_photo()
    chain, true = Chain(*stages), LinearComposition(*stages)
    y = true(inputs(chain))
    assert (chain(chain.pinv(y)) - y).norm() > 0.1 * y.norm()
    assert close(true(true.pinv(y)), y)


def test_old_photo_is_consistent_if_the_mask_follows_the_cells() -> None:
    seen = torch.zeros(8, 8)
    seen[:4] = seen[:, 4:] = 1
    stages = [Inpainting((3, 8, 8), seen), *old_photo()[1:]]
    y = LinearComposition(*stages)(batch((3, 8, 8)))
    chain = Chain(*stages)
    assert close(chain(chain.pinv(y)), y)


ORDERLY = {
    "blocks first": lambda: [
        BlockSensing((4, 4), 0.5, 2),
        Blur((2, 2, 2), [[0.6, 0.3]]),
    ],
    "Walsh-Hadamard first": lambda: [
        WalshHadamard((4, 4), 0.5),
        MatrixOperator(weights(5, 8, 2)),
    ],
    "gray, then pool": lambda: [
        Grayscale((3, 4, 4), (0.3, 0.6, 0.1)),
        AveragePool((1, 4, 4), 2),
    ],
    "pool, then pool": lambda: [
        AveragePool((2, 8, 8), 2),
        AveragePool((2, 4, 4), 2),
    ],
    "identity last": lambda: [
        MatrixOperator(weights(3, 8, 3)),
        Identity((3,)),
    ],
}


@pytest.mark.parametrize("name", ORDERLY)
def test_where_the_reverse_order_law_holds(name: str) -> None:
    product, chain, true = inverses(*ORDERLY[name]())
    assert close(chain, product, 1e-12) and close(true, product, 1e-9)


def test_onto_stages_lose_only_the_fourth_identity() -> None:
    shape = (1, 6, 6)
    kernel = torch.tensor([[0.6, 0.3, 0.1]])
    stages = [Blur(shape, kernel), AveragePool(shape, 2)]
    product, _, true = inverses(*stages)
    a = matrix(LinearComposition(*stages), shape)
    assert close(a @ product @ a, a) and close(product @ a @ product, product)
    assert close(a @ product, (a @ product).T)
    assert not close(product @ a, (product @ a).T, 1e-3)
    assert not close(product, true, 1e-3)


def test_chain_of_linear_stages_is_checked_as_a_non_linear_map() -> None:
    chain = Chain(AveragePool((1, 6, 6), 2), Identity((1, 3, 3)))
    assert set(penrose_residuals(chain, inputs(chain))) == {
        "P1",
        "P2",
        "right inverse",
    }
    assert not isinstance(chain, LinearOperator)
