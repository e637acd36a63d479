"""Bijections: round trips, volumes, rotations, and what they promise."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pinv_edu import (
    AveragePool,
    Chain,
    Grayscale,
    Inpainting,
    MatrixOperator,
    PseudoInvertible,
    check_operator,
)
from pinv_edu.bijections import (
    ActNorm,
    AffineCoupling,
    Bijection,
    CayleyMix,
    ColorMix,
    Curve,
    Gamma,
    HouseholderMix,
    LogExposure,
    OrthogonalMix,
    PixelUnshuffle,
    SensorResponse,
    mix_channels,
    small_net,
)
from pinv_edu.solving import solved_once

quick = settings(max_examples=20, deadline=None, derandomize=True)
COLOURS = [[0.8, 0.3, -0.1], [0.1, 0.9, 0.0], [0.0, -0.2, 1.2]]
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}
EPS = {t: torch.finfo(t).eps for t in TOLERANCE}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0, dtype=torch.float64) -> Tensor:
    return torch.randn(shape, generator=rng(seed), dtype=torch.float64).to(
        dtype
    )


def stirred(module: nn.Module, size: float = 0.3, seed: int = 0) -> nn.Module:
    """Weights moved away from their start, as training would do."""
    with torch.no_grad():
        for i, weight in enumerate(module.parameters()):
            weight += size * noise(*weight.shape, seed=seed + i)
    return module


# name: (make, shape of x); all with tiny shapes, so that a dense Jacobian
# can be had.
SHAPE = (3, 2, 4)
BIJECTIONS: dict[str, Callable[[], Bijection]] = {
    "gamma": lambda: Gamma(SHAPE, 2.2),
    "gamma undone": lambda: Gamma((5,), 1 / 2.2),
    "sensor": lambda: SensorResponse(SHAPE),
    "sensor, other": lambda: SensorResponse((7,), 3.0, knee=0.3, leak=0.2),
    "log": lambda: LogExposure(SHAPE),
    "log, 9 stops": lambda: LogExposure((4, 4), stops=9),
    "colours": lambda: ColorMix(SHAPE, COLOURS),
    "matrix": lambda: ColorMix((3,), COLOURS),
    "unshuffle": lambda: PixelUnshuffle(SHAPE, 2),
    "cayley": lambda: stirred(CayleyMix(SHAPE)),
    "cayley, haar": lambda: stirred(CayleyMix((8, 2, 2), start="haar")),
    "cayley, flat": lambda: CayleyMix((9,), spread=3.0),
    "householder": lambda: stirred(HouseholderMix(SHAPE, 2)),
    "householder, flat": lambda: HouseholderMix((6,), 6),
    "coupling": lambda: stirred(AffineCoupling(SHAPE, hidden=4)),
    "coupling, swapped": lambda: stirred(
        AffineCoupling((5,), hidden=6, swap=True, scale_bound=1.0)
    ),
    "actnorm": lambda: stirred(ActNorm(SHAPE)),
    "actnorm, flat": lambda: stirred(ActNorm((4,))),
}
MIXES = [
    name
    for name, make in BIJECTIONS.items()
    if isinstance(make(), OrthogonalMix)
]
WELL_CONDITIONED = [n for n in BIJECTIONS if not n.startswith("gamma")]


@pytest.fixture(params=BIJECTIONS)
def bijection(request: pytest.FixtureRequest) -> Bijection:
    return BIJECTIONS[request.param]()


def assert_near(a: Tensor, b: Tensor, tol: float) -> None:
    assert (a - b).norm() <= tol * b.norm()


# The laws.


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.filterwarnings("error")
def test_all_laws(bijection: Bijection, dtype: torch.dtype) -> None:
    check_operator(bijection, dtype=dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", WELL_CONDITIONED)
@quick
@given(seed=st.integers(0, 1000), size=st.sampled_from([0.01, 1.0, 20.0]))
def test_round_trips_far_outside_too(
    name: str, dtype: torch.dtype, seed: int, size: float
) -> None:
    op = BIJECTIONS[name]().to(torch.float64)
    draw = torch.rand(4, *op.in_shape, generator=rng(seed)) * 2 - 1
    x = (size * draw).to(dtype)
    y = x.reshape(4, *op.out_shape)
    assert_near(op.inverse(op(x)), x, TOLERANCE[dtype])
    assert_near(op(op.inverse(y)), y, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("exponent", [0.1, 1 / 2.2, 0.9, 1.0, 1.5, 2.2, 5.0])
def test_gamma_round_trip_law(exponent: float, dtype: torch.dtype) -> None:
    near_black = -1 + torch.logspace(-9, 0, 200, dtype=torch.float64)
    x = torch.cat([torch.linspace(-20, 20, 801), near_black, -2 - near_black])
    x = x.to(dtype)[None]
    op = Gamma(x.shape[1:], exponent)
    u, power = (x.double() + 1) / 2, max(exponent, 1 / exponent)
    if exponent >= 1:  # the image is rounded, then a root is taken
        back, image = op.inverse(op(x)), op(x)
    else:
        back, image = op(op.inverse(x)), op.inverse(x)
    delta = 4 * EPS[dtype] * (1 + image.double().abs())
    slope = power * u.abs() ** (power - 1)
    bound = torch.minimum(2 * delta / slope, 4 * (delta / 4) ** (1 / power))
    rounding = 8 * EPS[dtype] * (1 + x.double().abs())
    assert ((back - x).abs() <= bound + rounding).all()
    # The other order is accurate for every value.
    other = op(op.inverse(x)) if exponent >= 1 else op.inverse(op(x))
    assert ((other - x).abs() <= power * rounding).all()


def test_gamma_at_black() -> None:
    """The infinite slope is real: one rounding of y moves x visibly."""
    op = Gamma((1,), 2.2)
    black = torch.full((1, 1), -1.0)
    assert op.inverse(black).item() == -1.0
    moved = op.inverse(torch.nextafter(black, black + 1)) + 1
    assert 5e-4 < moved.item() < 2e-3
    assert op.log_det(black).item() == -math.inf
    assert Gamma((1,), 0.5).log_det(black).item() == math.inf


@pytest.mark.parametrize("exponent", [0.4, 2.2])
def test_gamma_gradients_stay_finite_at_black(exponent: float) -> None:
    op = Gamma((3,), exponent)
    for call in (op, op.inverse):
        x = torch.tensor([[-1.0, 0.0, 1.0]], requires_grad=True)
        (gradient,) = torch.autograd.grad(call(x).sum(), x)
        assert gradient.isfinite().all()
        assert gradient[0, 0] == 0
        assert (gradient[0, 1:] > 0).all()


CURVES = [n for n in BIJECTIONS if isinstance(BIJECTIONS[n](), Curve)]


def curve(name: str, size: int) -> Curve:
    """The same curve on a vector."""
    op = BIJECTIONS[name]()
    Bijection.__init__(op, (size,))
    return op


@pytest.mark.parametrize("name", CURVES)
def test_curves_rise_strictly_and_onto(name: str) -> None:
    x = torch.linspace(-20, 20, 4001, dtype=torch.float64)[None]
    op = curve(name, x.shape[1])
    assert (op(x).diff() > 0).all()
    assert (op.inverse(x / 4).diff() > 0).all()
    # Onto: no level is left out, and the image grows without bound.
    ends = torch.tensor([[-1e12, 1e12]], dtype=torch.float64)
    low, high = curve(name, 2)(ends)[0].tolist()
    assert low < -4 and high > 4


@pytest.mark.parametrize("name", CURVES)
def test_curves_keep_black_and_slopes_are_right(name: str) -> None:
    x = torch.linspace(-5, 5, 614, dtype=torch.float64)[None]  # not black
    op = curve(name, x.shape[1])
    black = -torch.ones(1, 614, dtype=torch.float64)
    assert torch.equal(op(black), black)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(op(x).sum(), x)
    assert_near(op.slope((x + 1) / 2), slope, 1e-12)
    assert (slope > 0).all()


@pytest.mark.parametrize("name", CURVES)
def test_curves_are_smooth_at_their_joins(name: str) -> None:
    op = curve(name, 2)
    joins = [-1.0, 0.0, 1.0]
    if isinstance(op, SensorResponse):
        joins = [op.u_knee, op.u_full]
    if isinstance(op, Gamma) and op.exponent < 1:
        joins.remove(0.0)  # an infinite slope from both sides
    for u in joins:
        pair = torch.tensor([u - 1e-9, u + 1e-9], dtype=torch.float64)
        value, slope = op.response(pair), op.slope(pair)
        assert abs(value[1] - value[0]) < 1e-6
        assert abs(slope[1] - slope[0]) < 1e-6


def test_sensor_in_its_physical_terms() -> None:
    op = SensorResponse((2,), gain=2.0, knee=0.6, leak=0.05)
    u = torch.tensor([-3.0, 0.1, 0.3, op.u_full, 50.0], dtype=torch.float64)
    v = op.response(u)
    assert v[:3].tolist() == pytest.approx([-6.0, 0.2, 0.6])
    assert v[3].item() == pytest.approx(1 - 0.4 * 0.05)
    assert v[4].item() == pytest.approx(v[3].item() + 0.1 * (50 - op.u_full))
    assert op.slope(u).tolist() == pytest.approx([2, 2, 2, 0.1, 0.1])
    at_join = torch.tensor([op.u_knee, op.u_full]).double().requires_grad_()
    (slope,) = torch.autograd.grad(op.response(at_join).sum(), at_join)
    assert slope.tolist() == pytest.approx([2, 0.1])


def test_log_exposure_shows_doublings_in_equal_steps() -> None:
    op = LogExposure((5,), stops=12)
    light = torch.tensor([2.0**-k for k in range(5)], dtype=torch.float64)
    steps = -op.response(light).diff()
    assert op.response(light)[0].item() == pytest.approx(1)
    assert steps.tolist() == pytest.approx([steps[0].item()] * 4, rel=1e-4)
    assert torch.equal(op.response(-light), -op.response(light))


def test_log_det_is_that_of_the_jacobian(bijection: Bijection) -> None:
    bijection = bijection.double()
    x = noise(3, *bijection.in_shape)
    n = x[0].numel()
    for item, got in zip(x, bijection.log_det(x)):
        jacobian = torch.autograd.functional.jacobian(
            lambda a: bijection(a[None])[0], item
        )
        want = torch.linalg.slogdet(jacobian.reshape(n, n)).logabsdet
        assert got.item() == pytest.approx(want.item(), abs=1e-9)
    assert bijection.log_det(x.float()).dtype == torch.float32
    assert bijection.log_det(x).shape == (3,)


# Chains, with linear operators and among themselves.


def deep(seed: int) -> Chain:
    """A random chain that ends by losing information."""
    shape = (3, 4, 8)
    unshuffle = PixelUnshuffle(shape, 2)
    inner = unshuffle.out_shape
    middle = [
        lambda: CayleyMix(inner, start="haar"),
        lambda: HouseholderMix(inner, 5),
        lambda: AffineCoupling(inner, hidden=8),
        lambda: AffineCoupling(inner, hidden=8, swap=True),
        lambda: ActNorm(inner),
        lambda: LogExposure(inner, 3),
        lambda: SensorResponse(inner, 1.2),
    ]
    order = torch.randperm(len(middle), generator=rng(seed)).tolist()
    stages = [middle[i]() for i in order]
    last = [
        AveragePool(inner, 2),
        Inpainting(inner, (noise(*inner, seed=seed) > 0).int()),
        Grayscale(inner, torch.linspace(1, 2, 12)),
    ][seed % 3]
    first = [SensorResponse(shape), ColorMix(shape, COLOURS)]
    return stirred(Chain(*first, unshuffle, *stages, last), 0.1, seed).double()


def without_project(
    op: PseudoInvertible, x: Tensor, y: Tensor, strength: float
) -> Tensor:
    """Back-projection from its definition, code by code."""

    def flat(code: object) -> list[Tensor]:
        if isinstance(code, Tensor):
            return [code]
        return [t for part in code for t in flat(part)]

    def like(code: object, tensors: Iterator[Tensor]) -> object:
        if isinstance(code, Tensor):
            return next(tensors)
        return tuple(like(part, tensors) for part in code)

    g_x = op.complete(x)
    g_y, g_back = op.complete(op.pinv(y)), op.complete(op.pinv(op(x)))
    moved = [
        a + strength * (b - c)
        for a, b, c in zip(flat(g_x), flat(g_y), flat(g_back))
    ]
    return op.complete_inverse(*like(g_x, iter(moved)))


@pytest.mark.parametrize("seed", range(6))
def test_back_projection_through_deep_chains(seed: int) -> None:
    op = deep(seed)
    x, other = (0.5 * noise(2, 3, 4, 8, seed=s) for s in (seed, seed + 50))
    check_operator(op, x)
    with torch.no_grad():
        y = op(other)
        for strength in (0.0, 0.3, 1.0, 1.7):
            want = without_project(op, x, y, strength)
            assert_near(op.project(x, y, strength), want, 1e-9)
        for kind in ("raw", "centred"):
            got = op.project(x.float(), y.float(), completion=kind)
            assert_near(op(got).double(), y, 1e-4)


CAMERAS: dict[str, Callable[[], Chain]] = {
    "gamma, then pool": lambda: Chain(
        Gamma((3, 4, 4), 2.2), AveragePool((3, 4, 4), 2)
    ),
    "pool, then sensor": lambda: Chain(
        AveragePool((3, 4, 4), 2), SensorResponse((3, 2, 2))
    ),
    "colours, log, gray, gamma": lambda: Chain(
        ColorMix((3, 4, 4), COLOURS),
        LogExposure((3, 4, 4)),
        Grayscale((3, 4, 4)),
        Gamma((1, 4, 4), 0.45),
    ),
    "coupling, then matrix": lambda: Chain(
        stirred(AffineCoupling((6,), hidden=8)),
        MatrixOperator(noise(2, 6)),
    ),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", CAMERAS)
def test_laws_of_cameras(name: str, dtype: torch.dtype) -> None:
    check_operator(CAMERAS[name](), dtype=dtype)


# Rotations.


@pytest.mark.parametrize("size", [0.0, 1e-3, 1.0, 1e2, 1e4, 1e6])
@pytest.mark.parametrize("channels", [1, 2, 5, 48, 65])
def test_cayley_is_orthogonal_to_rounding(channels: int, size: float) -> None:
    op = CayleyMix((channels,), spread=size)
    eye = torch.eye(channels, dtype=torch.float64)
    w = op.matrix()
    assert (w @ w.T - eye).abs().max() <= 1e-12
    assert torch.linalg.det(w).item() == pytest.approx(1)
    cast = op.matrix(torch.float32)
    assert (cast @ cast.T - eye).abs().max() <= 1e-6


def test_cayley_is_cayleys_transform() -> None:
    op = CayleyMix((5,), spread=1.0)
    b, eye = op.B.double(), torch.eye(5, dtype=torch.float64)
    k = b - b.T
    want = torch.linalg.inv(eye + k) @ (eye - k)
    torch.testing.assert_close(op.matrix(), want, rtol=0, atol=1e-13)


@pytest.mark.parametrize("reflections", [1, 2, 7, 12])
def test_householder_has_the_rank_it_states(reflections: int) -> None:
    op = stirred(HouseholderMix((12, 2, 2), reflections), 5.0)
    w, eye = op.matrix(), torch.eye(12, dtype=torch.float64)
    assert (w @ w.T - eye).abs().max() <= 1e-13
    assert torch.linalg.matrix_rank(w - eye, tol=1e-9) <= reflections
    sign = torch.linalg.det(w).item()
    assert sign == pytest.approx((-1) ** reflections)
    for v in op.v.double():  # the definition, one reflection at a time
        eye = (torch.eye(12) - 2 * torch.outer(v, v) / (v @ v)) @ eye
    torch.testing.assert_close(w, eye, rtol=0, atol=1e-13)


@pytest.mark.parametrize("block", [1, 2, 4])
def test_haar_start_begins_with_block_means(block: int) -> None:
    unshuffle = PixelUnshuffle((3, 8, 8), block)
    mix = CayleyMix(unshuffle.out_shape, start="haar", block=block)
    x = noise(2, 3, 8, 8)
    means = AveragePool((3, 8, 8), block)(x)
    seen = mix(unshuffle(x))[:, :3]
    torch.testing.assert_close(seen, block * means, rtol=0, atol=1e-13)
    w = mix.matrix()
    eye = torch.eye(len(w), dtype=torch.float64)
    torch.testing.assert_close(w @ w.T, eye, rtol=0, atol=1e-13)


def test_unshuffle_has_torchs_order() -> None:
    x, r = noise(2, 2, 4, 6), 2
    y = PixelUnshuffle((2, 4, 6), r)(x)
    for c in range(2):
        for a in range(r):
            for b in range(r):
                got = y[:, c * r * r + a * r + b]
                assert torch.equal(got, x[:, c, a::r, b::r])


@pytest.mark.parametrize("rest", [(), (1, 1), (2, 3)])
def test_mixing_acts_on_the_channels(rest: tuple[int, ...]) -> None:
    matrix, x = noise(4, 4), noise(2, 4, *rest, seed=1)
    want = torch.einsum("dc,bc...->bd...", matrix, x)
    torch.testing.assert_close(mix_channels(matrix, x), want)


# A matrix is solved once.


@pytest.fixture
def solves(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each matrix that is solved from weights."""
    seen: list[str] = []
    for kind in (CayleyMix, HouseholderMix):

        def counted(
            self: OrthogonalMix,
            kind: type = kind,
            solve: Callable = kind.solve,
        ) -> Tensor:
            seen.append(kind.__name__)
            return solve(self)

        monkeypatch.setattr(kind, "solve", counted)
    return seen


def two_mixes() -> Chain:
    shape = (4, 4, 4)
    return Chain(
        CayleyMix(shape, spread=0.5),
        SensorResponse(shape),
        HouseholderMix(shape, 2),
        AveragePool(shape, 2),
    )


def project_once(op: Chain, seed: int = 0, **how: str) -> Tensor:
    x, y = noise(2, 4, 4, 4, seed=seed), noise(2, 4, 2, 2, seed=seed + 1)
    return op.project(x, y, **how)


@pytest.mark.parametrize("completion", ["raw", "centred"])
def test_one_solve_in_a_projection_with_gradient(
    solves: list[str], completion: str
) -> None:
    op = two_mixes()
    project_once(op, completion=completion).sum().backward()
    assert sorted(solves) == ["CayleyMix", "HouseholderMix"]
    # The graph is not kept: a second pass through it needs a new solve.
    project_once(op, completion=completion).sum().backward()
    assert len(solves) == 4


def test_the_shared_gradient_is_right() -> None:
    op = two_mixes().double()
    shared = torch.autograd.grad(
        project_once(op).square().sum(), list(op.parameters())
    )
    plain = torch.autograd.grad(
        Chain.project.__wrapped__(
            op, noise(2, 4, 4, 4), noise(2, 4, 2, 2, seed=1)
        )
        .square()
        .sum(),
        list(op.parameters()),
    )
    for a, b in zip(shared, plain):
        assert b.norm() > 0
        assert_near(a, b, 1e-12)


def test_no_solve_again_while_weights_stay(solves: list[str]) -> None:
    op = two_mixes()
    with torch.no_grad():
        for seed in range(3):
            project_once(op, seed)
    assert len(solves) == 2
    op.requires_grad_(False)  # frozen: kept with gradients to x, too
    x = noise(2, 4, 4, 4).requires_grad_()
    op.project(x, noise(2, 4, 2, 2)).sum().backward()
    assert len(solves) == 2 and x.grad.isfinite().all()


def test_inference_mode_leaves_nothing_unusable(solves: list[str]) -> None:
    op = two_mixes().requires_grad_(False)
    with torch.inference_mode():
        project_once(op)
    x = noise(2, 4, 4, 4).requires_grad_()
    op.project(x, noise(2, 4, 2, 2)).sum().backward()
    assert len(solves) == 2 and x.grad.isfinite().all()


def change_in_place(weight: nn.Parameter) -> None:
    with torch.no_grad():
        weight.mul_(-1.5).add_(0.1)


def change_data(weight: nn.Parameter) -> None:
    weight.data[0] += 2  # moves no version counter


def replace_data(weight: nn.Parameter) -> None:
    weight.data = weight.data * 2 + 1


def optimise(weight: nn.Parameter) -> None:
    weight.grad = torch.arange(weight.numel()).reshape(weight.shape) + 1.0
    torch.optim.SGD([weight], lr=0.1).step()


CHANGES = [change_in_place, change_data, replace_data, optimise]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["cayley", "householder"])
@torch.no_grad()
def test_never_a_stale_matrix(name: str, change: Callable) -> None:
    op = BIJECTIONS[name]()
    before = op.matrix().clone()
    change(next(op.parameters()))
    assert torch.equal(op.matrix(), op.solve())
    assert (op.matrix() - before).norm() > 0.01


@pytest.mark.parametrize("name", MIXES)
@torch.no_grad()
def test_loading_changing_type_and_replacing(name: str) -> None:
    op, other = BIJECTIONS[name](), stirred(BIJECTIONS[name](), 1.0, 9)
    op.matrix(), op.matrix(torch.float32)
    op.load_state_dict(other.state_dict())
    assert torch.equal(op.matrix(), other.matrix())
    assert torch.equal(op.double().matrix(), op.solve())
    (label, weight), *_ = op.named_parameters()
    setattr(op, label, nn.Parameter(weight.flip(0) + 0.5))
    assert torch.equal(op.matrix(), op.solve())
    assert torch.equal(op.matrix(torch.float32), op.solve().float())


@torch.no_grad()
def test_color_mix_follows_a_loaded_matrix() -> None:
    op, other = ColorMix((3,), COLOURS), ColorMix((3,), 2 * torch.eye(3))
    x = noise(2, 3)
    op.inverse(x)
    op.load_state_dict(other.state_dict())
    assert torch.equal(op.inverse(x), x / 2)
    narrow = ColorMix((3,), COLOURS).float()  # its matrix is rounded
    assert_near(narrow.inverse(narrow(x)), x, 1e-12)


def test_a_graph_is_not_kept() -> None:
    op = CayleyMix((4,), spread=1.0)
    with torch.no_grad():
        assert not op.matrix().requires_grad
    assert op.matrix().requires_grad
    with torch.no_grad():
        assert not op.matrix().requires_grad
    with solved_once():
        first = op.matrix()
        with solved_once():
            assert op.matrix() is first
        assert op.matrix() is first
        assert op.matrix(torch.float32).dtype == torch.float32
    assert op.matrix() is not first


def test_sharing_ends_with_an_error() -> None:
    op = CayleyMix((4,), spread=1.0)
    with pytest.raises(KeyError), solved_once():
        first = op.matrix()
        raise KeyError
    assert op.matrix() is not first


# Modules like others.


def clones(op: Bijection, make: Callable[[], Bijection]) -> list[Bijection]:
    loaded = make()
    loaded.load_state_dict(op.state_dict())
    return [copy.deepcopy(op), pickle.loads(pickle.dumps(op)), loaded]


@pytest.mark.parametrize("name", BIJECTIONS)
@torch.no_grad()
def test_copies_agree_and_are_apart(name: str) -> None:
    op = stirred(BIJECTIONS[name](), 0.1, 3)
    x = noise(2, *op.in_shape)
    y = op(x)
    keys = list(op.state_dict())
    for other in clones(op, BIJECTIONS[name]):
        assert torch.equal(other(x), y)
        assert list(other.state_dict()) == keys
        stirred(other, 0.5, 5)
        if keys and not isinstance(op, ColorMix):
            assert not torch.equal(other(x), y)
        assert torch.equal(op(x), y)


@torch.no_grad()
def test_calls_change_nothing_observable(bijection: Bijection) -> None:
    fresh = pickle.dumps(bijection)
    state = {k: v.clone() for k, v in bijection.state_dict().items()}
    bijection.inverse(bijection(noise(2, *bijection.in_shape)))
    bijection.log_det(noise(2, *bijection.in_shape))
    for key, value in bijection.state_dict().items():
        assert torch.equal(value, state[key])
    assert pickle.dumps(bijection) == fresh


@torch.no_grad()
def test_type_follows_the_input(bijection: Bijection) -> None:
    """Weights are cast to the input, in every precision of the module."""
    x = noise(2, *bijection.in_shape)
    for op in (bijection, bijection.double(), bijection.float()):
        for dtype in TOLERANCE:
            y = op(x.to(dtype))
            assert y.dtype == op.inverse(y).dtype == dtype
            assert op.log_det(x.to(dtype)).dtype == dtype


@torch.no_grad()
def test_computed_in_the_type_of_the_input() -> None:
    """Single-precision weights do not spoil a double-precision round trip."""
    op = stirred(AffineCoupling((4, 3, 3), hidden=4))
    x = noise(2, 4, 3, 3)
    assert torch.equal(op(x), copy.deepcopy(op).double()(x))
    assert_near(op.inverse(op(x)), x, 1e-14)
    assert {p.dtype for p in op.parameters()} == {torch.float32}


RANDOM: dict[str, Callable[..., nn.Module]] = {
    "cayley": lambda g: CayleyMix((6,), spread=1.0, generator=g),
    "householder": lambda g: HouseholderMix((6,), 3, generator=g),
    "coupling": lambda g: AffineCoupling((6,), generator=g),
    "picture net": lambda g: small_net((2, 4, 4), 3, 5, g),
    "vector net": lambda g: small_net((2,), 3, 5, g),
}


@pytest.mark.parametrize("name", RANDOM)
def test_initial_weights_come_from_the_generator(name: str) -> None:
    def weights(generator: torch.Generator | None) -> Tensor:
        module = RANDOM[name](generator)
        return torch.cat([p.detach().flatten() for p in module.parameters()])

    torch.manual_seed(1)
    state = torch.get_rng_state()
    default = weights(None)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert torch.equal(weights(None), default)
    assert torch.equal(weights(rng(3)), weights(rng(3)))
    assert not torch.equal(weights(rng(3)), weights(rng(4)))


# Couplings and normalisation.


@pytest.mark.parametrize("shape", [(5, 2, 4), (7,)])
@pytest.mark.parametrize("swap", [False, True])
def test_coupling_formula(shape: tuple[int, ...], swap: bool) -> None:
    op = AffineCoupling(shape, hidden=6, swap=swap).double()
    x = noise(3, *shape)
    assert torch.equal(op(x), x)  # starts as the identity
    stirred(op, 2.0)
    few = shape[0] // 2
    first, second = x[:, : shape[0] - few], x[:, shape[0] - few :]
    if swap:
        second, first = x[:, :few], x[:, few:]
    raw_scale, shift = op.net(first).tensor_split(2, dim=1)
    scale = torch.exp(2.0 * torch.tanh(raw_scale / 2.0))
    assert 7 < scale.max() <= math.exp(2) and scale.min() >= math.exp(-2)
    want = [first, second * scale + shift]
    got = op(x)
    parts = want[::-1] if swap else want
    torch.testing.assert_close(got, torch.cat(parts, 1))


def test_coupling_with_an_own_network() -> None:
    net = nn.Conv2d(2, 4, 1, dtype=torch.float64)
    op = AffineCoupling((4, 3, 3), net, scale_bound=1.5)
    assert op.net is net
    check_operator(op)


def test_actnorm_fits_a_batch() -> None:
    x = 5 + noise(40, 3, 4, 4) * torch.tensor([0.1, 1.0, 30.0])[:, None, None]
    op = ActNorm((3, 4, 4)).double()
    assert torch.equal(op(x), x)
    assert op.fit(x) is op
    std, mean = torch.std_mean(op(x), dim=(0, 2, 3))
    assert std.tolist() == pytest.approx([1, 1, 1])
    assert mean.tolist() == pytest.approx([0, 0, 0], abs=1e-12)
    flat = ActNorm((3,)).double().fit(x.flatten(2).mean(2))
    assert flat(x.flatten(2).mean(2)).std(0).tolist() == pytest.approx([1] * 3)


# Wrong input.


@contextmanager
def says(error: type, *words: object) -> Iterator[None]:
    """Expect an error whose text holds every word."""
    with pytest.raises(error) as caught:
        yield
    missing = [w for w in map(str, words) if w not in str(caught.value)]
    assert not missing, f"{missing} not in: {caught.value}"


NAN, INF = float("nan"), float("inf")
WRONG: dict[str, tuple[Callable[[], object], type, tuple[object, ...]]] = {
    "exponent 0": (lambda: Gamma((3,), 0), ValueError, ("exponent", "0")),
    "exponent < 0": (lambda: Gamma((3,), -2), ValueError, ("positive", "-2")),
    "exponent nan": (lambda: Gamma((3,), NAN), ValueError, ("nan",)),
    "exponent text": (
        lambda: Gamma((3,), "2"),
        TypeError,
        ("exponent", "'2'"),
    ),
    "shape": (lambda: Gamma(3, 2.2), TypeError, ("shape", "3")),
    "gain": (lambda: SensorResponse((3,), gain=-1), ValueError, ("gain",)),
    "knee": (
        lambda: SensorResponse((3,), knee=1.0),
        ValueError,
        ("knee", "1"),
    ),
    "leak": (lambda: SensorResponse((3,), leak=2), ValueError, ("leak", "2")),
    "leak 0": (lambda: SensorResponse((3,), leak=0), ValueError, ("leak",)),
    "stops": (lambda: LogExposure((3,), stops=0), ValueError, ("stops",)),
    "many stops": (lambda: LogExposure((3,), 30), ValueError, ("20", "30")),
    "singular": (
        lambda: ColorMix((3, 2, 2), torch.ones(3, 3)),
        ValueError,
        ("not invertible", "condition number"),
    ),
    "nearly singular": (
        lambda: ColorMix((2,), [[1, 1], [1, 1 + 1e-9]]),
        ValueError,
        ("condition number", "1e+04"),
    ),
    "matrix shape": (
        lambda: ColorMix((3, 2, 2), torch.eye(4)),
        ValueError,
        ("3 x 3", "(4, 4)"),
    ),
    "matrix nan": (
        lambda: ColorMix((2,), [[1, NAN], [0, 1]]),
        ValueError,
        ("matrix", "NaN"),
    ),
    "matrix text": (lambda: ColorMix((1,), "a"), TypeError, ("matrix",)),
    "no channels": (
        lambda: ColorMix((3, 3), torch.eye(3)),
        ValueError,
        ("1 or 3 dimensions", "(3, 3)"),
    ),
    "r": (
        lambda: PixelUnshuffle((3, 4, 6), 4),
        ValueError,
        ("r 4 does not divide", "[1, 2]"),
    ),
    "r type": (lambda: PixelUnshuffle((3, 4, 4), 2.0), TypeError, ("r must",)),
    "r shape": (lambda: PixelUnshuffle((4, 4), 2), ValueError, ("(4, 4)",)),
    "start": (
        lambda: CayleyMix((4,), start="Haar"),
        ValueError,
        ("'identity' or 'haar'", "'Haar'"),
    ),
    "haar channels": (
        lambda: CayleyMix((6, 2, 2), start="haar"),
        ValueError,
        ("6 channels", "block=2", "identity"),
    ),
    "haar block": (
        lambda: CayleyMix((9,), start="haar", block=3),
        ValueError,
        ("power of two", "block=3"),
    ),
    "spread": (lambda: CayleyMix((4,), spread=-1), ValueError, ("spread",)),
    "spread type": (lambda: CayleyMix((4,), spread="1"), TypeError, ("'1'",)),
    "no reflection": (
        lambda: HouseholderMix((4,), 0),
        ValueError,
        ("reflections must be from 1 to 4", "0"),
    ),
    "many reflections": (
        lambda: HouseholderMix((4, 9, 9), 5),
        ValueError,
        ("reflections must be from 1 to 4", "5"),
    ),
    "reflections type": (
        lambda: HouseholderMix((4,), 2.0),
        TypeError,
        ("integer", "2.0"),
    ),
    "one channel": (
        lambda: AffineCoupling((1, 4, 4)),
        ValueError,
        ("at least 2 channels", "PixelUnshuffle"),
    ),
    "bound": (
        lambda: AffineCoupling((4,), scale_bound=0),
        ValueError,
        ("scale_bound",),
    ),
    "net": (
        lambda: AffineCoupling((4,), torch.tanh),
        TypeError,
        ("torch.nn.Module",),
    ),
    "net output": (
        lambda: AffineCoupling((4,), nn.Linear(2, 3))(torch.ones(5, 4)),
        ValueError,
        ("net must map (5, 2) to (5, 4)", "gives (5, 3)"),
    ),
    "hidden": (
        lambda: AffineCoupling((4,), hidden=0),
        ValueError,
        ("hidden",),
    ),
    "constant": (
        lambda: ActNorm((2,)).fit(torch.tensor([[1.0, 2.0], [3.0, 2.0]])),
        ValueError,
        ("channels [1]", "no spread"),
    ),
    "one item": (
        lambda: ActNorm((2,)).fit(torch.ones(1, 2)),
        ValueError,
        ("channels [0, 1]",),
    ),
    "fit nan": (
        lambda: ActNorm((1,)).fit(torch.tensor([[NAN], [1.0]])),
        ValueError,
        ("NaN",),
    ),
    "sizes": (
        lambda: Bijection((2, 3), (5,)),
        ValueError,
        ("(2, 3) has 6", "(5,) has 5"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.filterwarnings("ignore:std_mean")
def test_wrong_arguments(name: str) -> None:
    call, error, words = WRONG[name]
    with says(error, *words):
        call()


def test_a_zero_reflection() -> None:
    op = HouseholderMix((4,), 2)
    with torch.no_grad():
        op.v[1] = 0
    with says(ValueError, "zero", "direction"):
        op(torch.ones(1, 4))


def test_wrong_batches(bijection: Bijection) -> None:
    x = torch.ones(2, *bijection.in_shape)
    y = torch.ones(2, *bijection.out_shape)
    for call in (bijection, bijection.log_det, bijection.complete):
        with says(ValueError, "x must have shape", "x[None]"):
            call(x[0])
        with says(TypeError, "float16"):
            call(x.half())
    for call in (bijection.inverse, bijection.pinv, bijection.null_code):
        with says(ValueError, "y must have shape", "y[None]"):
            call(y[0])
        with says(ValueError, "NaN or infinite"):
            call(y * INF)
    with says(ValueError, "no null coordinates"):
        bijection.complete_inverse(y, y)
    assert bijection.null_code(y) == ()


def test_a_bijection_says_what_it_needs() -> None:
    op, x = Bijection((3,)), torch.ones(1, 3)
    for call, word in ((op, "forward"), (op.inverse, "inverse")):
        with says(NotImplementedError, "Bijection must define", word):
            call(x)
    with says(NotImplementedError, "log_det"):
        op.log_det(x)
    op = Curve((3,))
    for call, word in ((op, "response"), (op.inverse, "light")):
        with says(NotImplementedError, "Curve must define", word):
            call(x)
    with says(NotImplementedError, "slope"):
        op.log_det(x)
    with says(NotImplementedError, "OrthogonalMix", "solve"):
        OrthogonalMix((3,))(x)
