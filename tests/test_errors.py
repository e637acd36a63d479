"""Wrong input: words that say what was given and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pinv_edu import (
    AveragePool,
    BicubicDownsample,
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
    SeparableBlur,
    WalshHadamard,
    box_kernel,
    gaussian_kernel,
    range_null,
)

quick = settings(max_examples=30, deadline=None, derandomize=True)
SHAPE = (3, 4, 8)
OPERATORS: dict[str, Callable[[], PseudoInvertible]] = {
    "matrix": lambda: MatrixOperator(np.ones((2, 5))),
    "identity": lambda: Identity(SHAPE),
    "mask": lambda: Inpainting(SHAPE, torch.eye(4, 8)),
    "pool": lambda: AveragePool(SHAPE, 2),
    "bicubic": lambda: BicubicDownsample(SHAPE, 2),
    "gray": lambda: Grayscale(SHAPE),
    "blur": lambda: Blur(SHAPE, torch.ones(3, 3)),
    "lines": lambda: SeparableBlur(SHAPE, [1, 2, 1], [1, 2]),
    "walsh": lambda: WalshHadamard(SHAPE, 0.5),
    "blocks": lambda: BlockSensing(SHAPE, 0.5, 4),
    "composition": lambda: LinearComposition(
        Grayscale(SHAPE), AveragePool((1, 4, 8), 2)
    ),
    "chain": lambda: Chain(Grayscale(SHAPE), AveragePool((1, 4, 8), 2)),
}
WITHOUT_CONSTANTS = {"identity", "pool"}


@pytest.fixture(params=OPERATORS)
def operator(request: pytest.FixtureRequest) -> PseudoInvertible:
    return OPERATORS[request.param]()


def takes_x(op: PseudoInvertible) -> list[Callable]:
    """All that takes an input."""
    y = torch.ones(2, *op.out_shape)
    calls = [op, op.complete, lambda x: op.project(x, y)]
    if isinstance(op, LinearOperator):
        calls.append(lambda x: op.spectral_filter(x, torch.ones_like))
    return calls


def takes_y(op: PseudoInvertible) -> list[Callable]:
    """All that takes a measurement."""
    x = torch.ones(2, *op.in_shape)
    calls = [op.pinv, op.null_code, lambda y: op.project(x, y)]
    calls.append(lambda y: op.complete_inverse(y, op.complete(x)[1]))
    return [*calls, op.adjoint] if isinstance(op, LinearOperator) else calls


@contextmanager
def says(error: type, *words: object) -> Iterator[None]:
    """Expect an error whose text holds every word."""
    with pytest.raises(error) as caught:
        yield
    missing = [w for w in map(str, words) if w not in str(caught.value)]
    assert not missing, f"{missing} not in: {caught.value}"


def test_missing_batch_dimension(operator: PseudoInvertible) -> None:
    for call in takes_x(operator):
        with says(ValueError, "x must have shape (B, ", "x[None]"):
            call(torch.ones(operator.in_shape))
    for call in takes_y(operator):
        with says(ValueError, "y must have shape (B, ", "y[None]"):
            call(torch.ones(operator.out_shape))


@quick
@given(
    st.sampled_from(list(OPERATORS)),
    st.lists(st.integers(1, 9), max_size=5).map(tuple),
)
def test_wrong_shape(name: str, shape: tuple[int, ...]) -> None:
    op = OPERATORS[name]()
    for calls, right in (
        (takes_x(op), op.in_shape),
        (takes_y(op), op.out_shape),
    ):
        assume(shape[1:] != right)
        for call in calls:
            with says(ValueError, "must have shape", f"got {shape}"):
                call(torch.ones(shape))


@pytest.mark.parametrize(
    "dtype", [torch.int64, torch.bool, torch.float16, torch.complex64]
)
def test_wrong_type(operator: PseudoInvertible, dtype: torch.dtype) -> None:
    for calls, shape in (
        (takes_x(operator), operator.in_shape),
        (takes_y(operator), operator.out_shape),
    ):
        for call in calls:
            with says(TypeError, "float32 or float64", dtype, ".float()"):
                call(torch.ones(2, *shape, dtype=dtype))


@pytest.mark.parametrize("given", [None, 1.0, np.ones((2, 2)), [[1.0]]])
def test_not_a_tensor(operator: PseudoInvertible, given: object) -> None:
    name = type(given).__name__
    for call in takes_x(operator) + takes_y(operator):
        with says(TypeError, "torch.Tensor", name, "torch.as_tensor"):
            call(given)


def test_x_and_y_of_different_type(operator: PseudoInvertible) -> None:
    x = torch.ones(1, *operator.in_shape)
    y = torch.ones(1, *operator.out_shape).double()
    with says(TypeError, "float32", "float64", "y.to(x.dtype)"):
        operator.project(x, y)


@pytest.mark.parametrize("name", sorted(set(OPERATORS) - WITHOUT_CONSTANTS))
def test_wrong_device(name: str) -> None:
    op = OPERATORS[name]()
    for calls, shape in (
        (takes_x(op), op.in_shape),
        (takes_y(op), op.out_shape),
    ):
        for call in calls:
            with says(ValueError, "meta", "cpu", ".to("):
                call(torch.ones(2, *shape, device="meta"))


@pytest.mark.parametrize("name", sorted(WITHOUT_CONSTANTS))
def test_x_and_y_on_different_devices(name: str) -> None:
    op = OPERATORS[name]()
    x = torch.ones(1, *op.in_shape, device="meta")
    with says(ValueError, "meta", "cpu", ".to("):
        op.project(x, torch.ones(1, *op.out_shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_measurement_not_finite(
    operator: PseudoInvertible, bad: float
) -> None:
    y = torch.ones(2, *operator.out_shape)
    y.flatten()[1] = bad
    for call in takes_y(operator):
        with says(ValueError, "1 NaN or infinite", "repair or mask"):
            call(y)


@quick
@given(st.integers(0, 5), st.integers(0, 5))
def test_different_batches(m: int, n: int) -> None:
    assume(m != n)
    op = AveragePool((4, 4), 2)
    with says(ValueError, f"x holds {m}", f"y {n}", "y.expand"):
        op.project(torch.ones(m, 4, 4), torch.ones(n, 2, 2))


@pytest.mark.parametrize("name", ["Raw", "", None, "center"])
def test_unknown_completion(operator: PseudoInvertible, name: str) -> None:
    x = torch.ones(1, *operator.in_shape)
    with says(ValueError, "'raw' or 'centred'", repr(name)):
        operator.project(x, operator(x), completion=name)


@pytest.mark.parametrize(
    ("strength", "error"),
    [
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        (torch.ones(3), ValueError),
        (torch.tensor([1.0, np.nan]), ValueError),
        ("strong", TypeError),
        (None, TypeError),
    ],
)
def test_wrong_strength(
    operator: PseudoInvertible, strength: object, error: type
) -> None:
    x = torch.ones(2, *operator.in_shape)
    with says(error, "strength must be", "number"):
        operator.project(x, operator(x), strength)


def test_codes_of_another_operator(operator: PseudoInvertible) -> None:
    x = torch.ones(1, *operator.in_shape)
    y, z = operator.complete(x)
    for code in ((z,), (z, z, z), ()):
        with says(ValueError, "codes differ", "null_code(y)"):
            operator.project(x, y, code=code)


def test_chain_wants_a_code_for_each_stage() -> None:
    chain = OPERATORS["chain"]()
    y, z = chain.complete(torch.ones(1, *SHAPE))
    for code in (z[:1], (*z, ()), z[0], list(z)):
        with says(ValueError, "2 stages", "complete(x)"):
            chain.complete_inverse(y, code)


# Constructors.

PICTURE = [
    lambda shape: Inpainting(shape, torch.ones(4, 8)),
    lambda shape: AveragePool(shape, 2),
    lambda shape: BicubicDownsample(shape, 2),
    lambda shape: Blur(shape, torch.ones(2, 2)),
    lambda shape: SeparableBlur(shape, [1.0], [1.0]),
    lambda shape: WalshHadamard(shape, 0.5),
    lambda shape: BlockSensing(shape, 0.5, 2),
]


@pytest.mark.parametrize("make", [*PICTURE, Identity, Grayscale])
@pytest.mark.parametrize("shape", [8, "48", (3, 4.0, 8), (True, 4, 8), None])
def test_shape_is_not_integers(make: Callable, shape: object) -> None:
    with says(TypeError, "tuple of integers", "(3, 64, 64)", repr(shape)):
        make(shape)


@pytest.mark.parametrize("make", [*PICTURE, Identity, Grayscale])
@pytest.mark.parametrize("shape", [(), (3, 0, 8), (3, 4, -8)])
def test_shape_is_not_positive(make: Callable, shape: tuple) -> None:
    with says(ValueError, "at least 1", shape):
        make(shape)


@pytest.mark.parametrize("make", PICTURE)
@pytest.mark.parametrize("shape", [(8,), (2, 3, 4, 8)])
def test_shape_is_not_a_picture(make: Callable, shape: tuple) -> None:
    with says(ValueError, "2 or 3 dimensions", "no batch", shape):
        make(shape)


def test_gray_of_a_picture_without_channels() -> None:
    with says(ValueError, "3 dimensions", "(4, 8)"):
        Grayscale((4, 8))


FACTORS = [
    AveragePool,
    BicubicDownsample,
    lambda shape, block: BlockSensing(shape, 0.5, block),
]


@pytest.mark.parametrize("make", FACTORS)
@quick
@given(st.integers(-3, 40), st.integers(1, 30), st.integers(1, 30))
def test_factor_must_divide(make: Callable, r: int, h: int, w: int) -> None:
    assume(r < 1 or h % r or w % r)
    with says(ValueError, f"{r} does not divide", f"{h} x {w}", "use one of"):
        make((h, w), r)


@pytest.mark.parametrize("make", FACTORS)
def test_the_factors_it_suggests_are_right(make: Callable) -> None:
    with says(ValueError, "use one of [1, 2, 3, 6]"):
        make((12, 18), 5)


@pytest.mark.parametrize("make", FACTORS)
@pytest.mark.parametrize("factor", [2.0, "2", None, True])
def test_factor_is_not_an_integer(make: Callable, factor: object) -> None:
    with says(TypeError, "must be an integer", repr(factor)):
        make((4, 8), factor)


@pytest.mark.parametrize("make", [WalshHadamard, BlockSensing])
class TestRatio:
    @quick
    @given(st.floats().filter(lambda r: not 0 < r <= 1))
    def test_outside(self, make: type, ratio: float) -> None:
        with says(ValueError, "ratio", "(0, 1]", ratio, "1/4"):
            make((8, 8), ratio)

    @pytest.mark.parametrize("ratio", ["half", None])
    def test_not_a_number(self, make: type, ratio: object) -> None:
        with says(TypeError, "ratio", "(0, 1]", repr(ratio)):
            make((8, 8), ratio)


@quick
@given(st.floats().filter(lambda v: v not in (0, 1)), st.integers(0, 11))
def test_mask_is_not_binary(value: float, at: int) -> None:
    mask = torch.ones(3, 4, dtype=torch.float64)
    mask.flatten()[at] = value
    with says(ValueError, "only 0", "1", "mask > 0.5"):
        Inpainting((3, 4), mask)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float32])
def test_mask_hides_everything(dtype: torch.dtype) -> None:
    with says(ValueError, "hides every pixel"):
        Inpainting((3, 4), torch.zeros(3, 4, dtype=dtype))


@pytest.mark.parametrize("shape", [(4, 3), (1, 3, 4), (2, 3), (3,), ()])
def test_mask_does_not_fit(shape: tuple) -> None:
    with says(ValueError, "(3, 4)", "(2, 3, 4)", f"got {shape}"):
        Inpainting((2, 3, 4), torch.ones(shape))


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0,) * 4, ()])
def test_weights_do_not_fit(weights: tuple) -> None:
    with says(ValueError, "3 channels", f"got {len(weights)}"):
        Grayscale(SHAPE, weights)


CONSTANTS: dict[str, Callable] = {
    "kernel": lambda k: Blur((8, 8), k),
    "kernel_h": lambda k: SeparableBlur((8, 8), k, [1.0]),
    "kernel_w": lambda k: SeparableBlur((8, 8), [1.0], k),
    "weights": lambda k: Grayscale((4, 2, 2), k),
    "matrix": MatrixOperator,
}


def constant(name: str, value: float) -> torch.Tensor:
    dims = 2 if name in ("kernel", "matrix") else 1
    return torch.full([4] * dims, value, dtype=torch.float64)


@pytest.mark.parametrize("name", CONSTANTS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_constant_is_not_finite(name: str, bad: float) -> None:
    given = constant(name, 1.0)
    given.flatten()[-1] = bad
    with says(ValueError, f"{name} holds 1 NaN or infinite"):
        CONSTANTS[name](given)


@pytest.mark.parametrize("name", sorted(set(CONSTANTS) - {"matrix"}))
def test_constant_is_all_zeros(name: str) -> None:
    with says(ValueError, f"{name} is all zeros"):
        CONSTANTS[name](constant(name, 0.0))


@pytest.mark.parametrize("name", CONSTANTS)
def test_constant_is_complex(name: str) -> None:
    with says(TypeError, f"{name} must be real", "complex", ".real"):
        CONSTANTS[name](constant(name, 1.0).cfloat())


@pytest.mark.parametrize("name", CONSTANTS)
@pytest.mark.parametrize("given", ["blur", None, [1j], {"a": 1}])
def test_constant_is_not_numbers(name: str, given: object) -> None:
    with says(TypeError, name, "real numbers", type(given).__name__):
        CONSTANTS[name](given)


def test_wrong_dimensions() -> None:
    with says(ValueError, "kernel", "two dimensions", "(5,)", "k[:, None]"):
        Blur((8, 8), torch.ones(5))
    with says(ValueError, "kernel_h", "one-dimensional", "(5, 1)"):
        SeparableBlur((8, 8), torch.ones(5, 1), torch.ones(5))
    with says(ValueError, "matrix", "two dimensions (m, n)", "(5,)"):
        MatrixOperator(torch.ones(5))


@quick
@given(*[st.integers(1, 12)] * 4)
def test_kernel_larger_than_the_picture(
    h: int, w: int, height: int, width: int
) -> None:
    assume(h > height or w > width)
    with says(ValueError, f"{h} x {w}", f"{height} x {width}", "crop"):
        Blur((height, width), torch.ones(h, w))


def test_line_kernel_longer_than_can_reach() -> None:
    SeparableBlur((3, 4), torch.ones(5), torch.ones(7))
    with says(ValueError, "kernel_w", "8 taps", "7", "crop"):
        SeparableBlur((3, 4), torch.ones(5), torch.ones(8))


RCOND = [
    lambda r: MatrixOperator(torch.eye(3), rcond=r),
    lambda r: Blur((4, 4), torch.ones(2, 2), rcond=r),
    lambda r: SeparableBlur((4, 4), [1.0], [1.0], rcond=r),
]


@pytest.mark.parametrize("make", RCOND)
@pytest.mark.parametrize("rcond", [-1e-3, 1, 1.5, float("nan")])
def test_rcond_out_of_range(make: Callable, rcond: float) -> None:
    with says(ValueError, "rcond", "[0, 1)", rcond):
        make(rcond)


@pytest.mark.parametrize("make", RCOND)
def test_rcond_is_not_a_number(make: Callable) -> None:
    with says(TypeError, "rcond", "[0, 1)", "'small'"):
        make("small")


def test_kernels_without_taps_or_width() -> None:
    for length in (0, -1):
        for make in (box_kernel, lambda n: gaussian_kernel(n, 1.0)):
            with says(ValueError, "at least 1", length):
                make(length)
    for sigma in (0.0, -1.0, float("nan")):
        with says(ValueError, "sigma", "positive", sigma):
            gaussian_kernel(3, sigma)


# Several operators.


@pytest.mark.parametrize("make", [Chain, LinearComposition])
class TestStages:
    def test_none(self, make: type) -> None:
        with says(ValueError, "at least one"):
            make()

    def test_neighbours_do_not_fit(self, make: type) -> None:
        stages = Grayscale(SHAPE), Identity((1, 4, 8)), AveragePool(SHAPE, 2)
        with says(
            ValueError, "stage 1 (Identity)", "(1, 4, 8)", "stage 2", SHAPE
        ):
            make(*stages)

    @pytest.mark.parametrize("stage", [None, torch.nn.ReLU(), abs])
    def test_not_an_operator(self, make: type, stage: object) -> None:
        with says(TypeError, "PseudoInvertible", type(stage).__name__):
            make(Grayscale(SHAPE), stage)


def test_composition_of_a_non_linear_stage() -> None:
    with says(TypeError, "Chain is not a LinearOperator", "use Chain"):
        LinearComposition(Chain(Grayscale(SHAPE)))


def test_split_by_a_non_linear_operator() -> None:
    with says(TypeError, "LinearOperator", "Chain", "MatrixOperator(matrix)"):
        range_null(Chain(Grayscale(SHAPE)), torch.ones(1, *SHAPE))


@pytest.mark.parametrize("name", sorted(set(OPERATORS) - {"chain"}))
def test_response_of_the_wrong_shape(name: str) -> None:
    op = OPERATORS[name]()
    with says(ValueError, "response", "same shape", "(3, 2)"):
        op.spectral_filter(
            torch.ones(1, *op.in_shape), lambda s: torch.ones(3, 2)
        )


@pytest.mark.parametrize(
    ("base", "missing"),
    [
        (LinearOperator, "forward(x) -> y"),
        (PseudoInvertible, "complete(x) -> (y, z)"),
    ],
)
def test_subclass_without_its_methods(base: type, missing: str) -> None:
    class Mine(base):
        pass

    with says(NotImplementedError, "Mine must define", missing):
        Mine((2,), (2,))(torch.ones(1, 2))
