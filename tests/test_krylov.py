"""Krylov methods against a dense SVD of the same operator."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pinv_edu import (
    AveragePool,
    BicubicDownsample,
    BlockSensing,
    Blur,
    Grayscale,
    Inpainting,
    LinearComposition,
    LinearOperator,
    MatrixOperator,
    SeparableBlur,
    WalshHadamard,
    check_operator,
    gaussian_kernel,
)
from pinv_edu.linear.spectra import (
    CirculantGram,
    DenseSVD,
    DiagonalGram,
    Krylov,
    choose_spectrum,
)


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def seen(*shape: int) -> Tensor:
    return random(*shape, seed=1) > -0.5


SHAPE = (3, 8, 8)
GRAY = (1, 8, 8)
OPERATORS: dict[str, Callable[[], LinearOperator]] = {
    "wide": lambda: MatrixOperator(random(7, 12)),
    "tall": lambda: MatrixOperator(random(12, 7)),
    "rank 3": lambda: MatrixOperator(random(8, 3) @ random(3, 9)),
    "one value": lambda: MatrixOperator(torch.eye(4).double()[:2]),
    "blur, pool": lambda: LinearComposition(
        Blur(SHAPE, [[0.6, 0.3, 0.1]]), AveragePool(SHAPE, 2)
    ),
    "mask, bicubic": lambda: LinearComposition(
        Inpainting(GRAY, seen(8, 8)), BicubicDownsample(GRAY, 2)
    ),
    "mask, gray, blur (rank-deficient)": lambda: LinearComposition(
        Inpainting(SHAPE, seen(8, 8)),
        Grayscale(SHAPE),
        SeparableBlur(GRAY, [0.2, 1.0, 0.2], [0.2, 1.0, 0.2]),
    ),
    "blur, Walsh-Hadamard (y a vector)": lambda: LinearComposition(
        Blur(GRAY[1:], [[0.6, 0.3, 0.1]]), WalshHadamard(GRAY[1:], 0.4)
    ),
    "blur, blocks (y of more dimensions)": lambda: LinearComposition(
        SeparableBlur(SHAPE, [0.2, 1.0], [1.0]), BlockSensing(SHAPE, 0.5, 2)
    ),
    "blur, mask (rank-deficient)": lambda: LinearComposition(
        SeparableBlur(GRAY, [0.1, 1.0, 0.3], [0.3, 1.0]),
        Inpainting(GRAY, seen(8, 8)),
    ),
}
RESPONSES = {
    "jump at zero": lambda s: (s > 0).double(),
    "null space": lambda s: (s == 0).double(),
    "Tikhonov": lambda s: s**2 / (s**2 + 0.1),
    "gap at zero": lambda s: torch.where(s > 0, 1 / (1 + s), 3.0),
    "squares": lambda s: s**2,
    "one number": lambda s: torch.tensor(0.5),
}


@pytest.fixture(params=OPERATORS)
def both(request: pytest.FixtureRequest) -> tuple[Krylov, DenseSVD]:
    operator = OPERATORS[request.param]()
    return Krylov(operator), DenseSVD.of(operator, None)


def pictures(krylov: Krylov, side: str, seed: int = 0) -> Tensor:
    shape = getattr(krylov.operator, f"{side}_shape")
    return random(3, *shape, seed=seed)


def close(a: Tensor, b: Tensor, tol: float = 1e-7) -> bool:
    return bool((a - b).norm() <= tol * (1 + b.norm()))


def test_pinv(both: tuple[Krylov, DenseSVD]) -> None:
    krylov, dense = both
    y = pictures(krylov, "out")  # with a part outside the range
    assert close(krylov.pinv(y), dense.pinv(y))


@pytest.mark.parametrize("name", RESPONSES)
def test_filter(both: tuple[Krylov, DenseSVD], name: str) -> None:
    krylov, dense = both
    x, response = pictures(krylov, "in"), RESPONSES[name]
    assert close(krylov.filter(x, response), dense.filter(x, response))


def test_items_that_are_zero_stay_zero(both: tuple[Krylov, DenseSVD]) -> None:
    krylov, dense = both
    x, y = pictures(krylov, "in"), pictures(krylov, "out")
    x[1] = y[1] = 0
    assert close(krylov.pinv(y), dense.pinv(y))
    assert not krylov.pinv(y)[1].any()
    response = RESPONSES["gap at zero"]
    assert close(krylov.filter(x, response), dense.filter(x, response))
    assert not krylov.filter(0 * x, response).any()


def test_items_of_very_different_size(
    both: tuple[Krylov, DenseSVD],
) -> None:
    krylov, dense = both
    y = pictures(krylov, "out") * 10.0 ** torch.tensor([-8, 0, 8]).view(
        3, *[1] * len(krylov.operator.out_shape)
    )
    for a, b in zip(krylov.pinv(y), dense.pinv(y)):
        assert (a - b).norm() <= 1e-7 * b.norm()


def test_items_do_not_disturb_each_other(
    both: tuple[Krylov, DenseSVD],
) -> None:
    krylov, _ = both
    y = pictures(krylov, "out")
    alone = torch.cat([krylov.pinv(y[i : i + 1]) for i in range(3)])
    assert close(krylov.pinv(y), alone)


def test_seen_or_lost_altogether(both: tuple[Krylov, DenseSVD]) -> None:
    krylov, dense = both
    x = pictures(krylov, "in")
    kept = dense.filter(x, RESPONSES["jump at zero"])
    for part in (kept, x - kept):
        for response in (RESPONSES["gap at zero"], RESPONSES["Tikhonov"]):
            assert close(
                krylov.filter(part, response), dense.filter(part, response)
            )


def test_single_precision_in_single_out(
    both: tuple[Krylov, DenseSVD],
) -> None:
    krylov, dense = both
    y = pictures(krylov, "out").float()
    x = pictures(krylov, "in").float()
    assert krylov.pinv(y).dtype == torch.float32
    assert krylov.filter(x, torch.ones_like).dtype == torch.float32
    assert close(krylov.pinv(y).double(), dense.pinv(y.double()), 1e-5)


def test_unreachable_tolerance() -> None:
    values = 10.0 ** -torch.arange(7).double()
    u, v = (torch.linalg.qr(random(7, 7, seed=s))[0] for s in (1, 2))
    krylov = Krylov(MatrixOperator((u * values) @ v.T), max_steps=4)
    with pytest.raises(
        RuntimeError, match=r"pseudo-inverse of MatrixOp.*1e-10"
    ):
        krylov.pinv(random(1, 7))
    with pytest.raises(RuntimeError, match="in 4 steps: the operator is too"):
        krylov.filter(random(1, 7), RESPONSES["Tikhonov"])


def test_filter_that_does_not_settle() -> None:
    krylov = Krylov(MatrixOperator(torch.linspace(0.5, 1, 40).diag()))
    krylov.max_steps = 35  # enough for the pseudo-inverse only

    def steep(s: Tensor) -> Tensor:
        return (s > 0.7).double()

    with pytest.raises(RuntimeError, match="the spectral filter of Matrix"):
        krylov.filter(random(1, 40), steep)


def test_no_singular_values_without_a_matrix() -> None:
    krylov = Krylov(OPERATORS["wide"]())
    with pytest.raises(NotImplementedError, match="on a smaller picture"):
        krylov.singular_values()


# Which of the three ways is taken.


def test_diagonal_gram_is_found() -> None:
    operator = LinearComposition(
        Inpainting((3, 256, 256), seen(256, 256)),
        Grayscale((3, 256, 256)),
        AveragePool((1, 256, 256), 4),
    )
    found = choose_spectrum(operator, torch.device("cpu"))
    assert isinstance(found, DiagonalGram)
    y = operator(random(1, 3, 256, 256))
    assert close(operator(operator.pinv(y)), y, 1e-12)


def blur_mask_pool(side: int) -> LinearComposition:
    shape = (1, side, side)
    return LinearComposition(
        Blur(shape, [[0.6, 0.3, 0.1]]),
        Inpainting(shape, seen(side, side)),
        AveragePool(shape, 2),
    )


def blur_gray_pool(side: int, width: int, sigma: float) -> LinearComposition:
    k = gaussian_kernel(width, sigma)
    shape = (3, side, side + 2)
    return LinearComposition(
        Blur(shape, torch.outer(k, k)),
        Grayscale(shape),
        AveragePool((1, side, side + 2), 2),
    )


def test_small_operators_are_dense_and_large_ones_not() -> None:
    for operator, wanted in (
        (blur_mask_pool(16), DenseSVD),
        (blur_mask_pool(96), Krylov),
        (blur_gray_pool(8, 3, 1.0), DenseSVD),
        (blur_gray_pool(94, 9, 2.0), CirculantGram),
    ):
        found = choose_spectrum(operator, torch.device("cpu"))
        assert isinstance(found, wanted)


def test_a_large_composition_obeys_the_laws() -> None:
    check_operator(blur_mask_pool(96), random(1, 1, 96, 96), tol=1e-6)
    strong = blur_gray_pool(94, 9, 2.0)  # badly conditioned
    check_operator(strong, random(2, 3, 94, 96), tol=1e-6)


@pytest.mark.parametrize("side", [11, 16])  # odd and even Fourier grids
def test_circulant_gram_against_the_dense_decomposition(side: int) -> None:
    shape = (2, 2 * side, 2 * side + 2)
    operator = LinearComposition(
        Blur(shape, [[0.5, 0.2], [0.2, 0.1]]), AveragePool(shape, 2)
    )
    found = CirculantGram.find(operator, random(1, *operator.out_shape))
    exact = DenseSVD.of(operator, torch.device("cpu"))
    y, x = random(3, *operator.out_shape), random(3, *shape, seed=5)
    assert close(found.pinv(y), exact.pinv(y), 1e-9)
    values = found.singular_values(), exact.singular_values()
    torch.testing.assert_close(*values, rtol=0, atol=1e-9)
    for response in (lambda s: (s > 0).double(), lambda s: 1 / (s + 0.1)):
        made = found.filter(x, response)
        assert close(made, exact.filter(x, response), 1e-9)


def test_circulant_gram_is_not_imagined() -> None:
    for operator in (blur_mask_pool(16), OPERATORS["wide"]()):
        probe = random(1, *operator.out_shape)
        assert CirculantGram.find(operator, probe) is None


def test_the_choice_is_made_once() -> None:
    operator = OPERATORS["blur, pool"]()
    assert operator._spectrum() is operator._spectrum()


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_measurements_may_have_fewer_dimensions(batch: int) -> None:
    """Steps of one number an item must fit both pictures and lists."""
    shape = (3, 8, 8)
    operator = LinearComposition(
        Blur(shape, [[0.6, 0.3, 0.1]]), WalshHadamard(shape, 0.25)
    )
    y = operator(random(batch, *shape))
    exact = DenseSVD.of(operator, torch.device("cpu")).pinv(y)
    assert close(Krylov(operator).pinv(y), exact, 1e-9)
