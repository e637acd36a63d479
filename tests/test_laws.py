"""The laws as tests, and a museum of operators that break them."""

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
    Chain,
    Grayscale,
    Identity,
    Inpainting,
    LawError,
    LinearComposition,
    LinearOperator,
    MatrixOperator,
    PseudoInvertible,
    SeparableBlur,
    WalshHadamard,
    box_kernel,
    check_operator,
    gaussian_kernel,
    penrose_residuals,
    range_null,
)


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def gaussian(taps: int, sigma: float) -> Tensor:
    line = gaussian_kernel(taps, sigma)
    return line[:, None] * line


def box(taps: int) -> Tensor:
    return box_kernel(taps)[:, None] * box_kernel(taps)


SHAPE = (3, 12, 8)
OURS: dict[str, Callable[[], LinearOperator]] = {
    "matrix": lambda: MatrixOperator(random(5, 9)),
    "matrix of rank 2": lambda: MatrixOperator(random(6, 2) @ random(2, 5)),
    "identity": lambda: Identity(SHAPE),
    "mask": lambda: Inpainting(SHAPE, random(12, 8) > 0),
    "pool": lambda: AveragePool(SHAPE, 4),
    "bicubic": lambda: BicubicDownsample(SHAPE, 4),
    "gray": lambda: Grayscale(SHAPE, (0.299, 0.587, 0.114)),
    "gaussian blur": lambda: Blur(SHAPE, gaussian(7, 1.5)),
    "box blur": lambda: Blur(SHAPE, box(4)),
    "line blur": lambda: SeparableBlur(
        SHAPE, gaussian_kernel(7, 2.0), box_kernel(3)
    ),
    "walsh": lambda: WalshHadamard(SHAPE, 0.25),
    "blocks": lambda: BlockSensing(SHAPE, 0.3, 4),
    "mask, gray, pool": lambda: LinearComposition(
        Inpainting(SHAPE, random(12, 8) > 0),
        Grayscale(SHAPE),
        AveragePool((1, 12, 8), 4),
    ),
    "bicubic, gray": lambda: LinearComposition(
        BicubicDownsample(SHAPE, 4), Grayscale((3, 3, 2))
    ),
}


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_our_operators_obey_every_law(name: str, dtype: torch.dtype) -> None:
    tol = 1e-9 if dtype == torch.float64 else 1e-4
    residuals = check_operator(OURS[name](), dtype=dtype)
    assert len(residuals) == 17
    assert max(residuals.values()) <= tol


def test_check_operator_on_pictures_of_the_readers_choice() -> None:
    x = random(1, *SHAPE).float()
    residuals = check_operator(AveragePool(SHAPE, 2), x)
    assert 0 < max(residuals.values()) < 1e-5
    with pytest.raises(LawError, match="is above 1e-12"):
        check_operator(AveragePool(SHAPE, 2), x, tol=1e-12)


# An operator that a reader writes in one line: all else is free.


class Mine(LinearOperator):
    """Gives only ``forward``."""

    def __init__(self, in_shape: tuple, out_shape: tuple, measure: Callable):
        super().__init__(in_shape, out_shape)
        self.measure = measure

    def forward(self, x: Tensor) -> Tensor:
        return self.measure(self.check_x(x))


FREE = {
    "differences": ((9,), (8,), lambda x: x.diff(dim=1)),
    "sums": ((9,), (9,), lambda x: x.cumsum(1)),
    "two rows": ((3, 90, 90), (2,), lambda x: x.flatten(2).mean(2)[:, :2]),
    "every second": ((1, 6, 6), (1, 3, 6), lambda x: x[:, :, ::2]),
    "second differences": (
        (4, 6),
        (4, 6),
        lambda x: x.roll(1, 2) - 2 * x + x.roll(-1, 2),
    ),
    "two overlapping means": (  # unit pictures would not fit in memory
        (3, 256, 256),
        (2,),
        lambda x: torch.stack(
            [x.mean((1, 2, 3)), x[:, 0, :99].mean((1, 2))], 1
        ),
    ),
}


@pytest.mark.parametrize("name", FREE)
def test_forward_alone_is_enough(name: str) -> None:
    op = Mine(*FREE[name])
    check_operator(op)
    check_operator(op, dtype=torch.float32)
    values = op.singular_values()
    m, n = (torch.Size(s).numel() for s in (op.out_shape, op.in_shape))
    assert len(values) == min(m, n)


def test_free_pseudo_inverse_is_moore_penrose() -> None:
    op, y = Mine(*FREE["sums"]), random(4, 9)
    matrix = op(torch.eye(9, dtype=torch.float64)).T
    assert torch.allclose(op.adjoint(y), y @ matrix)
    assert torch.allclose(op.pinv(y), y @ torch.linalg.pinv(matrix).T)
    square = op.spectral_filter(y, lambda s: s**2)
    assert torch.allclose(square, y @ matrix.T @ matrix)


# The museum. Every exhibit is modelled on code or text that was published.


class Pool(LinearOperator):
    """Block means by hand: right as it stands; the exhibits break it."""

    def __init__(self, shape: tuple = (3, 4, 6)):
        c, h, w = shape
        super().__init__(shape, (c, h // 2, w // 2))

    def forward(self, x: Tensor) -> Tensor:
        c, h, w = self.out_shape
        return x.reshape(-1, c, h, 2, w, 2).mean((3, 5))

    def repeat(self, y: Tensor) -> Tensor:
        return y.repeat_interleave(2, 2).repeat_interleave(2, 3)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.repeat(y) / 4

    def pinv(self, y: Tensor) -> Tensor:
        return self.repeat(y)


class ForgottenFactor(Pool):
    def adjoint(self, y: Tensor) -> Tensor:
        return self.repeat(y)


class TransposeForPinv(Pool):
    def pinv(self, y: Tensor) -> Tensor:
        return self.adjoint(y)


class MinusSign(Pool):
    def pinv(self, y: Tensor) -> Tensor:
        return -self.repeat(y)


class OnePixelOfFour(Pool):
    """Puts the mean's whole weight on one pixel: consistent, oblique."""

    def pinv(self, y: Tensor) -> Tensor:
        x = y.new_zeros(len(y), *self.in_shape)
        x[:, :, ::2, ::2] = 4 * y
        return x


class NotReflexive(MatrixOperator):
    """A {1}-inverse: A+ plus something that A does not see."""

    def __init__(self) -> None:
        super().__init__(random(4, 2) @ random(2, 6))
        lost = torch.eye(6).double() - self.svd.v @ self.svd.v.T
        cokernel = torch.eye(4).double() - self.svd.u @ self.svd.u.T
        self.extra = lost @ random(6, 4) @ cokernel

    def pinv(self, y: Tensor) -> Tensor:
        return super().pinv(y) + y @ self.extra.to(y.dtype).T


class WeightedFit(MatrixOperator):
    """Weighted least squares: a {1, 2, 4}-inverse of a tall matrix."""

    def __init__(self) -> None:
        super().__init__(random(6, 3))
        w = torch.arange(1.0, 7).double().diag()
        normal = self.matrix.T @ w @ self.matrix
        self.fit = torch.linalg.solve(normal, self.matrix.T @ w)

    def pinv(self, y: Tensor) -> Tensor:
        return y @ self.fit.to(y.dtype).T


class ScrambledChannels(Pool):
    """Channel-major values read back as pixel-major."""

    def pinv(self, y: Tensor) -> Tensor:
        c, h, w = self.out_shape
        mixed = y.reshape(-1, h * w, c).transpose(1, 2)
        return self.repeat(mixed.reshape(-1, c, h, w))


class FirstChannelOnly(Grayscale):
    """The gray picture on every channel, whatever the weights."""

    def __init__(self) -> None:
        super().__init__((3, 4, 4), (0.5, 0.3, 0.1))

    def pinv(self, y: Tensor) -> Tensor:
        return y.expand(-1, *self.in_shape)


class OldPhoto(LinearComposition):
    """The inverses in reverse order, as if that were the inverse."""

    def __init__(self) -> None:
        shape = (3, 4, 4)
        super().__init__(
            Inpainting(shape, random(4, 4) > -1),
            Grayscale(shape),
            AveragePool((1, 4, 4), 2),
        )

    def pinv(self, y: Tensor) -> Tensor:
        for operator in reversed(self.operators):
            y = operator.pinv(y)
        return y


class Affine(Pool):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 0.01


class InPlace(Pool):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.mul_(0.5))


class Remembers(Pool):
    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(x) * (1 + self.calls)


class CentredOnTheBatch(Pool):
    """Subtracts the mean of all items, as normalisation layers do."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x - x.mean(0, keepdim=True))


class InverseInPlace(Pool):
    def pinv(self, y: Tensor) -> Tensor:
        return self.repeat(y.mul_(1.5)) / 1.5


class AlwaysHalf(Pool):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).half()


class InverseAlwaysSingle(Pool):
    def pinv(self, y: Tensor) -> Tensor:
        return self.repeat(y).float()


class WrongShape(Pool):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).flatten(1)


class WrongShapeBack(Pool):
    def pinv(self, y: Tensor) -> Tensor:
        return self.repeat(y).flatten(1)


class HalfOfTheNullPart(Pool):
    """Null coordinates that keep some of what is measured."""

    def complete(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self(x)
        return y, x - self.pinv(y) / 2

    def complete_inverse(self, y: Tensor, z: Tensor) -> Tensor:
        return self.pinv(y) / 2 + z


class WholePictureAsNullPart(Pool):
    def complete(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self(x), x


class ScrambledFilter(Blur):
    """Singular values in one order here and in another there."""

    def __init__(self) -> None:
        super().__init__((3, 6, 4), gaussian(3, 1.0))

    def spectral_filter(self, x: Tensor, response: Callable) -> Tensor:
        spectrum, gain = torch.fft.rfft2(x), self.spectrum.abs()
        multiplier = response(gain.flatten().sort().values).reshape(gain.shape)
        return torch.fft.irfft2(spectrum * multiplier, x.shape[-2:])


class BlindFilter(Pool):
    """Takes every direction for one that is seen."""

    def spectral_filter(self, x: Tensor, response: Callable) -> Tensor:
        return x * response(torch.tensor([0.5]).double()).to(x.dtype)


class NoAnswer(Pool):
    def pinv(self, y: Tensor) -> Tensor:
        return self.repeat(y) * float("nan")


MUSEUM = {
    ForgottenFactor: "adjoint",
    TransposeForPinv: "P1",
    MinusSign: "P1",
    OnePixelOfFour: "P4",
    NotReflexive: "P2",
    WeightedFit: "P3",
    ScrambledChannels: "P1",
    FirstChannelOnly: "P1",
    OldPhoto: "P1",
    Affine: "linearity",
    InPlace: "same result twice",
    Remembers: "same result twice",
    CentredOnTheBatch: "same result in another batch",
    InverseInPlace: "same result twice",
    AlwaysHalf: "type and device",
    InverseAlwaysSingle: "type and device",
    WrongShape: "shape of g(x)",
    WrongShapeBack: "shape of the pseudo-inverse",
    HalfOfTheNullPart: "null coordinates",
    WholePictureAsNullPart: "completion",
    ScrambledFilter: "singular values",
    BlindFilter: "spectral filter",
    NoAnswer: "P1",
}


def test_the_model_of_the_museum_is_sound() -> None:
    check_operator(Pool())


@pytest.mark.parametrize("exhibit", MUSEUM)
def test_museum(exhibit: type[LinearOperator]) -> None:
    with pytest.raises(LawError) as caught:
        check_operator(exhibit())
    assert caught.value.law == MUSEUM[exhibit]
    assert str(caught.value).startswith(f"{MUSEUM[exhibit]}: residual ")


class Surjection(PseudoInvertible):
    """y = a exp(b): the museum's model of a non-linear map."""

    def __init__(self) -> None:
        super().__init__((2,), (1,))

    def complete(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x[:, :1] * x[:, 1:].exp(), x[:, 1:]

    def complete_inverse(self, y: Tensor, z: Tensor) -> Tensor:
        return torch.cat([y * (-z).exp(), z], 1)

    def null_code(self, y: Tensor) -> Tensor:
        return y.sin()


class SeedFormula(Surjection):
    """x + g+(y - g(x)): the pre-image of a difference means nothing."""

    def project(self, x: Tensor, y: Tensor, *args: float, **_: str) -> Tensor:
        return x + self.pinv(y - self(x))


class HighCeiling(Surjection):
    """A curve that saturates: beyond it the data are not reached."""

    def complete(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y, z = super().complete(x)
        return y.clamp(-1, 1), z


class CentredMisses(Surjection):
    def _project_centred(self, x: Tensor, *_: Tensor) -> Tensor:
        return x


class FlatCode(Surjection):
    """The pseudo-inverse that the shipped pinv ignores."""

    def pinv(self, y: Tensor) -> Tensor:
        return self.complete_inverse(y + 1, 0 * y)


NON_LINEAR_MUSEUM = {
    SeedFormula: "back-projection",
    HighCeiling: "completion",
    CentredMisses: "centred back-projection",
    FlatCode: "P1",
}


@pytest.mark.parametrize("exhibit", NON_LINEAR_MUSEUM)
def test_non_linear_museum(exhibit: type[PseudoInvertible]) -> None:
    residuals = check_operator(Surjection())
    assert "right inverse" in residuals and "P4" not in residuals
    with pytest.raises(LawError) as caught:
        check_operator(exhibit())
    assert caught.value.law == NON_LINEAR_MUSEUM[exhibit]


def test_linear_stages_in_the_wrong_kind_of_composition() -> None:
    stages = OldPhoto().operators
    check_operator(LinearComposition(*stages))
    with pytest.raises(LawError, match="P1") as caught:
        check_operator(Chain(*stages))
    assert caught.value.law == "P1"


# Lawful, but not what it says: only a picture shows it.

KEEP_CONSTANTS = {
    "mask": lambda: Inpainting(SHAPE, torch.ones(12, 8)),
    "pool": lambda: AveragePool(SHAPE, 4),
    "bicubic": lambda: BicubicDownsample(SHAPE, 4),
    "gray": lambda: Grayscale(SHAPE),
    "luma": lambda: Grayscale(SHAPE, (0.299, 0.587, 0.114)),
    "gaussian blur": lambda: Blur(SHAPE, gaussian(5, 10.0)),
    "uniform blur": lambda: Blur(SHAPE, box(7)),
    "even blur": lambda: Blur(SHAPE, box(4)),
}


@pytest.mark.parametrize("name", KEEP_CONSTANTS)
def test_constant_picture_stays_constant(name: str) -> None:
    op = KEEP_CONSTANTS[name]()
    y = op(torch.full((1, *SHAPE), 0.6, dtype=torch.float64))
    assert (y - 0.6).abs().max() < 1e-12


@pytest.mark.parametrize("taps", [3, 4, 5, 9])
def test_line_blur_keeps_a_constant_inside(taps: int) -> None:
    op = SeparableBlur((24, 24), box_kernel(taps), box_kernel(taps), 0.0)
    y = op(torch.ones(1, 24, 24).double())
    assert (y[0, 5:-5, 5:-5] - 1).abs().max() < 1e-12


@pytest.mark.parametrize("name", ["gaussian blur", "uniform blur"])
def test_blur_leaves_color_apart(name: str) -> None:
    x = torch.tensor([0.9, 0.5, 0.1]).double()[:, None, None].expand(SHAPE)
    assert torch.allclose(KEEP_CONSTANTS[name]()(x[None]), x[None])


@pytest.mark.parametrize("taps", [3, 5, 9])
def test_symmetric_blur_does_not_shift(taps: int) -> None:
    op, x = Blur((12, 12), gaussian(taps, 1.0)), random(1, 12, 12)
    assert torch.allclose(op(x.flip(1, 2)), op(x).flip(1, 2))


def test_kernel_without_its_last_tap_is_lawful_but_darkens() -> None:
    for taps, mass in ((9, 0.889), (5, 0.802)):
        line = box_kernel(9) if taps == 9 else gaussian_kernel(5, 10.0)
        short = line.clone()
        short[-1] = 0
        op = Blur((1, 12, 12), short[:, None] * short)
        check_operator(op)
        y = op(torch.ones(1, 1, 12, 12).double())
        assert y.mean().item() == pytest.approx(mass**2, abs=2e-3)


class ScrambledBlur(LinearOperator):
    """U S V' with the values of all channels in the wrong order."""

    def __init__(self, shape: tuple, values: Callable[[Tensor], Tensor]):
        super().__init__(shape, shape)
        self.whole = SeparableBlur(
            shape[1:], gaussian_kernel(5, 1.0), gaussian_kernel(5, 1.0)
        )
        per_picture = self.whole.values.flatten()
        self.values = values(per_picture).reshape(*shape[1:], shape[0])

    def forward(self, x: Tensor) -> Tensor:
        at = self.whole._to_x(x) * self.values.permute(2, 0, 1).to(x.dtype)
        return self.whole._from_y(at)


def test_scrambled_singular_values_are_lawful_but_another_blur() -> None:
    shape, x = (3, 6, 8), random(1, 3, 6, 8)
    wrong = ScrambledBlur(shape, lambda s: s.repeat(3))
    right = ScrambledBlur(shape, lambda s: s.repeat_interleave(3))
    blur = SeparableBlur(shape, *[gaussian_kernel(5, 1.0)] * 2)
    check_operator(wrong)
    assert torch.allclose(right(x), blur(x))
    assert (wrong(x) - blur(x)).norm() > 0.1 * blur(x).norm()
    gray = x[:, :1].expand(-1, 3, -1, -1)  # blurring cannot add colour
    assert blur(gray).std(1).max() < 1e-12 < wrong(gray).std(1).max()


# Penrose identities and the range-null decomposition.


def test_only_the_fourth_identity_singles_out_moore_penrose() -> None:
    class Right(MatrixOperator):
        def pinv(self, y: Tensor) -> Tensor:
            return y @ self.oblique.T

    op = Right(random(3, 6))
    free = random(6, 3, seed=1)
    op.oblique = free @ torch.linalg.inv(op.matrix @ free)
    found = penrose_residuals(op, random(4, 6, seed=2))
    assert max(found[p] for p in ("P1", "P2", "P3")) < 1e-12 < 0.01
    assert found["P4"] > 0.1


def test_penrose_residuals_are_relative() -> None:
    class Nearly(MatrixOperator):
        def pinv(self, y: Tensor) -> Tensor:
            return 1.001 * super().pinv(y)

    for scale in (1e-6, 1.0, 1e6):
        found = penrose_residuals(Nearly(scale * random(3, 5)), random(2, 5))
        assert found["P1"] == pytest.approx(1e-3, rel=1e-6)
        assert found["P2"] == pytest.approx(1e-3, rel=1e-6)
        assert max(found["P3"], found["P4"]) < 1e-12


def test_penrose_residuals_of_non_linear_maps() -> None:
    x = random(3, 2)
    found = penrose_residuals(Surjection(), x)
    assert list(found) == ["P1", "P2", "right inverse"]
    assert max(found.values()) < 1e-12
    given = penrose_residuals(FlatCode(), x, torch.full((3, 1), 4.0).double())
    assert given["right inverse"] == pytest.approx(1 / 4)


@pytest.mark.parametrize("name", OURS)
def test_range_null_decomposition(name: str) -> None:
    op = OURS[name]()
    x = random(2, *op.in_shape)
    seen, lost = range_null(op, x)
    inner = (seen * lost).flatten(1).sum(1)
    assert torch.allclose(seen + lost, x)
    assert inner.abs().max() < 1e-9 * x.square().sum()
    assert op(lost).norm() < 1e-9 * x.norm()
    assert torch.allclose(range_null(op, seen)[0], seen)
    # P4: the range part has the least norm of all that measure the same
    # (equal where nothing is lost: leave room for the last bit)
    least, norm = (v.flatten(1).norm(dim=1) for v in (seen, x))
    assert (least <= norm * (1 + 1e-12)).all()


def test_pinv_times_a_is_no_identity_but_has_its_rank_as_trace() -> None:
    op = MatrixOperator(random(3, 6))
    seen = range_null(op, torch.eye(6).double())[0]
    assert torch.trace(seen).item() == pytest.approx(3)
    assert (seen - torch.eye(6)).norm().item() == pytest.approx(3**0.5)


def test_minus_sign_doubles_the_residual() -> None:
    op, x, y = MatrixOperator(random(3, 6)), random(1, 6), random(1, 3)
    minus = x - op.pinv(y - op(x))
    assert (op(minus) - y).norm() == pytest.approx(2 * (op(x) - y).norm())


def test_outside_the_range_only_the_projection_of_y_is_matched() -> None:
    op = MatrixOperator(random(5, 2) @ random(2, 6))
    x, y = random(1, 6, seed=1), random(1, 5, seed=2)
    moved = op.project(x, y)
    assert (op(moved) - y).norm() > 0.1
    assert torch.allclose(op(moved), op(op.pinv(y)))


def test_back_projection_moves_least() -> None:
    op, x, y = MatrixOperator(random(3, 6)), random(1, 6, seed=1), random(1, 3)
    free = random(6, 3, seed=1)
    oblique = free @ torch.linalg.inv(op.matrix @ free)
    other = x + (y - op(x)) @ oblique.T
    assert torch.allclose(op(other), y)
    assert (op.project(x, y) - x).norm() < (other - x).norm()


@pytest.mark.parametrize("strength", [0.5, 1.0, 1.9])
def test_relaxed_steps_converge_between_zero_and_two(strength: float) -> None:
    op, x, y = MatrixOperator(random(3, 6)), random(1, 6, seed=1), random(1, 3)
    start = float((op(x) - y).norm())
    for _ in range(4):
        x = op.project(x, y, strength)
    left = abs(1 - strength) ** 4 * start
    assert (op(x) - y).norm().item() == pytest.approx(left, abs=1e-12)


# When back-projection is a step of gradient descent.


def descend(op: LinearOperator, x: Tensor, y: Tensor, step: float) -> Tensor:
    return x - step * op.adjoint(op(x) - y)


STEPS = {
    "mask": (lambda: Inpainting(SHAPE, random(12, 8) > 0), 1),
    "walsh": (lambda: WalshHadamard(SHAPE, 0.25), 1),
    "blocks": (lambda: BlockSensing(SHAPE, 0.25, 4), 1),
    "pool": (lambda: AveragePool(SHAPE, 4), 16),
    "gray": (lambda: Grayscale(SHAPE), 3),
}


@pytest.mark.parametrize("name", STEPS)
def test_step_that_makes_descent_back_projection(name: str) -> None:
    op, step = STEPS[name][0](), STEPS[name][1]
    x, y = random(2, *SHAPE), op(random(2, *SHAPE, seed=1))
    assert torch.allclose(descend(op, x, y, step), op.project(x, y))
    gap = (descend(op, x, y, 1.0) - op.project(x, y)).norm()
    assert bool(gap < 1e-12) is (step == 1)
    values = op.singular_values()
    assert values[values > 0].unique().tolist() == [step**-0.5]


def test_no_step_makes_descent_back_projection_for_bicubic() -> None:
    op = BicubicDownsample((16, 16), 4)
    values = op.singular_values()
    assert values.min() < 0.6 * values.max()
    x, y = random(1, 16, 16), op(random(1, 16, 16, seed=1))
    gap = [
        (descend(op, x, y, 1 / float(v) ** 2) - op.project(x, y)).norm()
        for v in (values.max(), values.median(), values.min())
    ]
    assert min(gap) > 1e-3


def landweber(condition: float) -> tuple[int, float]:
    """Steps to a relative residual of 1e-6, and the distance left."""
    values = torch.tensor([1.0, 0.7, 0.4, 0.0]) * (1 - 1 / condition)
    u, v = (torch.linalg.qr(random(4, 4, seed=s))[0] for s in (1, 2))
    op = MatrixOperator((u * (values + 1 / condition)) @ v.T)
    x, y = torch.zeros(1, 4).double(), op(torch.ones(1, 4).double())
    wanted, steps = op.project(x, y), 0
    while (op(x) - y).norm() > 1e-6 * y.norm():
        x, steps = descend(op, x, y, 1.0), steps + 1
    return steps, float((x - wanted).norm() / wanted.norm())


def test_descent_is_slow_where_back_projection_takes_one_step() -> None:
    steps, errors = zip(*(landweber(c) for c in (1, 3, 10, 30)))
    assert steps[0] == 1
    for count, condition in zip(steps[1:], (3, 10, 30)):
        # each step shrinks the slowest part by 1 - 1 / condition**2
        assert condition**2 < count <= 14 * condition**2
    assert max(errors) < 1e-4
