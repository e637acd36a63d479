"""SPNN: the laws for any weights, the codes, the published network."""

from __future__ import annotations

import itertools
import math
import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from pinv_edu import Chain, check_operator
from pinv_edu.bijections import (
    AffineCoupling,
    CayleyMix,
    Gamma,
    PixelUnshuffle,
)
from pinv_edu.codes import combine, leaves
from pinv_edu.laws import relative
from pinv_edu.spnn import (
    SPNN,
    AsinhResponse,
    Flatten,
    PixelGain,
    SurjectiveCoupling,
    load_official_spnn,
    position_net,
    spnn_celebahq256,
    spnn_classifier,
    spnn_surrogate,
)
from pinv_edu.spnn.celebahq import Sizes, load, official_names
from pinv_edu.spnn.network import pinv_with_code


def noise(*shape: int, seed: int = 0, dtype=torch.float64) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=draw, dtype=torch.float64).to(dtype)


def shaken(g: nn.Module, seed: int = 0, size: float = 0.4) -> nn.Module:
    """In float64, all weights moved, those that started at zero too."""
    draw = torch.Generator().manual_seed(seed)
    g = g.double()
    with torch.no_grad():
        for weight in g.parameters():
            spread = (
                size / max(1, weight[0].numel()) ** 0.5
                if (weight.dim() > 1)
                else size / 10
            )
            move = torch.randn(weight.shape, generator=draw).double()
            weight += spread * move
    return g


def deep(seed: int) -> SPNN:
    """Three scales, couplings between, then a vector."""
    draw = torch.Generator().manual_seed(seed)
    return SPNN(
        PixelUnshuffle((2, 8, 8), 2),
        CayleyMix((8, 4, 4), start="haar", generator=draw),
        AffineCoupling((8, 4, 4), hidden=6, generator=draw),
        SurjectiveCoupling((8, 4, 4), 3, 6, generator=draw),
        PixelUnshuffle((3, 4, 4), 2),
        CayleyMix((12, 2, 2), spread=0.5, generator=draw),
        SurjectiveCoupling((12, 2, 2), 11, 6, 1.0, generator=draw),
        Flatten((11, 2, 2)),
        CayleyMix((44,), spread=0.3, generator=draw),
        SurjectiveCoupling((44,), 5, 12, generator=draw),
    )


def vectors(seed: int) -> SPNN:
    draw = torch.Generator().manual_seed(seed)
    blocks = []
    for n, kept in ((9, 7), (7, 3), (3, 1)):
        blocks += [
            CayleyMix((n,), spread=0.5, generator=draw),
            AffineCoupling((n,), hidden=8, swap=n == 7, generator=draw),
            SurjectiveCoupling((n,), kept, 8, generator=draw),
        ]
    return SPNN(*blocks)


def camera_first(seed: int) -> SPNN:
    """A known curve, then a whole SPNN as one stage of another."""
    draw = torch.Generator().manual_seed(seed)
    inner = spnn_surrogate((1, 8, 8), (1, 4, 4), hidden=5, generator=draw)
    return SPNN(
        Gamma((1, 8, 8), 2.2),
        inner,
        Flatten((1, 4, 4)),
        SurjectiveCoupling((16,), 4, 8, generator=draw),
    )


CASES = {
    "deep": lambda: deep(0),
    "deep, other": lambda: deep(1),
    "vectors": lambda: vectors(2),
    "nested": lambda: camera_first(3),
    "classifier": lambda: spnn_classifier(
        (1, 12, 20), 3, width=4, middle=7, hidden=(9, 8)
    ),
    "classifier, colour": lambda: spnn_classifier(
        (3, 8, 8), 5, width=4, middle=12, hidden=(9, 8)
    ),
    "classifier, one coupling": lambda: spnn_classifier(
        (1, 12, 20), 3, width=4, middle=7, hidden=(9, 8), couplings=1
    ),
    "classifier, two couplings": lambda: spnn_classifier(
        (3, 8, 8), 5, width=4, middle=12, hidden=(9, 8), couplings=2
    ),
    "surrogate": lambda: spnn_surrogate(
        (1, 8, 12), (1, 4, 6), hidden=5, response=True
    ),
    "surrogate, colour by 4": lambda: spnn_surrogate(
        (3, 8, 8), (3, 2, 2), hidden=5, couplings=1
    ),
    "surrogate, natural": lambda: spnn_surrogate(
        (1, 4, 4), (1, 2, 2), hidden=5, code="natural"
    ),
    "surrogate by 3": lambda: spnn_surrogate(
        (1, 6, 6), (2, 2, 2), hidden=5, couplings=0
    ),
    "one block": lambda: SurjectiveCoupling((4, 3, 5), 1, 6),
    "one block, natural": lambda: SurjectiveCoupling(
        (5,), 2, 6, code="natural"
    ),
}


@pytest.fixture(scope="module", params=CASES)
def g(request: pytest.FixtureRequest) -> nn.Module:
    return shaken(CASES[request.param](), seed=4).requires_grad_(False)


def inputs(g, seed=0, count=3):
    return 0.5 * noise(count, *g.in_shape, seed=seed)


def targets(g, seed=1, count=3):
    return noise(count, *g.out_shape, seed=seed)


# Laws


def test_every_law_holds_to_rounding(g):
    assert max(check_operator(g, tol=1e-10).values()) < 1e-10


def test_projection_lands_on_any_target(g):
    x, y = inputs(g), targets(g)
    assert relative(g(g.project(x, y)), y) < 1e-9
    assert relative(g(g.project(x, y, completion="centred")), y) < 1e-9


def test_round_trip(g):
    x = inputs(g)
    assert relative(g.complete_inverse(*g.complete(x)), x) < 1e-9
    y, z = g.complete(x)
    assert torch.equal(g(x), y)
    assert sum(part[0].numel() for part in leaves(z)) + y[0].numel() == (
        x[0].numel()
    )


def test_g_pinv_is_the_identity_on_all_measurements(g):
    y = 3 * targets(g)
    assert relative(g(g.pinv(y)), y) < 1e-9
    x = inputs(g)
    assert relative(g(g.pinv(g(x))), g(x)) < 1e-9
    assert relative(g.pinv(g(g.pinv(y))), g.pinv(y)) < 1e-9


@pytest.mark.parametrize("strength", [1.0, 0.3, -0.5, 1.7])
def test_projection_is_the_published_formula(g, strength):
    x, y = inputs(g), targets(g)
    here, there, seen = (
        g.complete(point) for point in (x, g.pinv(y), g.pinv(g(x)))
    )
    wanted = g.complete_inverse(
        *combine(lambda a, b, c: a + strength * (b - c), here, there, seen)
    )
    assert relative(g.project(x, y, strength), wanted) < 1e-8
    if isinstance(g, Chain):
        base = Chain.project(g, x, y, strength)
        cached = g.project(x, y, strength, code=g.null_code(y))
        assert relative(base, wanted) < 1e-8
        assert relative(cached, wanted) < 1e-8


def test_strength_can_differ_from_item_to_item(g):
    x, y = inputs(g), targets(g)
    strength = torch.tensor([0.0, 0.4, 1.0])
    for i, value in enumerate(strength.tolist()):
        one = g.project(x[i : i + 1], y[i : i + 1], value)
        both = g.project(x, y, strength)[i : i + 1]
        assert relative(both, one) < 1e-9
    assert relative(g.project(x, y, 0.0), x) < 1e-9


def test_moves_compose_and_repeat(g):
    """The result depends on the last target alone, not on the path."""
    x, y, other = inputs(g), targets(g), targets(g, seed=2)
    direct = g.project(x, y)
    assert relative(g.project(g.project(x, other), y), direct) < 1e-8
    assert relative(g.project(direct, y), direct) < 1e-8


def test_pinv_with_code_is_pinv_and_null_code(g):
    y = targets(g)
    back, code = pinv_with_code(g, y)
    assert relative(back, g.pinv(y)) < 1e-12
    for a, b in zip(leaves(code), leaves(g.null_code(y)), strict=True):
        assert torch.allclose(a, b, atol=1e-12)


class Wild(nn.Module):
    """A network r that nobody trained."""

    def __init__(self, channels: int, size: float) -> None:
        super().__init__()
        self.channels, self.size = channels, size

    def forward(self, y):
        mean = y.mean(1, keepdim=True)
        return self.size * torch.sin(9 * mean).repeat_interleave(
            self.channels, 1
        )


@pytest.mark.parametrize("size", [0.0, 1.0, 30.0])
def test_any_r_gives_a_right_inverse(size):
    g = shaken(deep(5)).requires_grad_(False)
    for block in g.stages:
        if isinstance(block, SurjectiveCoupling):
            block.r = Wild(block.code_shape[0], size)
    y = targets(g)
    assert relative(g(g.pinv(y)), y) < 1e-9
    x = inputs(g)
    assert relative(g(g.project(x, y)), y) < 1e-9


def test_both_types_are_kept_whatever_the_weights_have():
    g = shaken(deep(6)).requires_grad_(False)
    x, y = inputs(g), targets(g)
    exact = g.project(x, y)
    for model, dtype, bound in (
        (g, torch.float32, 1e-4),
        (g.float(), torch.float64, 1e-9),
        (g, torch.float32, 1e-4),
    ):
        moved = model.project(x.to(dtype), y.to(dtype))
        assert moved.dtype == dtype
        assert relative(model(moved), y.to(dtype)) < bound
    assert relative(moved.double(), exact) < 1e-4


def test_gradients_flow_and_calls_change_nothing():
    g = shaken(vectors(7))
    before = {k: v.clone() for k, v in g.state_dict().items()}
    x, y = inputs(g), targets(g)
    g.project(x, y).square().sum().backward()
    assert all(w.grad is not None for w in g.parameters())
    assert all(torch.equal(before[k], v) for k, v in g.state_dict().items())


def test_pickles_and_copies_are_the_same_map():
    g = shaken(deep(8))
    x, y = inputs(g), targets(g)
    twin = pickle.loads(pickle.dumps(g))
    assert torch.equal(twin.project(x, y), g.project(x, y))


# Cost


def calls_of(g, action):
    """How often each network ran, and on how many items."""
    seen = {}

    def count(module, given):
        calls, items = seen.get(module, (0, 0))
        seen[module] = calls + 1, items + len(given[0])

    blocks = [b for b in g.stages if isinstance(b, SurjectiveCoupling)]
    hooks = [
        net.register_forward_pre_hook(count)
        for block in blocks
        for net in (block.net, block.r)
    ]
    action()
    for hook in hooks:
        hook.remove()
    return [(seen[b.net], seen[b.r]) for b in blocks]


def test_projection_makes_few_passes():
    g = shaken(spnn_classifier((1, 8, 8), 3, width=4, middle=7))
    x, y = inputs(g, count=2), targets(g, count=2)
    code = g.null_code(y)
    # Twice each, on three (two) times the batch backwards; the first block
    # inverts only the result. The authors' loop: seven passes.
    first, *others = calls_of(g, lambda: g.project(x, y))
    assert first == ((2, 8), (1, 4)) and set(others) == {((2, 8), (1, 4))}
    first, *others = calls_of(g, lambda: g.project(x, y, code=code))
    assert first == ((2, 6), (1, 2)) and set(others) == {((2, 6), (1, 2))}


def test_a_first_block_inverts_only_the_result():
    g = shaken(
        SPNN(SurjectiveCoupling((9,), 5, 4), SurjectiveCoupling((5,), 2, 4))
    )
    x, y = inputs(g, count=2), targets(g, count=2)
    first, second = calls_of(g, lambda: g.project(x, y))
    assert first == ((2, 4), (1, 4)) and second == ((2, 8), (1, 4))


def test_no_mix_is_solved_twice(monkeypatch):
    solved = []
    solve = CayleyMix.solve
    monkeypatch.setattr(
        CayleyMix, "solve", lambda self: solved.append(self) or solve(self)
    )
    g = shaken(deep(9))
    x, y = inputs(g), targets(g)
    g.project(x, y)  # with gradients
    assert len(solved) == len(set(solved)) == 3
    solved.clear()
    with torch.no_grad():
        g.project(x, y)
        g.project(x, 2 * y)
    assert len(solved) == 3


# Codes


def test_a_new_block_copies_its_first_channels():
    block = SurjectiveCoupling((4, 3, 3), 2)
    x = noise(2, 4, 3, 3, dtype=torch.float32)
    y, z = block.complete(x)
    assert torch.equal(y, x[:, :2]) and torch.equal(z, x[:, 2:])
    assert not block.null_code(y).any()


def test_the_natural_code_has_least_norm():
    block = shaken(SurjectiveCoupling((5,), 2, 6, code="natural"))
    assert torch.equal(
        block.complete(torch.zeros(1, 5).double())[1],
        block.null_code(targets(block, count=1)),
    )
    g = shaken(deep(10)).requires_grad_(False).with_code("natural")
    y = targets(g, count=1)
    natural = total(g, g.pinv(y))
    assert natural == pytest.approx(float(y.square().sum()))
    for seed in range(20):  # other points of the same fibre
        x = g.project(inputs(g, seed, count=1), y)
        assert relative(g(x), y) < 1e-9 and total(g, x) > natural


def total(g, x):
    y, z = g.complete(x)
    return sum(float(p.square().sum()) for p in (y, *leaves(z)))


def test_with_code_changes_the_inverse_and_nothing_else():
    g = shaken(camera_first(11)).requires_grad_(False)
    natural = g.with_code("natural")
    x, y = inputs(g), targets(g)
    assert torch.equal(g(x), natural(x))
    assert relative(natural.pinv(y), g.pinv(y)) > 1e-3
    assert torch.equal(natural.with_code("learned").pinv(y), g.pinv(y))
    assert [id(w) for w in g.parameters()] == [
        id(w) for w in natural.parameters()
    ]
    with pytest.raises(ValueError, match="has no network r"):
        SPNN(SurjectiveCoupling((3,), 1, code="natural")).with_code("learned")


def test_scales_stay_within_the_bound():
    block = shaken(SurjectiveCoupling((4,), 2, 8, scale_bound=0.5))
    log_scale, _ = block.scale_shift(1e3 * noise(50, 2))
    assert 0.4 < log_scale.abs().max() <= 0.5


def test_own_networks_are_used():
    net, r = nn.Linear(1, 4).double(), nn.Linear(2, 1).double()
    block = SurjectiveCoupling((3,), 2, scale_bound=0.7, net=net, r=r)
    x = inputs(block)
    s, t = net(x[:, 2:]).chunk(2, 1)
    wanted = x[:, :2] * torch.exp(0.7 * torch.tanh(s / 0.7)) + t
    assert torch.allclose(block(x), wanted)
    y = targets(block)
    s, t = net(r(y)).chunk(2, 1)
    x0 = (y - t) / torch.exp(0.7 * torch.tanh(s / 0.7))
    assert torch.allclose(block.pinv(y), torch.cat([x0, r(y)], 1))


def test_weights_come_from_the_generator_alone():
    def drawn(seed):
        draw = torch.Generator().manual_seed(seed)
        return spnn_classifier((1, 8, 8), 3, middle=7, generator=draw)

    torch.manual_seed(1)
    first = drawn(0).state_dict()
    state = torch.random.get_rng_state()
    second, other = drawn(0).state_dict(), drawn(1).state_dict()
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert not torch.equal(
        first["stages.2.net.0.weight"], (other["stages.2.net.0.weight"])
    )


# Stacks


def test_the_classifier_starts_from_block_means():
    g = spnn_classifier((1, 28, 28), 10)
    assert g.out_shape == (10,)
    assert [
        s.out_shape for s in g.stages if isinstance(s, (SurjectiveCoupling))
    ] == [(2, 14, 14), (4, 7, 7), (64,), (10,)]
    x = noise(2, 1, 28, 28, dtype=torch.float32)
    half = x
    for stage in g.stages[:3]:
        half = stage(half)
    means = 2 * F.avg_pool2d(x, 2)
    assert torch.allclose(half[:, :1], means, atol=1e-5)


def test_the_surrogate_starts_as_the_average_pool():
    for shape, out in (
        ((1, 28, 28), (1, 14, 14)),
        ((3, 16, 8), (3, 4, 2)),
    ):
        x = noise(2, *shape, dtype=torch.float32)
        pool = F.avg_pool2d(x, shape[1] // out[1])
        seen = spnn_surrogate(shape, out)(x)
        assert torch.allclose(seen, pool, atol=1e-5)


def test_couplings_of_the_surrogate_bend_one_half_after_the_other():
    g = spnn_surrogate((1, 8, 8), (1, 4, 4))
    couplings = [s for s in g.stages if isinstance(s, AffineCoupling)]
    assert [c.swap for c in couplings] == [True, False, True]


def test_position_nets_treat_places_differently():
    net = position_net((1, 8, 8), 2, 4)
    flat = torch.ones(1, 1, 8, 8)
    nn.init.normal_(net[-1].weight)
    inner = net(flat)[0, :, 3:5, 3:5]
    assert torch.allclose(inner, inner[:, :1, :1].expand_as(inner))
    nn.init.normal_(net[1].map)
    inner = net(flat)[0, :, 3:5, 3:5]
    assert not torch.allclose(inner, inner[:, :1, :1].expand_as(inner))


@pytest.mark.parametrize(
    "phi", [PixelGain((2, 3), 0.5), AsinhResponse((2, 3)), Flatten((1, 2, 3))]
)
def test_small_bijections(phi):
    phi = shaken(phi, size=0.5)
    check_operator(phi)
    x = inputs(phi, count=2)
    jacobians = torch.stack(
        [torch.autograd.functional.jacobian(phi, item[None]) for item in x]
    ).reshape(2, 6, 6)
    volume = torch.linalg.slogdet(jacobians).logabsdet
    assert torch.allclose(phi.log_det(x), volume)


def test_the_response_keeps_black_grey_and_white():
    curve = shaken(AsinhResponse((3,)), size=2.0)
    ends = torch.tensor([[-1.0, 0, 1]]).double()
    assert torch.allclose(curve(ends), ends)
    assert float(curve(ends / 2)[0, 2].detach()) > 0.5


# The published network, written anew from its description


class Theirs(nn.Module):
    """Mix and three networks; ``pinv`` takes no codes."""

    def __init__(self, n, m, net, reflections):
        super().__init__()
        self.m, self.mix = m, nn.Module()
        if reflections:
            self.mix.V = nn.Parameter(torch.randn(reflections, n))
        else:
            self.mix.A_unconstrained = nn.Parameter(0.1 * torch.randn(n, n))
        for name, i, o in (("t", n - m, m), ("s", n - m, m), ("r", m, n - m)):
            part = nn.Module()
            part.net = net(i, o)
            setattr(self, name, part)

    def matrix(self):
        if hasattr(self.mix, "V"):
            product = torch.eye(self.mix.V.shape[1])
            for v in self.mix.V:
                v = v / (v.norm() + 1e-8)
                product = product - 2 * torch.outer(v, v) @ product
            return product
        b = self.mix.A_unconstrained
        eye, a = torch.eye(len(b)), b - b.T
        return torch.linalg.solve((1 + 1e-6) * eye + a, eye - a)

    def parts(self, u1):
        return torch.exp(2 * self.s.net(u1).tanh()), self.t.net(u1).tanh()

    def forward(self, x):
        u = F.conv2d(x, self.matrix()[:, :, None, None])
        s, t = self.parts(u[:, self.m :])
        return u[:, : self.m] * s + t

    def pinv(self, y):
        u1 = self.r.net(y).tanh()
        s, t = self.parts(u1)
        u = torch.cat([(y - t) / s, u1], 1)
        return F.conv2d(u, self.matrix().T[:, :, None, None])


class Fold(nn.Module):
    def forward(self, x):
        return F.pixel_unshuffle(x, 4)

    def pinv(self, y):
        return F.pixel_shuffle(y, 4)


class Published(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.pinn = nn.Module()
        self.pinn.blocks = nn.ModuleList(blocks)

    def forward(self, x):
        for block in self.pinn.blocks:
            x = block(x)
        return x.flatten(1)

    def pinv(self, y):
        y = y[:, :, None, None]
        for block in reversed(self.pinn.blocks):
            y = block.pinv(y)
        return y


def six(a, b):
    def net(n, m):
        return nn.Sequential(
            *(nn.Conv2d(n, a, 3, 1, 1), nn.ReLU()),
            *(nn.Conv2d(a, a, 3, 1, 1), nn.ReLU()),
            *(nn.Conv2d(a, b, 3, 2, 1), nn.ReLU()),
            *(nn.Conv2d(b, b, 3, 1, 1), nn.ReLU()),
            *(nn.ConvTranspose2d(b, a, 4, 2, 1), nn.ReLU()),
            nn.Conv2d(a, m, 3, 1, 1),
        )

    return net


def ones(*widths):
    def net(n, m):
        sizes = (n, *(widths if n > m else widths[::-1]), m)
        layers = []
        for i, o in itertools.pairwise(sizes):
            layers += [nn.Conv2d(i, o, 1), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    return net


def small_published(reflections=None):
    torch.manual_seed(0)
    small = Sizes((3, 16, 16), ((8, 10),), (((20, 16), 40), ((12, 9, 8), 5)))
    model = Published(
        [
            Fold(),  # 48 x 4 x 4
            Theirs(48, 12, six(8, 10), reflections),
            Fold(),  # 192
            Theirs(192, 40, ones(20, 16), reflections),
            Theirs(40, 5, ones(12, 9, 8), reflections),
        ]
    )
    return model, small


@pytest.mark.parametrize("reflections", [None, 4])
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_checkpoint_of_the_authors_layout_loads(
    tmp_path, reflections, suffix
):
    theirs, sizes = small_published(reflections)
    path = tmp_path / f"spnn.{suffix}"
    save = save_file if suffix == "safetensors" else torch.save
    save(theirs.state_dict(), path)
    ours = load(path, sizes)
    x = noise(2, 3, 16, 16, dtype=torch.float32)
    with torch.no_grad():
        y = theirs(x)
        assert relative(ours(x), y) < 1e-4
        assert relative(ours.pinv(y), theirs.pinv(y)) < 1e-4
        assert relative(ours.double()(x.double()), y.double()) < 1e-4
    assert max(check_operator(ours).values()) < 1e-12
    assert all(w.requires_grad for w in ours.parameters())


CONVS = {  # reference: block, then t and s, then r; (out, in)
    1: (
        [(128, 36), (128, 128), (256, 128), (256, 256), (256, 128), (12, 128)],
        [(128, 12), (128, 128), (256, 128), (256, 256), (256, 128), (36, 128)],
    ),
    3: (
        [
            (256, 144),
            (256, 256),
            (512, 256),
            (512, 512),
            (512, 256),
            (48, 256),
        ],
        [
            (256, 48),
            (256, 256),
            (512, 256),
            (512, 512),
            (512, 256),
            (144, 256),
        ],
    ),
    5: (
        [
            (512, 576),
            (512, 512),
            (1024, 512),
            (1024, 1024),
            (1024, 512),
            (192, 512),
        ],
        [
            (512, 192),
            (512, 512),
            (1024, 512),
            (1024, 1024),
            (1024, 512),
            (576, 512),
        ],
    ),
    7: (
        [(2048, 2048), (1536, 2048), (1024, 1536)],
        [(1536, 1024), (2048, 1536), (2048, 2048)],
    ),
    8: (
        [(512, 984), (256, 512), (128, 256), (40, 128)],
        [(128, 40), (256, 128), (512, 256), (984, 512)],
    ),
}


def official_shapes():
    """Names and shapes of the published file, from its description."""
    shapes = {}
    for block, (steer, code) in CONVS.items():
        prefix, small = f"pinn.blocks.{block}", block > 6
        channels = {1: 48, 3: 192, 5: 768, 7: 3072, 8: 1024}[block]
        shapes[f"{prefix}.mix.A_unconstrained"] = (channels, channels)
        for name, layers in (("t", steer), ("s", steer), ("r", code)):
            for k, (a, b) in enumerate(layers):
                up = not small and k == 4
                side = 1 if small else 4 if up else 3
                layer = f"{prefix}.{name}.net.{2 * k}"
                shapes[f"{layer}.weight"] = (a, b, side, side)
                shapes[f"{layer}.bias"] = (b if up else a,)
    return shapes


def hollow_faces(attributes=40):
    with torch.device("meta"):
        return spnn_celebahq256(attributes)


@pytest.fixture(scope="module")
def full_size():
    return hollow_faces()


def test_the_full_size_has_the_published_names_and_shapes(full_size):
    ours = full_size.state_dict()
    given = {
        k: tuple(ours[v].shape) for k, v in (official_names(full_size).items())
    }
    assert given == official_shapes()
    assert len(given) == len(ours) == 155
    assert sum(map(math.prod, given.values())) == 150_078_484


def test_the_full_size_has_the_published_codes(full_size):
    assert full_size.in_shape == (3, 256, 256)
    assert full_size.out_shape == (40,)
    codes = [
        math.prod(stage.code_shape)
        for stage in full_size.stages
        if isinstance(stage, SurjectiveCoupling)
    ]
    assert codes == [36 * 64**2, 144 * 16**2, 576 * 4**2, 2048, 984]
    assert sum(codes) + 40 == 3 * 256**2


def hollow(shapes):
    """Tensors of full shape that hold a single number."""
    return {k: torch.zeros(1).expand(shape) for k, shape in shapes.items()}


def test_a_full_size_file_loads(tmp_path):
    torch.save(hollow(official_shapes()), tmp_path / "all.pth")
    g = load_official_spnn(tmp_path / "all.pth")
    assert not any(w.is_meta for w in g.parameters())
    assert sum(w.numel() for w in g.parameters()) == 150_078_484


def test_a_wrong_file_is_refused_with_reasons(tmp_path):
    path = tmp_path / "other.pth"

    def refused(words, state, **options):
        torch.save(state, path)
        with pytest.raises(ValueError, match=words):
            load_official_spnn(path, **options)

    shapes = official_shapes()
    refused("155 missing .*1 not expected .conv", {"conv": torch.zeros(2)})
    refused("holds a list, expected a dict", [torch.zeros(2)])
    name = "pinn.blocks.8.t.net.6.weight"
    rest = {k: v for k, v in shapes.items() if k != name}
    refused(f"1 missing .{name}", hollow(rest))
    refused(
        r"\(7,\), expected \(40,\)",
        hollow(shapes | {"pinn.blocks.8.s.net.6.bias": (7,)}),
    )
    refused("num_attributes=10", hollow(shapes), num_attributes=10)
    path.write_bytes(b"no weights")
    with pytest.raises(ValueError, match="is not a file of weights"):
        load_official_spnn(path)
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"no weights")
    with pytest.raises(ValueError, match="is not a file of weights"):
        load_official_spnn(bad)
    with pytest.raises(FileNotFoundError, match=r"none\.pth"):
        load_official_spnn(tmp_path / "none.pth")


class Danger:
    def __reduce__(self):
        return print, ("code ran",)


def test_files_cannot_run_code(tmp_path, capsys):
    path = tmp_path / "danger.pth"
    torch.save({"a": Danger()}, path)
    with pytest.raises(ValueError, match="is not a file of weights"):
        load_official_spnn(path)
    assert "code ran" not in capsys.readouterr().out


# Clear words


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SurjectiveCoupling((4, 2, 2), 4), "from 1 to 3.*got 4"),
        (lambda: SurjectiveCoupling((4, 2, 2), 0), "from 1 to 3.*got 0"),
        (lambda: SurjectiveCoupling((4, 2), 1), "1 or 3 dimensions"),
        (lambda: SurjectiveCoupling((4,), 1, scale_bound=0), "scale_bound"),
        (lambda: SurjectiveCoupling((4,), 1, code="zero"), "'learned'"),
        (lambda: SurjectiveCoupling((4,), 1, r=nn.Dropout()), "Dropout"),
        (
            lambda: SurjectiveCoupling(
                (4,), 1, net=nn.Sequential(nn.BatchNorm1d(3))
            ),
            "BatchNorm1d.*GroupNorm",
        ),
        (lambda: SPNN(), "at least one operator"),
        (
            lambda: SPNN(Flatten((1, 2, 2)), SurjectiveCoupling((5,), 1)),
            "stage 0 .*takes",
        ),
        (lambda: spnn_classifier((1, 7, 7), 3), "does not divide"),
        (lambda: spnn_classifier((1, 4, 4), 3), "classes < middle < 8"),
        (
            lambda: spnn_classifier((1, 8, 8), 3, middle=7, couplings=-1),
            "couplings must be at least 0, got -1",
        ),
        (lambda: spnn_surrogate((1, 8, 8), (1, 3, 4)), "same multiple"),
        (lambda: spnn_surrogate((1, 8, 8), (4, 4, 4)), "from 1 to 3"),
        (lambda: PixelGain((2,), 0.0), "gain"),
        (lambda: hollow_faces(1024), "from 1 to 1023"),
    ],
)
def test_wrong_sizes_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SurjectiveCoupling((4,), 1.5), "out_channels"),
        (
            lambda: spnn_classifier((1, 8, 8), 3, middle=7, couplings=1.5),
            "couplings must be an integer",
        ),
        (lambda: SurjectiveCoupling((4,), 1, net=torch.tanh), r"nn\.Module"),
        (lambda: SurjectiveCoupling((4,), 1, scale_bound="2"), "scale_bound"),
    ],
)
def test_wrong_types_are_refused(make, words):
    with pytest.raises(TypeError, match=words):
        make()


def test_wrong_measurements_are_refused():
    g = spnn_classifier((1, 8, 8), 3, width=4, middle=7)
    x, y = torch.zeros(2, 1, 8, 8), torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"y must have shape \(B, 3\)"):
        g.project(x, torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"y must have shape \(B, 3\)"):
        g.pinv(torch.zeros(2, 4))
    with pytest.raises(ValueError, match="1 NaN or infinite"):
        g.project(x, torch.tensor([[0, 1, math.nan], [0, 0, 0]]))
    with pytest.raises(ValueError, match="x holds 2 items and y 1"):
        g.project(x, y[:1])
    with pytest.raises(TypeError, match="float32 or float64"):
        g(x.half())
    with pytest.raises(ValueError, match=r"add the batch dimension"):
        g(x[0])
    with pytest.raises(ValueError, match="completion must be"):
        g.project(x, y, completion="other")
    with pytest.raises(ValueError, match="entry for each of the"):
        g.project(x, y, code=g.null_code(y)[1:])
    with pytest.raises(TypeError, match="strength"):
        g.project(x, y, "1")


def test_wrong_codes_and_networks_are_refused():
    block = SurjectiveCoupling((4,), 1, net=nn.Linear(3, 5), r=nn.Linear(1, 2))
    with pytest.raises(ValueError, match=r"network net must .*\(B, 2\)"):
        block(torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"network r must .*\(B, 3\)"):
        block.pinv(torch.zeros(2, 1))
    with pytest.raises(ValueError, match=r"code z must have shape \(B, 3\)"):
        block.complete_inverse(torch.zeros(2, 1), torch.zeros(2, 2))
