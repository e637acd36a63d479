"""Samplers against independent transcriptions of the published formulas."""

from __future__ import annotations

import inspect
import math
from itertools import pairwise

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
    LinearComposition,
    MatrixOperator,
    PseudoInvertible,
    SeparableBlur,
    WalshHadamard,
)
from pinv_edu.metrics import consistency, sliced_wasserstein
from pinv_edu.priors import GaussianMixturePrior, linear_alphas_cumprod
from pinv_edu.sampling import (
    Move,
    Rule,
    ddnm,
    ddrm,
    dps,
    gradient_project,
    moves,
    over_relaxed,
    pigdm,
    sample,
    scalar_rule,
    spectral_rule,
    travel_schedule,
)
from pinv_edu.sampling.loop import Run, fresh_noise, reverse
from pinv_edu.sampling.samplers import step_of

F64 = torch.float64
ALPHAS = linear_alphas_cumprod()
METHODS = [ddnm, ddrm, dps, pigdm, gradient_project]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randn(*shape: int, seed: int = 0, dtype: torch.dtype = F64) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=dtype)


class Net:
    """A smooth random network, no denoiser at all."""

    def __init__(self, *shape: int) -> None:
        self.shape, self.alphas_cumprod = shape, ALPHAS
        n = math.prod(shape)
        self.inner = randn(n, n, seed=1) / n**0.5
        self.outer = randn(n, n, seed=2) / n**0.5

    def predict_noise(self, x_t: Tensor, t: Tensor | int) -> Tensor:
        flat = x_t.flatten(1)
        inner, outer = self.inner.to(flat), self.outer.to(flat)
        hidden = torch.tanh(flat @ inner + float(t) / 500 - 1)
        return (0.9 * flat + 0.3 * hidden @ outer).reshape(x_t.shape)


class Fake:
    """Two times; a given noise at the first and none at the second."""

    def __init__(self, noise: Tensor, alphas: list[float]) -> None:
        self.noise, self.shape = noise, tuple(noise.shape[1:])
        self.alphas_cumprod = torch.tensor(alphas, dtype=F64)

    def predict_noise(self, x_t: Tensor, t: Tensor | int) -> Tensor:
        return self.noise if int(t) == 1 else torch.zeros_like(x_t)


class Bend(PseudoInvertible):
    """A bijection without any null coordinate."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(shape, shape)

    def complete(self, x: Tensor) -> tuple[Tensor, tuple]:
        return self.check_x(x) * (1 + x.abs()), ()

    def complete_inverse(self, y: Tensor, z: tuple) -> Tensor:
        root = (1 + 4 * self.check_y(y).abs()).sqrt()
        return y.sign() * (root - 1) / 2

    def null_code(self, y: Tensor) -> tuple:
        return ()


def matrices() -> dict[str, Tensor]:
    low = randn(6, 2, seed=4) @ randn(2, 8, seed=5)
    return {
        "wide": randn(3, 8, seed=3),
        "deficient": low,
        "tall": randn(10, 8, seed=6),
        "zero row": torch.cat([randn(2, 8, seed=7), torch.zeros(1, 8)]),
    }


def gauss(d: int = 4) -> GaussianMixturePrior:
    """One standard normal: every estimate is sqrt(alpha) x_t."""
    return GaussianMixturePrior(torch.zeros(1, d), torch.eye(d)[None])


def three() -> GaussianMixturePrior:
    return GaussianMixturePrior(
        torch.tensor([[2.0, 0.0], [-1.0, 1.5], [-1.0, -1.5]]),
        torch.tensor([0.2, 0.1, 0.05])[:, None, None] * torch.eye(2),
        torch.tensor([0.5, 0.3, 0.2]),
    )


# The schedule


def published_schedule(steps: int, length: int, repeat: int) -> list[int]:
    """Their ``get_schedule_jump``."""
    jumps = {j: repeat - 1 for j in range(0, steps - length, length)}
    t, visited = steps, []
    while t >= 1:
        t -= 1
        visited.append(t)
        if jumps.get(t, 0) > 0:
            jumps[t] -= 1
            for _ in range(length):
                t += 1
                visited.append(t)
    return [*visited, -1]


def test_travel_schedule_of_the_example():
    text = "5 4 3 2 3 4 3 2 3 4 3 2 1 0 1 2 1 0 1 2 1 0 -1"
    assert travel_schedule(6, 2, 3) == [int(t) for t in text.split()]


@pytest.mark.parametrize(
    "steps, length, repeat, calls",
    [
        (100, 1, 1, 100),
        (100, 1, 3, 298),
        (100, 2, 2, 198),
        (100, 10, 3, 280),
        (250, 10, 3, 730),
        (250, 10, 10, 2410),
        (100, 10, 1, 100),
        (3, 5, 2, 3),
    ],
)
def test_travel_schedule_is_the_published_one(steps, length, repeat, calls):
    visited = travel_schedule(steps, length, repeat)
    assert visited == published_schedule(steps, length, repeat)
    walk = list(moves(ALPHAS, steps, length, repeat))
    assert sum(m.down for m in walk) == calls
    climbs = -(-(steps - length) // length) if steps > length else 0
    assert calls == steps + (repeat - 1) * length * climbs


def test_moves_without_travel():
    walk = list(moves(ALPHAS, 100))
    assert [m.t for m in walk] == list(range(990, -1, -10))
    assert all(m.down for m in walk)
    assert walk[-1].alpha_next == 1.0
    assert [m.alpha for m in walk] == [float(ALPHAS[m.t]) for m in walk]
    assert all(a.alpha_next == b.alpha for a, b in pairwise(walk))


def test_times_when_steps_do_not_divide():
    times = [m.t for m in moves(ALPHAS, 300)]
    assert times == [3 * i for i in range(299, -1, -1)]


@pytest.mark.parametrize("length, repeat", [(1, 3), (2, 2), (10, 3)])
def test_a_climb_is_one_jump(length, repeat):
    walk = list(moves(ALPHAS, 100, length, repeat))
    assert all(a.alpha_next == b.alpha for a, b in pairwise(walk))
    climbs = [(a, b) for a, b in pairwise(walk) if not a.down]
    assert len(climbs) == (repeat - 1) * -(-(100 - length) // length)
    for climb, after in climbs:
        assert after.down and after.t == climb.t + 10 * length
        assert climb.alpha_next == float(ALPHAS[after.t])
    visits = published_schedule(100, length, repeat)
    down = [a * 10 for a, b in pairwise(visits) if b < a]
    assert [m.t for m in walk if m.down] == down


# ddnm without noise


def published_ddnm(net, A, y, x, steps, eta=0.0, draw=None, travel=(1, 1)):
    """The authors' noise-free program, with a dense pseudo-inverse."""
    inverse, skip, x0 = torch.linalg.pinv(A), 1000 // steps, x
    alpha_of = torch.cat([ALPHAS, torch.ones(1)])  # its last entry is 1
    visited = published_schedule(steps, *travel)
    for i, (here, after) in enumerate(pairwise(visited), start=1):
        a, b = alpha_of[here * skip], alpha_of[max(after * skip, -1)]
        if after > here:
            if visited[i + 1] < after:  # states on the way up are dropped
                x = b.sqrt() * x0 + (1 - b).sqrt() * draw()
            continue
        noise = net.predict_noise(x, here * skip)
        x0 = (x - (1 - a).sqrt() * noise) / a.sqrt()
        hat = x0 - (x0 @ A.T - y) @ inverse.T
        z = draw() if eta > 0 and after >= 0 else 0.0
        mixed = eta * z + (1 - eta**2) ** 0.5 * noise
        x = b.sqrt() * hat + (1 - b).sqrt() * mixed
    return x


@pytest.mark.parametrize("A", matrices().values(), ids=matrices())
@pytest.mark.parametrize("steps", [1, 7, 100])
def test_deterministic_ddnm_is_the_published_one(A, steps):
    net, x_T = Net(8), randn(5, 8)
    y = randn(5, 8, seed=9) @ A.T
    x = ddnm(
        net, MatrixOperator(A), y, steps=steps, eta=0, x_T=x_T, progress=False
    )
    wanted = published_ddnm(net, A, y, x_T, steps)
    assert float((x - wanted).abs().max()) < 1e-6
    assert float((x @ A.T - y).abs().max()) < 1e-9


@pytest.mark.parametrize("eta", [0.0, 0.85, 1.0])
@pytest.mark.parametrize("travel", [(1, 1), (1, 3), (4, 2)])
def test_random_ddnm_is_the_published_one(eta, travel):
    net, A, g = Net(8), matrices()["wide"], seeded(3)
    y = randn(5, 8, seed=9) @ A.T
    x = ddnm(
        net, MatrixOperator(A), y, steps=25, eta=eta, generator=seeded(3),
        travel_length=travel[0], travel_repeat=travel[1], progress=False,
    )  # fmt: skip

    def draw() -> Tensor:
        return torch.randn(5, 8, generator=g, dtype=F64)

    wanted = published_ddnm(net, A, y, draw(), 25, eta, draw, travel)
    assert float((x - wanted).abs().max()) < 1e-6


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_rule_is_that_of_ddim(eta):
    net, g = Net(8), seeded(3)
    x = sample(net, 5, 20, eta, seeded(3), dtype=F64, progress=False)
    now = torch.randn(5, 8, generator=g, dtype=F64)
    for m in moves(ALPHAS, 20):
        noise = net.predict_noise(now, m.t)
        x0 = (now - (1 - m.alpha) ** 0.5 * noise) / m.alpha**0.5
        ratio = (1 - m.alpha_next) / (1 - m.alpha)
        var = eta**2 * ratio * (1 - m.alpha / m.alpha_next)
        kept = max(1 - m.alpha_next - var, 0) ** 0.5
        now = m.alpha_next**0.5 * x0 + kept * noise
        if var > 0:
            now += var**0.5 * torch.randn(5, 8, generator=g, dtype=F64)
    assert float((x - now).abs().max()) < 1e-9


@pytest.mark.parametrize(
    "t, published, ddpm",
    [(990, 0.7225, 0.18), (490, 0.7225, 0.10), (290, 0.7225, 0.097),
     (90, 0.7225, 0.21), (10, 0.7225, 0.95)],
)  # fmt: skip
def test_share_of_fresh_noise(t, published, ddpm):
    a, b = float(ALPHAS[t]), float(ALPHAS[t - 10])
    move, none = Move(t, a, b, True), torch.zeros(100_000, dtype=F64)
    shares = [
        float(fresh_noise(none, move, eta, rule, seeded()).var()) / (1 - b)
        for eta, rule in ((0.85, "published"), (1.0, "ddim"))
    ]
    assert shares == pytest.approx([published, ddpm], rel=0.05)


@pytest.mark.parametrize("rule", ["published", "ddim"])
@pytest.mark.parametrize("eta", [0.0, 0.85, 1.0])
def test_noise_has_the_variance_of_the_next_time(rule, eta):
    noise = randn(200_000, seed=1)
    for m in list(moves(ALPHAS, 10))[:-1]:
        out = fresh_noise(noise, m, eta, rule, seeded(2))
        assert float(out.var()) == pytest.approx(1 - m.alpha_next, rel=0.02)
    last = list(moves(ALPHAS, 10))[-1]
    assert not fresh_noise(noise, last, eta, rule, None).any()


def test_ddnm_without_eta_is_ddim_under_both_rules():
    net, op, x_T = Net(8), MatrixOperator(matrices()["wide"]), randn(2, 8)
    results = [
        ddnm(
            net, op, randn(2, 3), steps=20, eta=0, x_T=x_T, noise_rule=rule,
            progress=False,
        )
        for rule in ("published", "ddim")
    ]  # fmt: skip
    assert torch.allclose(*results)


RGB = (3, 16, 16)
HALF = (torch.arange(256).reshape(16, 16) % 3 > 0).float()
TAPS = torch.tensor([0.1, 0.2, 0.4, 0.2, 0.1])
LINEAR = {
    "identity": Identity(RGB),
    "mask": Inpainting(RGB, HALF),
    "pool": AveragePool(RGB, 4),
    "bicubic": BicubicDownsample(RGB, 4),
    "gray": Grayscale(RGB),
    "blur": Blur(RGB, TAPS[:, None] * TAPS),
    "separable": SeparableBlur(RGB, TAPS, TAPS),
    "hadamard": WalshHadamard(RGB, 1 / 4),
    "blocks": BlockSensing(RGB, 1 / 4),
    "gray pool": LinearComposition(
        Grayscale(RGB), AveragePool((1, 16, 16), 2)
    ),
}


@pytest.mark.parametrize("operator", LINEAR.values(), ids=LINEAR)
def test_every_linear_operator_is_consistent_in_float32(operator):
    y = operator(randn(2, *RGB, dtype=torch.float32).clamp(-1, 1))
    x = ddnm(
        Net(*RGB), operator, y, steps=5, generator=seeded(), progress=False
    )
    assert x.dtype == torch.float32
    assert float(consistency(operator, x, y).max()) <= 1e-5


@pytest.mark.parametrize("dtype, bound", [(F64, 1e-12), (torch.float32, 1e-5)])
def test_a_non_linear_chain_is_consistent(dtype, bound):
    chain = Chain(Bend((1, 4, 4)), AveragePool((1, 4, 4), 2), Bend((1, 2, 2)))
    y = chain(randn(3, 1, 4, 4, dtype=dtype))
    x = ddnm(
        gauss_picture(), chain, y, steps=20, generator=seeded(),
        progress=False,
    )  # fmt: skip
    assert float(consistency(chain, x, y).max()) < bound


def gauss_picture() -> Net:
    """Half the standard normal picture, half of it the network."""
    net = Net(1, 4, 4)
    net.outer = net.outer * 0.1
    return net


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0, lambda t: 0.7 - t / 2000])
def test_strength_leaves_its_share_of_the_residual(strength):
    op, seen = MatrixOperator(matrices()["wide"]), []
    y = randn(2, 3, seed=1)
    x = ddnm(
        Net(8), op, y, steps=10, strength=strength, generator=seeded(),
        callback=lambda step, t, x0, hat: seen.append((t, x0, hat)),
        progress=False,
    )  # fmt: skip
    for t, x0, hat in seen:
        left = 1 - (strength(t) if callable(strength) else strength)
        assert torch.allclose(op(hat) - y, left * (op(x0) - y), atol=1e-10)
    assert torch.equal(x, seen[-1][2])


def test_clip_bounds_both_estimates():
    seen = []
    x = ddnm(
        Net(8), Identity((8,)), 3 * randn(2, 8), steps=5, clip=(-1, 1),
        generator=seeded(), progress=False,
        callback=lambda step, t, x0, hat: seen.extend([x0, hat]),
    )  # fmt: skip
    assert float(x.abs().max()) == 1
    assert max(float(s.abs().max()) for s in seen) <= 1


def test_callback_sequence():
    seen = []
    ddnm(
        Net(8), Identity((8,)), randn(2, 8), steps=6, travel_length=2,
        travel_repeat=2, generator=seeded(), progress=False,
        callback=lambda step, t, x0, hat: seen.append((step, t)),
    )  # fmt: skip
    walk = [m.t for m in moves(ALPHAS, 6, 2, 2) if m.down]
    assert seen == list(enumerate(walk)) and len(seen) == 10


def test_items_of_a_batch_do_not_meet():
    op, y, x_T = MatrixOperator(matrices()["wide"]), randn(4, 3), randn(4, 8)
    together = ddnm(Net(8), op, y, steps=9, eta=0, x_T=x_T, progress=False)
    for i in range(4):
        part = slice(i, i + 1)
        alone = ddnm(
            Net(8), op, y[part], steps=9, eta=0, x_T=x_T[part], progress=False
        )
        assert torch.allclose(alone, together[part])


def restore(method, seed=0, net=None, **more):
    op = MatrixOperator(matrices()["wide"])
    more = {"steps": 8, "progress": False, **more}
    net = Net(8) if net is None else net
    return method(net, op, randn(2, 3), generator=seeded(seed), **more)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sigma_y", [0.0, 0.3])
def test_randomness_comes_from_the_generator_alone(method, sigma_y):
    before = torch.get_rng_state()
    a, b, c = (restore(method, s, sigma_y=sigma_y) for s in (1, 1, 2))
    assert torch.equal(a, b) and not torch.allclose(a, c)
    assert torch.equal(torch.get_rng_state(), before)
    assert not a.requires_grad


@pytest.mark.parametrize("method", [ddnm, dps, pigdm, gradient_project])
def test_eta_zero_is_deterministic_given_the_start(method):
    start = randn(2, 8)
    kept = start.clone()
    a, b = (restore(method, s, eta=0, x_T=start) for s in (1, 2))
    assert torch.equal(a, b) and torch.equal(start, kept)


@pytest.mark.parametrize("method", [dps, pigdm, ddrm, gradient_project])
def test_baselines_have_the_signature_of_ddnm(method):
    ours = inspect.signature(ddnm).parameters
    theirs = inspect.signature(method).parameters
    assert list(theirs)[:3] == ["prior", "operator", "y"]
    for name in "steps sigma_y x_T generator callback progress".split():
        assert theirs[name].default == ours[name].default
        assert theirs[name].kind == inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize("method", METHODS)
def test_every_method_calls_back(method):
    seen = []
    x = restore(
        method, callback=lambda step, t, x0, hat: seen.append((step, t, hat))
    )
    assert [s[:2] for s in seen] == [(i, 875 - 125 * i) for i in range(8)]
    assert all(s[2].shape == x.shape for s in seen)


# Mistakes


@pytest.mark.parametrize(
    "more, words",
    [
        ({"steps": 0}, "steps must be a positive"),
        ({"steps": 10.0}, "steps must be a positive"),
        ({"steps": 1001}, "at most the 1000 times"),
        ({"eta": 1.1}, "eta must lie in"),
        ({"eta": math.nan}, "eta must lie in"),
        ({"sigma_y": -0.1}, "sigma_y must not be negative"),
        ({"sigma_y": math.nan}, "sigma_y must not be negative"),
        ({"x_T": torch.zeros(2, 7)}, "x_T must have shape"),
        ({"x_T": torch.zeros(3, 8)}, "x_T holds 3 items and y 2"),
        ({"net": Net(7)}, "build the operator with prior.shape"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_wrong_settings_are_refused(method, more, words):
    with pytest.raises(ValueError, match=words):
        restore(method, **more)


@pytest.mark.parametrize(
    "more, words",
    [
        ({"noise_rule": "ddpm"}, "noise_rule must be one of"),
        ({"travel_length": 0}, "travel_length must be a positive"),
        ({"travel_repeat": 0}, "travel_repeat must be a positive"),
        ({"strength": math.nan}, "strength must be a finite"),
    ],
)
def test_wrong_settings_of_ddnm_are_refused(more, words):
    with pytest.raises(ValueError, match=words):
        restore(ddnm, **more)


@pytest.mark.parametrize("method", METHODS)
def test_wrong_measurements_are_refused(method):
    for y in (torch.zeros(2, 4), torch.zeros(3), torch.full((1, 3), math.nan)):
        with pytest.raises(ValueError, match=r"y must have|NaN"):
            method(Net(8), MatrixOperator(matrices()["wide"]), y)


def test_ddrm_needs_a_linear_operator():
    with pytest.raises(TypeError, match="needs a LinearOperator, got Bend"):
        ddrm(Net(8), Bend((8,)), torch.zeros(1, 8))


def test_wrong_settings_of_sample_are_refused():
    for more in ({"steps": 0}, {"eta": 2.0}, {"noise_rule": "none"}):
        with pytest.raises(ValueError, match=r"steps|eta|noise_rule"):
            sample(Net(8), 1, **more)


# What is sampled, where the truth is known


def test_samples_of_an_exact_prior_converge_to_it():
    prior, n = three(), 6000
    truth = prior.sample(20_000, seeded(1))
    far = {
        eta: sliced_wasserstein(
            sample(prior, n, 100, eta, seeded(2), dtype=F64, progress=False),
            truth,
        )
        for eta in (0.0, 1.0)
    }
    assert max(far.values()) < 0.15  # exact draws reach 0.03 to 0.11
    noiseless = Rule(lambda x0, m: x0, lambda noise, m: 0 * noise)
    run = Run(100, progress=False)
    wrong = reverse(prior, randn(n, 2), step_of(prior, noiseless), run)
    assert sliced_wasserstein(wrong, truth) > 0.3


@pytest.mark.parametrize("eta, rule", [(0.0, "published"), (1.0, "ddim")])
def test_ddnm_in_the_plane_is_near_the_exact_posterior(eta, rule):
    """Independent coordinates: there DDNM's approximation is exact."""
    prior = GaussianMixturePrior(
        torch.tensor([[0.0, 1.0], [0.0, -1.0]]),
        torch.tensor([[[0.5, 0], [0, 0.05]]]).expand(2, 2, 2),
    )
    A, y = torch.tensor([[1.0, 0.0]]), torch.tensor([0.4], dtype=F64)
    x = ddnm(
        prior, MatrixOperator(A), y.expand(3000, 1), eta=eta,
        noise_rule=rule, generator=seeded(), progress=False,
    )  # fmt: skip
    exact = prior.posterior(A, y)
    assert torch.allclose(x[:, 0], torch.tensor(0.4, dtype=F64))
    assert torch.allclose(x.T.cov(), exact.covariance(), atol=0.06)
    truth = exact.sample(20_000, seeded(1))
    assert sliced_wasserstein(x, truth) < 0.15


# Noisy measurements


SPECTRUM = MatrixOperator(
    torch.linalg.svd(randn(5, 5, seed=8))[0]
    @ torch.diag(torch.tensor([3.0, 1.0, 0.4, 0.1, 0.0], dtype=F64))
    @ torch.linalg.svd(randn(6, 6, seed=9))[2][:5]
)
NEXT = [0.05, 0.5, 0.9, 0.999]


def trust(move: Move, sigma_y: float) -> tuple[Tensor, Tensor]:
    """Gains, and noise of y that they carry, by a dense SVD."""
    _, s, vt = torch.linalg.svd(SPECTRUM.matrix)
    s = torch.cat([s, s.new_zeros(1)])
    tau, gains, noise = (1 / move.alpha - 1) ** 0.5, [], []
    error = (tau**2 / (1 + 2.5 * tau)) ** 0.5
    allowed = max(error, (1 / move.alpha_next - 1) ** 0.5)
    for v in s.tolist():
        own = sigma_y / v if v > 1e-9 else float("inf")
        whole = own <= allowed
        gains.append(1.0 if whole else error**2 / (error**2 + own**2))
        noise.append(gains[-1] * own if v > 1e-9 else 0.0)
    lam, noise = (torch.tensor(v, dtype=F64) for v in (gains, noise))
    return (vt.T * lam) @ vt, (vt.T * noise**2) @ vt


def filled(carried: Tensor, variance: float) -> Tensor:
    """What a step should have: its variance, or what y carries, if more."""
    values, axes = torch.linalg.eigh(carried)
    return (axes * values.clamp(min=variance)) @ axes.T


@pytest.mark.parametrize("before", [0.01, 0.9])
@pytest.mark.parametrize("alpha", [*NEXT[1:], 0.95])
@pytest.mark.parametrize("eta", [0.0, 0.5, 0.85])
def test_spectral_rule_fills_the_variance_up(eta, alpha, before):
    move, sigma_y = Move(1, before, alpha, True), 0.3
    y = sigma_y * torch.eye(5, dtype=F64)
    g = seeded()
    rule = spectral_rule(SPECTRUM, y, eta, sigma_y, generator=g)
    carried = alpha**0.5 * rule.project(torch.zeros(5, 6, dtype=F64), move)
    state, eye = g.get_state(), torch.eye(6, dtype=F64)
    drawn = rule.spread(torch.zeros(6, 6, dtype=F64), move)
    g.set_state(state)
    old = rule.spread(eye, move) - drawn
    z = torch.randn(6, 6, generator=seeded(), dtype=F64)
    fresh = torch.linalg.solve(z, drawn)
    total = carried.T @ carried + fresh.T @ fresh + old.T @ old
    wanted = filled(alpha * trust(move, sigma_y)[1], 1 - alpha)
    assert torch.allclose(total, wanted, atol=1e-9)


@pytest.mark.parametrize("alpha", NEXT)
@pytest.mark.parametrize("method", [ddnm, ddrm])
@pytest.mark.parametrize("eta", [0.0, 0.85])
def test_one_noisy_step_has_the_variance_of_its_time(method, alpha, eta):
    """Noise of y, of the network and fresh noise, all measured at once."""
    n, sigma_y, seen = 40_000, 0.3, []
    prior = Fake(randn(n, 6, seed=1), [alpha, 0.01])
    method(
        prior, SPECTRUM, sigma_y * randn(n, 5, seed=2), steps=2, eta=eta,
        sigma_y=sigma_y, x_T=0.99**0.5 * prior.noise, generator=seeded(),
        callback=lambda step, t, x0, hat: seen.append(x0), progress=False,
    )  # fmt: skip
    assert float(seen[0].abs().max()) < 1e-12
    total, eye = alpha * seen[1].T.cov(), torch.eye(6, dtype=F64)
    wanted = (1 - alpha) * eye
    if method is ddnm:
        wanted = filled(
            alpha * trust(Move(1, 0.01, alpha, True), sigma_y)[1], 1 - alpha
        )
    size = float(wanted.diagonal().max())
    assert torch.allclose(total / size, wanted / size, atol=0.04)


def published_plus(net, A, y, x, steps, eta, sigma_y, draw):
    """DDNM+ of the program, table of directions, noise in the right basis."""
    _, s, vt = torch.linalg.svd(A, full_matrices=True)
    s = torch.cat([s, torch.zeros(len(vt) - len(s))])
    s = torch.where(s > 1e-9, s, 0.0)
    target = (y @ torch.linalg.pinv(A).T) @ vt.T
    for m in moves(ALPHAS, steps):
        noise = net.predict_noise(x, m.t)
        x0 = (x - (1 - m.alpha) ** 0.5 * noise) / m.alpha**0.5
        x0, noise, z = x0 @ vt.T, noise @ vt.T, draw() @ vt.T
        a, sigma = m.alpha_next**0.5, (1 - m.alpha_next) ** 0.5
        after = torch.empty_like(x)
        for i, si in enumerate(s.tolist()):
            old = (1 - eta**2) ** 0.5
            if si == 0:
                scale, d1, d2 = 0.0, eta * sigma, old * sigma
            elif sigma >= a * sigma_y / si:
                d1 = (sigma**2 - (a * sigma_y / si) ** 2) ** 0.5
                scale, d2 = 1.0, 0.0
            else:
                scale = si * sigma * old / (a * sigma_y)
                d1, d2 = eta * sigma, 0.0
            hat = x0[:, i] + scale * (target[:, i] - x0[:, i])
            after[:, i] = a * hat + d1 * z[:, i] + d2 * noise[:, i]
        x = after @ vt
    return x


def test_ddrm_is_the_published_ddnm_plus():
    net, g = Net(6), seeded(4)
    y = randn(3, 6) @ SPECTRUM.matrix.T + 0.3 * randn(3, 5, seed=1)
    x = ddrm(
        net, SPECTRUM, y, steps=30, eta=0.85, sigma_y=0.3,
        generator=seeded(4), progress=False,
    )  # fmt: skip

    def draw() -> Tensor:
        return torch.randn(3, 6, generator=g, dtype=F64)

    args = (SPECTRUM.matrix, y, draw(), 30, 0.85, 0.3, draw)
    assert float((x - published_plus(net, *args)).abs().max()) < 1e-6


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_ddnm_is_the_limit_of_little_noise(eta):
    op, y = MatrixOperator(matrices()["wide"]), randn(2, 3)
    exact, nearly = (
        ddnm(
            Net(8), op, y, steps=20, eta=eta, sigma_y=sigma_y, x_T=randn(2, 8),
            generator=seeded(), progress=False,
        )
        for sigma_y in (0.0, 1e-9)
    )  # fmt: skip
    assert torch.allclose(exact, nearly, atol=1e-6)


def test_over_relaxation_ends_on_the_fibre():
    op, y = MatrixOperator(matrices()["wide"]), randn(2, 3)
    strength = over_relaxed(Net(8), 1.0)
    assert strength(0) == 1
    lams = [strength(t) for t in range(1000)]
    assert all(1 <= a < b <= 2 for a, b in pairwise(lams))
    settings = {"steps": 10, "x_T": randn(2, 8), "progress": False}
    far = ddnm(
        Net(8), op, y, strength=strength, generator=seeded(), **settings
    )
    assert consistency(op, far, y).max() < 1e-12
    plain, none = (
        ddnm(Net(8), op, y, strength=s, generator=seeded(), **settings)
        for s in (1.0, over_relaxed(Net(8), 0.0))
    )
    assert torch.equal(plain, none)
    assert (far - plain).abs().max() > 1e-3


def remembered(net, matrix, y, x, steps, strength, memory):
    """DDNM with eta = 0 in formulas of its own: residuals are summed up."""
    abar, skip, missed = net.alphas_cumprod, 1000 // steps, 0.0
    inverse = torch.linalg.pinv(matrix)
    for t in range((steps - 1) * skip, -1, -skip):
        after = float(abar[t - skip]) if t else 1.0
        noise = net.predict_noise(x, torch.tensor(t))
        x0 = (x - (1 - float(abar[t])) ** 0.5 * noise) / float(abar[t]) ** 0.5
        residual = y - x0 @ matrix.T
        missed = residual + memory * missed
        told = residual + (strength(t) - 1) * missed
        x0 = x0 + told @ inverse.T
        x = after**0.5 * x0 + (1 - after) ** 0.5 * noise
    return x


@pytest.mark.parametrize("memory", [0.0, 0.8])
def test_over_relaxation_with_memory_is_the_written_rule(memory):
    op, y = MatrixOperator(matrices()["wide"]), randn(2, 3)
    strength = over_relaxed(Net(8), 0.7, 0.5, memory)
    settings = {"x_T": randn(2, 8), "eta": 0.0, "progress": False}
    x = ddnm(Net(8), op, y, steps=20, strength=strength, **settings)
    args = (op.matrix, y, randn(2, 8), 20, strength, memory)
    assert torch.allclose(x, remembered(Net(8), *args), atol=1e-9)
    assert consistency(op, x, y).max() < 1e-12
    # Behind noise that is nearly nothing, the other rule says the same.
    nearly = ddnm(
        Net(8), op, y, steps=20, strength=strength, sigma_y=1e-9, **settings
    )
    assert torch.allclose(x, nearly, atol=1e-5)


@pytest.mark.parametrize(
    ("operator", "louder"),
    [(WalshHadamard((2, 4), 0.5), True), (AveragePool((2, 4), 2), False)],
)
@pytest.mark.parametrize("sigma_y", [0.0, 1e-9, 0.1])
def test_random_sensing_with_noise_is_told_louder(operator, louder, sigma_y):
    net, y = Net(2, 4), randn(2, *operator.out_shape)
    settings = {
        "steps": 10, "sigma_y": sigma_y, "x_T": randn(2, 2, 4),
        "progress": False,
    }  # fmt: skip
    default, plain = (
        ddnm(net, operator, y, generator=seeded(), **settings, **how)
        for how in ({}, {"strength": 1.0})
    )
    far = (default - plain).abs().max()
    assert far > 1e-2 if louder and sigma_y > 0.05 else far < 1e-9


def test_a_memory_needs_a_linear_operator():
    strength = over_relaxed(Net(2), memory=0.5)
    with pytest.raises(ValueError, match="memory needs a linear operator"):
        ddnm(
            Net(2), Bend((2,)), randn(1, 2), strength=strength,
            progress=False,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"over": -0.1}, "over must be"), ({"over": math.nan}, "over must be"),
     ({"power": 0.0}, "power must be positive"),
     ({"memory": 1.0}, "memory must lie")],
)  # fmt: skip
def test_over_relaxation_refuses(wrong, says):
    with pytest.raises(ValueError, match=says):
        over_relaxed(Net(8), **wrong)


def test_the_last_step_weighs_estimate_and_measurement():
    move, sigma_y = Move(0, 0.9, 1.0, True), 0.3
    y, x0 = randn(2, 5), randn(2, 6, seed=1)
    rule = spectral_rule(SPECTRUM, y, 0.85, sigma_y)
    move_by = (SPECTRUM.pinv(y) - SPECTRUM.pinv(SPECTRUM(x0))).double()
    wanted = x0 + move_by @ trust(move, sigma_y)[0]
    assert torch.allclose(rule.project(x0, move), wanted, atol=1e-9)
    assert not rule.spread(x0, move).any()


@pytest.mark.parametrize("method", [ddnm, ddrm])
def test_noisy_estimate_is_kalmans_where_the_noise_fills_the_time(method):
    """There the state is y itself, scaled: E[x0 | x_t] = E[x0 | y]."""
    prior, sigma_y, seen = three(), 0.4, []
    prior.alphas_cumprod = torch.tensor(
        [1 / (1 + sigma_y**2), 0.01], dtype=F64
    )
    y = torch.tensor([[0.3, -0.2]], dtype=F64)
    method(
        prior, Identity((2,)), y, steps=2, sigma_y=sigma_y,
        generator=seeded(), progress=False,
        callback=lambda step, t, x0, hat: seen.append(x0[0]),
    )  # fmt: skip
    exact = prior.posterior(torch.eye(2), y, sigma_y)
    assert torch.allclose(seen[1], exact.mean(), atol=1e-6)


@pytest.mark.parametrize("method", [ddnm, ddrm])
def test_more_noise_means_less_trust(method):
    y, means, spreads = torch.ones(3000, 1, dtype=F64), [], []
    for sigma_y in (0.1, 0.5, 1.0, 3.0):
        x = method(
            gauss(1), Identity((1,)), y, sigma_y=sigma_y, generator=seeded(),
            progress=False,
        )  # fmt: skip
        means.append(float(x.mean()))
        spreads.append(float(x.std()))
    assert means == sorted(means, reverse=True) and 0 < means[-1] < 0.6
    assert spreads == sorted(spreads) and means[0] > 0.95


@pytest.mark.parametrize("alpha", NEXT)
def test_scalar_rule_keeps_the_variance_where_all_is_seen(alpha):
    n, sigma_y = 100_000, 0.3
    move, y = Move(1, 0.01, alpha, True), sigma_y * randn(n, 1, seed=1)
    rule = scalar_rule(Identity((1,)), y, 0.85, sigma_y, generator=seeded())
    hat = alpha**0.5 * rule.project(torch.zeros_like(y), move)
    after = hat + rule.spread(randn(n, 1, seed=2), move)
    assert float(after.var()) == pytest.approx(1 - alpha, rel=0.03)


@pytest.mark.parametrize("sigma_y", [0.1, 1e-30])
def test_a_noisy_number_through_a_non_linear_map(sigma_y):
    """The smallest case: one pixel, noise down to less than rounding."""
    x = ddnm(
        gauss(1), Bend((1,)), torch.ones(1, 1, dtype=F64), steps=20,
        sigma_y=sigma_y, generator=seeded(), progress=False,
    )  # fmt: skip
    assert x.isfinite().all()


# Baselines


def test_pigdm_on_a_standard_normal():
    """There x0 = sqrt(alpha) x, and its derivative is sqrt(alpha)."""
    prior, A = gauss(8), matrices()["deficient"]
    y, x_T, sigma_y = randn(2, 8, seed=1) @ A.T, randn(2, 8), 0.2
    for noise in (0.0, sigma_y):
        x = pigdm(
            prior, MatrixOperator(A), y, steps=20, eta=0, sigma_y=noise,
            x_T=x_T, progress=False,
        )  # fmt: skip
        now = x_T
        for m in moves(ALPHAS, 20):
            x0 = m.alpha**0.5 * now
            ratio = noise**2 / (1 - m.alpha)
            inner = A @ A.T + ratio * torch.eye(len(A))
            v = (y - x0 @ A.T) @ torch.linalg.pinv(inner, rtol=1e-9).T @ A
            eps = (1 - m.alpha) ** 0.5 * now
            ddim = m.alpha_next**0.5 * x0 + (1 - m.alpha_next) ** 0.5 * eps
            now = ddim + m.alpha * v
        assert torch.allclose(x, now, atol=1e-9)


def test_dps_on_a_standard_normal():
    prior, A = gauss(8), matrices()["wide"]
    y, now = randn(2, 8, seed=1) @ A.T, randn(2, 8)
    x = dps(
        prior, MatrixOperator(A), y, steps=20, eta=0, step_size=0.3, x_T=now,
        progress=False,
    )  # fmt: skip
    for m in moves(ALPHAS, 20):
        x0 = m.alpha**0.5 * now
        error = x0 @ A.T - y
        slope = m.alpha**0.5 * error @ A / error.norm(dim=1, keepdim=True)
        eps = (1 - m.alpha) ** 0.5 * now
        ddim = m.alpha_next**0.5 * x0 + (1 - m.alpha_next) ** 0.5 * eps
        now = ddim - 0.3 * slope
    assert torch.allclose(x, now, atol=1e-9)


@pytest.mark.parametrize("operator", ["linear", "chain"])
@pytest.mark.parametrize("method", [dps, pigdm, gradient_project])
def test_baselines_come_nearer_to_the_measurement(method, operator):
    linear = MatrixOperator(torch.tensor([[1.0, 0.5]], dtype=F64))
    op = Chain(Bend((2,)), linear) if operator == "chain" else linear
    y, x_T = op(three().sample(200, seeded(1))), randn(200, 2)
    step = {dps: 0.3, pigdm: 1.0, gradient_project: 0.02}[method]
    given = {"steps": 100, "x_T": x_T, "progress": False}
    x = method(three(), op, y, generator=seeded(), step_size=step, **given)
    free = sample(three(), 200, dtype=F64, generator=seeded(), progress=False)
    before, after = ((op(v) - y).abs().median() for v in (free, x))
    assert after < (0.6 if method is dps else 0.3) * before


def test_a_gradient_step_on_a_mask_is_the_projection():
    """Singular values 1: one step of size 1 projects."""
    mask = Inpainting((1, 4, 4), HALF[:4, :4])
    y = mask(randn(2, 1, 4, 4))
    given = {"steps": 10, "progress": False}
    ours = ddnm(Net(1, 4, 4), mask, y, generator=seeded(), **given)
    theirs = gradient_project(
        Net(1, 4, 4), mask, y, inner_steps=1, generator=seeded(), **given
    )
    assert torch.allclose(ours, theirs)


@pytest.mark.parametrize("method", [dps, pigdm])
def test_a_step_size_that_blows_up_is_named(method):
    prior, y = three(), torch.ones(2, 1, dtype=F64)
    with pytest.raises(ValueError, match="smaller step_size"):
        method(
            prior, MatrixOperator([[1.0, 2.0]]), y, step_size=1e200,
            generator=seeded(), progress=False,
        )  # fmt: skip
