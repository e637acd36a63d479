"""Every operator against a dense SVD of a matrix made without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from pinv_edu import (
    AveragePool,
    BicubicDownsample,
    BlockSensing,
    Blur,
    Grayscale,
    Identity,
    Inpainting,
    LinearComposition,
    LinearOperator,
    MatrixOperator,
    SeparableBlur,
    WalshHadamard,
    box_kernel,
    gaussian_kernel,
)

Array = np.ndarray
Measure = Callable[[Array], Array]
quick = settings(max_examples=25, deadline=None, derandomize=True)


# What the operators should do, on one picture, in plain numpy.


def pool(x: Array, r: int) -> Array:
    *lead, h, w = x.shape
    return x.reshape(*lead, h // r, r, w // r, r).mean((-3, -1))


def gray(x: Array, weights: Array) -> Array:
    return np.tensordot(weights, x, 1)[None]


def blur(x: Array, kernel: Array) -> Array:
    centre = np.array(kernel.shape) // 2
    return sum(
        k * np.roll(x, np.array(tap) - centre, (-2, -1))
        for tap, k in np.ndenumerate(kernel)
    )


def blur_lines(x: Array, kernel: Array, axis: int) -> Array:
    def one(line: Array) -> Array:
        start = len(kernel) // 2
        return np.convolve(line, kernel)[start : start + len(line)]

    return np.apply_along_axis(one, axis, x)


def keys(t: float) -> float:
    t = abs(t)
    if t < 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0


def bicubic(x: Array, r: int) -> Array:
    for axis in (-2, -1):
        n = x.shape[axis]
        rows = np.array(
            [
                [keys((j + 0.5) / r - (i + 0.5)) for j in range(n)]
                for i in range(n // r)
            ]
        )
        rows /= rows.sum(1, keepdims=True)
        x = np.moveaxis(np.tensordot(x, rows, (axis, 1)), -1, axis)
    return x


def transform(n: int) -> Array:
    """Kronecker powers of [1 1; 1 -1], times a cosine transform."""
    odd, matrix = n, np.ones((1, 1))
    while odd % 2 == 0:
        odd, matrix = odd // 2, np.kron(matrix, [[1, 1], [1, -1]])
    cosine = np.cos(np.pi / odd * np.outer(range(odd), np.arange(odd) + 0.5))
    rows = np.kron(matrix, cosine)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def walsh(x: Array, kept: Array) -> Array:
    rows = np.kron(transform(x.shape[-2]), transform(x.shape[-1]))
    return x.reshape(*x.shape[:-2], -1) @ rows[kept].T


def blocks(x: Array, phi: Array, b: int) -> Array:
    *lead, h, w = x.shape
    y = np.zeros((*lead, len(phi), h // b, w // b))
    for index in np.ndindex(*lead, h // b, w // b):
        *c, i, j = index
        block = x[(*c, slice(i * b, i * b + b), slice(j * b, j * b + b))]
        y[(*c, slice(None), i, j)] = phi @ block.ravel()
    return y


@dataclass
class Truth:
    """Dense SVD; singular values up to rcond times the largest are cut."""

    a: Array
    pinv: Array
    sigma: Array
    v: Array
    all_sigma: Array

    @classmethod
    def of(cls, matrix: Array, rcond: float = 1e-10) -> Truth:
        n = matrix.shape[1]
        u, s, vt = np.linalg.svd(matrix)
        s = np.where(s > rcond * s.max(), s, 0.0)
        inverse = np.divide(1, s, where=s > 0, out=np.zeros_like(s))
        k = len(s)
        every = np.concatenate([s, np.zeros(n - k)])
        a, p = (u[:, :k] * s) @ vt[:k], (vt[:k].T * inverse) @ u[:, :k].T
        return cls(a, p, s, vt.T, every)

    def filtered(self, response: Callable) -> Array:
        return (self.v * response(self.all_sigma)) @ self.v.T


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def mask(*shape: int) -> Array:
    return random(*shape, seed=1) > 0


def outer(a: Array, b: Array) -> Array:
    return np.multiply.outer(np.asarray(a), np.asarray(b))


def measured(shape: tuple, measure: Measure) -> Array:
    """Matrix of ``measure``: one column for each unit picture."""
    n = int(np.prod(shape))
    return np.stack([measure(e.reshape(shape)).ravel() for e in np.eye(n)], 1)


def matrix_case(matrix: Array) -> tuple:
    return MatrixOperator(matrix), lambda x: matrix @ x


def mask_case(shape: tuple, seen: Array) -> tuple:
    return Inpainting(shape, torch.tensor(seen)), lambda x: x * seen


def pool_case(shape: tuple, r: int) -> tuple:
    return AveragePool(shape, r), lambda x: pool(x, r)


def bicubic_case(shape: tuple, r: int) -> tuple:
    return BicubicDownsample(shape, r), lambda x: bicubic(x, r)


def gray_case(shape: tuple, weights: tuple) -> tuple:
    return Grayscale(shape, weights), lambda x: gray(x, np.array(weights))


def blur_case(shape: tuple, kernel: Array, rcond: float = 1e-4) -> tuple:
    operator = Blur(shape, torch.tensor(kernel), rcond)
    return operator, lambda x: blur(x, kernel), rcond


def lines_case(
    shape: tuple, rows: Array, columns: Array, rcond: float = 1e-4
) -> tuple:
    def measure(x: Array) -> Array:
        return blur_lines(blur_lines(x, rows, -2), columns, -1)

    return SeparableBlur(shape, rows, columns, rcond), measure, rcond


def walsh_case(shape: tuple, ratio: float) -> tuple:
    operator = WalshHadamard(shape, ratio, seed=3)
    return operator, lambda x: walsh(x, operator.kept.numpy())


def block_case(shape: tuple, ratio: float, b: int) -> tuple:
    operator = BlockSensing(shape, ratio, b, seed=3)
    return operator, lambda x: blocks(x, operator.phi.numpy(), b)


def old_photo() -> tuple:
    shape, seen = (3, 6, 4), mask(6, 4)
    operator = LinearComposition(
        Inpainting(shape, torch.tensor(seen)),
        Grayscale(shape),
        AveragePool((1, 6, 4), 2),
    )
    return operator, lambda x: pool(gray(x * seen, np.full(3, 1 / 3)), 2)


def blur_then_pool() -> tuple:
    shape, kernel = (2, 6, 8), outer(gaussian_kernel(3, 0.6), [0.25, 0.75])
    operator = LinearComposition(Blur(shape, kernel), AveragePool(shape, 2))
    return operator, lambda x: pool(blur(x, kernel), 2)


smooth = gaussian_kernel(3, 0.7).numpy(), gaussian_kernel(5, 1.0).numpy()
CASES: dict[str, Callable[[], tuple]] = {
    "matrix, wide": lambda: matrix_case(random(4, 9)),
    "matrix, tall": lambda: matrix_case(random(9, 4)),
    "matrix, square": lambda: matrix_case(random(6, 6)),
    "matrix, rank 2 of 5": lambda: matrix_case(random(5, 2) @ random(2, 7)),
    "matrix, one row": lambda: matrix_case(random(1, 5)),
    "matrix, one column": lambda: matrix_case(random(5, 1)),
    "matrix, one entry left": lambda: matrix_case(np.diag([0, 3.0, 0])),
    "matrix, zero": lambda: matrix_case(np.zeros((3, 4))),
    "identity": lambda: (Identity((2, 3, 5)), lambda x: x),
    "identity, vector": lambda: (Identity((5,)), lambda x: x),
    "mask": lambda: mask_case((3, 5, 7), mask(5, 7)),
    "mask, per channel": lambda: mask_case((3, 4, 3), mask(3, 4, 3)),
    "mask, (H, W)": lambda: mask_case((5, 3), mask(5, 3)),
    "pool": lambda: pool_case((2, 6, 9), 3),
    "pool, (H, W)": lambda: pool_case((6, 4), 2),
    "pool, factor 1": lambda: pool_case((1, 3, 5), 1),
    "bicubic": lambda: bicubic_case((2, 8, 12), 4),
    "bicubic, (H, W)": lambda: bicubic_case((9, 6), 3),
    "gray": lambda: gray_case((3, 3, 5), (1 / 3, 1 / 3, 1 / 3)),
    "gray, luma": lambda: gray_case((3, 4, 2), (0.299, 0.587, 0.114)),
    "gray, one channel": lambda: gray_case((1, 2, 3), (0.5,)),
    "gray, a zero weight": lambda: gray_case((2, 2, 3), (0.0, -2.0)),
    "blur": lambda: blur_case((2, 5, 7), outer(*smooth)),
    "blur, even kernel": lambda: blur_case((1, 7, 5), random(2, 4)),
    "blur, as large as (H, W)": lambda: blur_case((5, 6), random(5, 6)),
    "blur, zeros in spectrum": lambda: blur_case(
        (1, 8, 6), outer(box_kernel(4), box_kernel(3))
    ),
    "blur, cut": lambda: blur_case((8, 9), outer(*smooth), rcond=0.1),
    "blur, nothing cut": lambda: blur_case((8, 9), outer(*smooth), rcond=0.0),
    "blur, rounded zeros": lambda: blur_case(
        (10, 4), outer(box_kernel(5), [0.3, 0.1]), rcond=0.0
    ),
    "lines": lambda: lines_case((2, 5, 7), *smooth),
    "lines, even kernels": lambda: lines_case(
        (6, 5), random(4), np.array([0.5, 0.5])
    ),
    "lines, long kernel": lambda: lines_case((1, 3, 4), random(5), random(7)),
    "lines, singular": lambda: lines_case(
        (1, 5, 6), np.array([1.0, 0, 1]), box_kernel(3).numpy()
    ),
    "lines, rounded zeros": lambda: lines_case(
        (8, 5), box_kernel(3).numpy(), smooth[0], rcond=0.0
    ),
    "lines, cut": lambda: lines_case((8, 9), *smooth, rcond=0.1),
    "walsh": lambda: walsh_case((2, 8, 4), 0.4),
    "walsh, large power": lambda: walsh_case((2, 32), 0.25),
    "walsh, odd factors": lambda: walsh_case((1, 6, 5), 0.5),
    "walsh, all kept": lambda: walsh_case((4, 3), 1.0),
    "walsh, one kept": lambda: walsh_case((4, 3), 0.01),
    "blocks": lambda: block_case((2, 8, 4), 0.3, 4),
    "blocks, (H, W)": lambda: block_case((6, 9), 0.5, 3),
    "blocks, all kept": lambda: block_case((1, 4, 2), 1.0, 2),
    "composition, diagonal": old_photo,
    "composition, dense": blur_then_pool,
}
RESPONSES = {
    "jump at zero": lambda s: (s > 0) * 1.0,
    "null space": lambda s: (s == 0) * 1.0,
    "Tikhonov": lambda s: s**2 / (s**2 + 0.1),
    "squares": lambda s: s**2,
    "decay": lambda s: 1 / (1 + s),
    "identity": lambda s: s * 0 + 1,
}


@dataclass
class Case:
    operator: LinearOperator
    truth: Truth
    tol: float

    def inputs(self, count: int = 2, seed: int = 4) -> torch.Tensor:
        shape = (count, *self.operator.in_shape)
        return torch.tensor(random(*shape, seed=seed))

    def outputs(self, count: int = 2, seed: int = 9) -> torch.Tensor:
        shape = (count, *self.operator.out_shape)
        return torch.tensor(random(*shape, seed=seed))


def prepare(operator: LinearOperator, measure: Measure, *rcond: float) -> Case:
    matrix = measured(operator.in_shape, measure)
    composed = isinstance(operator, LinearComposition)
    truth = Truth.of(matrix, max([1e-10, *rcond]))
    return Case(operator, truth, 1e-6 if composed else 1e-9)


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return prepare(*CASES[request.param]())


def flat(batch: torch.Tensor) -> Array:
    return batch.detach().flatten(1).numpy()


def close(a: Array, b: Array, tol: float) -> bool:
    a, b = (flat(v) if isinstance(v, torch.Tensor) else v for v in (a, b))
    assert a.shape == b.shape
    return np.linalg.norm(a - b) <= tol * max(1.0, np.linalg.norm(b))


def dense(function: Callable, shape: tuple) -> Array:
    units = torch.eye(int(np.prod(shape)), dtype=torch.float64)
    return flat(function(units.reshape(-1, *shape))).T


def test_forward_is_the_intended_operator(case: Case) -> None:
    op = case.operator
    assert close(dense(op, op.in_shape), case.truth.a, case.tol)


def test_adjoint_is_the_transpose(case: Case) -> None:
    op = case.operator
    assert close(dense(op.adjoint, op.out_shape), case.truth.a.T, case.tol)


def test_pinv_is_moore_penrose(case: Case) -> None:
    op = case.operator
    assert close(dense(op.pinv, op.out_shape), case.truth.pinv, case.tol)


def test_all_four_penrose_identities(case: Case) -> None:
    op = case.operator
    a, p = dense(op, op.in_shape), dense(op.pinv, op.out_shape)
    for left, right in [
        (a @ p @ a, a),
        (p @ a @ p, p),
        (a @ p, (a @ p).T),
        (p @ a, (p @ a).T),
    ]:
        assert close(left, right, case.tol)


def test_singular_values_sorted_and_complete(case: Case) -> None:
    values = case.operator.singular_values()
    assert values.dtype == torch.float64
    assert torch.equal(values, values.sort(descending=True).values)
    assert close(values[None], case.truth.sigma[None], case.tol)
    assert int((values > 0).sum()) == int((case.truth.sigma > 0).sum())


@pytest.mark.parametrize("name", RESPONSES)
def test_spectral_filter(case: Case, name: str) -> None:
    x, response = case.inputs(), RESPONSES[name]
    wanted = flat(x) @ case.truth.filtered(response).T
    assert close(case.operator.spectral_filter(x, response), wanted, case.tol)


def test_spectral_filter_takes_one_number(case: Case) -> None:
    x = case.inputs()
    half = case.operator.spectral_filter(x, lambda s: torch.tensor(0.5))
    assert close(half, x / 2, case.tol)


def test_completion_and_its_inverse(case: Case) -> None:
    op, x = case.operator, case.inputs()
    y, z = op.complete(x)
    assert close(y, flat(x) @ case.truth.a.T, case.tol)
    lost = np.eye(len(case.truth.v)) - case.truth.pinv @ case.truth.a
    assert close(z, flat(x) @ lost.T, case.tol)
    assert close(op.complete_inverse(y, z), x, case.tol)
    assert not op.null_code(y).any()


@pytest.mark.parametrize("strength", [0, 0.3, 1, 1.7])
@pytest.mark.parametrize("completion", ["raw", "centred"])
def test_project(case: Case, strength: float, completion: str) -> None:
    op, x, y = case.operator, case.inputs(), case.outputs()
    moved = op.project(x, y, strength, completion=completion)
    residual = flat(y) - flat(x) @ case.truth.a.T
    wanted = flat(x) + strength * residual @ case.truth.pinv.T
    assert close(moved, wanted, case.tol)


@pytest.mark.parametrize("strength", [0, 0.3, 1, 1.7])
def test_project_shrinks_the_residual(case: Case, strength: float) -> None:
    op, x, y = case.operator, case.inputs(), case.operator(case.inputs(seed=5))
    left = y - op(op.project(x, y, strength))
    assert close(left, (1 - strength) * (y - op(x)), case.tol)


def test_project_with_one_strength_per_item(case: Case) -> None:
    op, x, y = case.operator, case.inputs(), case.outputs()
    moved = op.project(x, y, torch.tensor([0.25, 1.0]))
    assert close(moved[:1], op.project(x[:1], y[:1], 0.25), case.tol)
    assert close(moved[1:], op.project(x[1:], y[1:], 1.0), case.tol)


def test_numbers_of_numpy_are_numbers() -> None:
    op, x = WalshHadamard((4, 4), np.float32(0.5)), torch.ones(1, 4, 4)
    y = torch.zeros(1, 8)
    half = op.project(x, y, np.float32(0.5))
    assert torch.equal(half, op.project(x, y, 0.5))


def test_gradients_flow_through_project(case: Case) -> None:
    x, y = case.inputs().requires_grad_(), case.outputs().requires_grad_()
    moved = case.operator.project(x, y)
    grad_x, grad_y = torch.autograd.grad(moved.square().sum() / 2, (x, y))
    lost = np.eye(len(case.truth.v)) - case.truth.pinv @ case.truth.a
    assert close(grad_x, flat(moved) @ lost, case.tol)
    assert close(grad_y, flat(moved) @ case.truth.pinv, case.tol)


def methods(case: Case, x: torch.Tensor, y: torch.Tensor) -> list:
    op = case.operator
    return [
        op(x),
        op.adjoint(y),
        op.pinv(y),
        op.spectral_filter(x, RESPONSES["Tikhonov"]),
        op.project(x, y, 0.7),
        *op.complete(x),
    ]


def test_float32_stays_float32(case: Case) -> None:
    x, y = case.inputs(), case.operator(case.inputs(seed=5))
    single = methods(case, x.float(), y.float())
    for a, b in zip(single, methods(case, x, y)):
        assert a.dtype == torch.float32
        assert close(a.double(), b, 1e-4)


def test_batch_of_seven_is_seven_batches_of_one(case: Case) -> None:
    x, y = case.inputs(7), case.outputs(7)
    together = methods(case, x, y)
    apart = [methods(case, x[i : i + 1], y[i : i + 1]) for i in range(7)]
    for a, b in zip(together, zip(*apart)):
        assert close(a, torch.cat(b), case.tol)


def test_any_memory_layout(case: Case) -> None:
    x, y = case.inputs(), case.outputs()
    backwards = [v.permute(*range(v.dim())[::-1]).contiguous() for v in (x, y)]
    strided = [v.permute(*range(v.dim())[::-1]) for v in backwards]
    for a, b in zip(methods(case, *strided), methods(case, x, y)):
        assert close(a, b, case.tol)


def test_no_call_changes_its_input_or_the_operator(case: Case) -> None:
    x, y = case.inputs(), case.outputs()
    before = [v.clone() for v in (x, y)]
    state = {k: v.clone() for k, v in case.operator.state_dict().items()}
    methods(case, x, y)
    assert torch.equal(x, before[0]) and torch.equal(y, before[1])
    after = case.operator.state_dict()
    assert list(after) == list(state)
    assert all(torch.equal(after[k], v) for k, v in state.items())


@pytest.mark.parametrize(
    "make",
    [
        lambda shape: AveragePool(shape, 2),
        lambda shape: BicubicDownsample(shape, 2),
        lambda shape: Blur(shape, outer(*smooth)),
        lambda shape: SeparableBlur(shape, *smooth),
        lambda shape: WalshHadamard(shape, 0.5),
        lambda shape: BlockSensing(shape, 0.5, 2),
        lambda shape: Inpainting(shape, torch.tensor(mask(6, 8))),
    ],
)
def test_channels_are_measured_alike(make: Callable) -> None:
    x = torch.tensor(random(2, 3, 6, 8))
    whole, one = make((3, 6, 8)), make((6, 8))
    y = whole(x)
    for c in range(3):
        assert torch.allclose(y[:, c], one(x[:, c]))
        assert torch.allclose(whole.pinv(y)[:, c], one.pinv(y[:, c]))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_bicubic_is_pillows(factor: int) -> None:
    x = random(24, 36).astype(np.float32)
    small = Image.fromarray(x).resize(
        (36 // factor, 24 // factor), Image.Resampling.BICUBIC
    )
    y = BicubicDownsample((24, 36), factor)(torch.tensor(x)[None])[0]
    assert np.abs(y.numpy() - np.asarray(small)).max() < 1e-5


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_bicubic_is_torch_interpolate(factor: int) -> None:
    x = torch.tensor(random(1, 3, 24, 36))
    y = torch.nn.functional.interpolate(
        x, scale_factor=1 / factor, mode="bicubic", antialias=True
    )
    assert torch.allclose(BicubicDownsample((3, 24, 36), factor)(x), y)


def test_walsh_hadamard_keeps_the_mean_and_the_stated_share() -> None:
    op = WalshHadamard((16, 8), 0.25, seed=1)
    x = torch.tensor(random(1, 16, 8))
    assert op.out_shape == (32,) and len(op.kept.unique()) == 32
    assert torch.allclose(op(x)[:, 0], x.mean((1, 2)) * 128**0.5)


@pytest.mark.parametrize("make", [WalshHadamard, BlockSensing])
def test_sensing_depends_on_the_seed_alone(make: type) -> None:
    x = torch.tensor(random(1, 16, 16))
    a, again, b = (make((16, 16), 0.25, seed=s)(x) for s in (1, 1, 2))
    assert torch.equal(a, again) and not torch.allclose(a, b)


def test_block_rows_are_orthonormal() -> None:
    phi = BlockSensing((8, 8), 0.4, 4).phi
    assert torch.allclose(phi @ phi.T, torch.eye(6, dtype=torch.float64))


def test_matrix_of_lower_rank_is_the_nearest() -> None:
    matrix = random(4, 6)
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    op = MatrixOperator(matrix, rcond=float(0.99 * s[1] / s[0]))
    assert close(op.matrix.numpy(), (u[:, :2] * s[:2]) @ vt[:2], 1e-12)
    assert int((op.singular_values() > 0).sum()) == 2


def test_float32_matrix_of_low_rank_obeys_the_laws_in_float64() -> None:
    matrix = (random(5, 2) @ random(2, 7)).astype(np.float32)
    op = MatrixOperator(matrix)
    x = torch.tensor(random(2, 7, seed=4))
    assert int((op.singular_values() > 0).sum()) == 2
    assert close(op(op.pinv(op(x))), op(x), 1e-12)


def test_python_numbers_keep_all_digits() -> None:
    assert MatrixOperator([[0.1, 0.2]]).matrix[0, 0].item() == 0.1
    assert Grayscale((2, 1, 1), (0.1, 0.2)).weights[0].item() == 0.1
    kernel = [[0.1, 0.2]]
    x = torch.ones(1, 2, 2, dtype=torch.float64)
    assert Blur((2, 2), kernel)(x)[0, 0, 0].item() == pytest.approx(0.3, 1e-15)


# Random shapes, kernels, masks and matrices.


def agree(operator: LinearOperator, measure: Measure, *rcond: float) -> None:
    """Compare all of an operator with its dense truth."""
    case = prepare(operator, measure, *rcond)
    for cut in rcond:  # a value right at the cut may fall to either side
        s = np.linalg.svd(measured(operator.in_shape, measure))[1]
        assume(not np.isclose(s, cut * s.max(), rtol=1e-2).any())
    test_forward_is_the_intended_operator(case)
    test_adjoint_is_the_transpose(case)
    test_pinv_is_moore_penrose(case)
    test_singular_values_sorted_and_complete(case)
    test_spectral_filter(case, "jump at zero")
    test_spectral_filter(case, "Tikhonov")
    test_project(case, 0.6, "raw")


@st.composite
def pictures(draw: st.DrawFn, multiple: int = 1, largest: int = 6) -> tuple:
    sides = st.integers(1, largest // multiple).map(lambda k: k * multiple)
    lead = draw(st.sampled_from([(), (1,), (2,)]))
    return (*lead, draw(sides), draw(sides))


@st.composite
def numbers(draw: st.DrawFn, *shape: int) -> Array:
    """Small multiples of 1/4, so that exact zeros and ties are common."""
    n = int(np.prod(shape))
    values = draw(st.lists(st.integers(-8, 8), min_size=n, max_size=n))
    assume(any(values))
    return np.array(values).reshape(shape) / 4


@quick
@given(st.data())
def test_random_matrices(data: st.DataObject) -> None:
    m, k, n = (data.draw(st.integers(1, 6)) for _ in range(3))
    matrix = data.draw(numbers(m, k)) @ data.draw(numbers(k, n))
    agree(*matrix_case(matrix))


@quick
@given(st.data())
def test_random_blurs(data: st.DataObject) -> None:
    shape = data.draw(pictures())
    sides = [data.draw(st.integers(1, n)) for n in shape[-2:]]
    agree(*blur_case(shape, data.draw(numbers(*sides))))


@quick
@given(st.data())
def test_random_line_blurs(data: st.DataObject) -> None:
    shape = data.draw(pictures())
    taps = [data.draw(st.integers(1, 2 * n - 1)) for n in shape[-2:]]
    kernels = [data.draw(numbers(k)) for k in taps]
    agree(*lines_case(shape, *kernels))


@quick
@given(st.data())
def test_random_masks(data: st.DataObject) -> None:
    shape = data.draw(pictures())
    fits = data.draw(st.sampled_from([shape, shape[-2:]]))
    seen = data.draw(numbers(*fits)) > 0
    assume(seen.any())
    agree(*mask_case(shape, seen))


@quick
@given(st.data())
def test_random_pictures_made_small(data: st.DataObject) -> None:
    r = data.draw(st.integers(1, 3))
    shape = data.draw(pictures(multiple=r))
    agree(*pool_case(shape, r))
    agree(*bicubic_case(shape, r))
    agree(*block_case(shape, data.draw(st.floats(0.01, 1)), r))


@quick
@given(pictures(), st.floats(0.01, 1))
def test_random_walsh_hadamard(shape: tuple, ratio: float) -> None:
    agree(*walsh_case(shape, ratio))


@quick
@given(st.data())
def test_random_grays(data: st.DataObject) -> None:
    shape = (data.draw(st.integers(1, 4)), *data.draw(pictures())[-2:])
    agree(*gray_case(shape, tuple(data.draw(numbers(shape[0])))))
