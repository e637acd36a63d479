"""Training an SPNN: what each phase learns, and that it can go on."""

from __future__ import annotations

import copy
import math
from collections import namedtuple
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from pinv_edu.bijections import AffineCoupling, CayleyMix
from pinv_edu.laws import relative
from pinv_edu.spnn import (
    SPNN,
    Flatten,
    History,
    SurjectiveCoupling,
    spnn_classifier,
    spnn_surrogate,
    train_spnn,
)
from pinv_edu.spnn.batches import Batches
from pinv_edu.spnn.run import Run

Order = namedtuple("Order", "batch seed")
quiet = partial(train_spnn, progress=False)
LAWS = ("P1", "P2", "right inverse", "round trip")


def noise(*shape, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=draw)


def toy(seed=0):
    """From the plane to the line."""
    draw = torch.Generator().manual_seed(seed)
    return SPNN(
        CayleyMix((2,), spread=0.3, generator=draw),
        AffineCoupling((2,), hidden=8, generator=draw),
        CayleyMix((2,), spread=0.3, generator=draw),
        SurjectiveCoupling((2,), 1, 8, generator=draw),
    )


def curve(count=300, seed=0):
    """Points near a curve, so that one number nearly tells where."""
    x = noise(count, 2, seed=seed)
    x[:, 1] = torch.sin(2 * x[:, 0]) + 0.1 * x[:, 1]
    return x, x[:, :1] + 0.3 * x[:, 1:] ** 2


def weights(g):
    return {k: v.clone() for k, v in g.state_dict().items()}


def same(a, b):
    return all(torch.equal(a[k], b[k]) for k in a)


def is_code(name):
    return ".r." in name


brief = {"steps": 12, "batch": 16, "warmup": 3, "every": 4}


# What is learned


def test_phase_one_learns_the_task_and_the_way_back():
    g = toy()
    history = quiet(
        g, curve(), reconstruction=1.0, steps=150, warmup=10, lr=1e-2
    )
    assert isinstance(history, History) and history.stopped == "steps"
    for name in ("loss", "task", "reconstruction"):
        column = history.column(name)
        assert column[-1] < 0.6 * column[0]
    x, y = curve(seed=1)
    assert F.mse_loss(g(x), y) < 0.1 * F.mse_loss(toy()(x), y)


def test_the_laws_hold_before_during_and_after():
    history = quiet(toy(), curve(), "both", **brief)
    assert history.column("step", 1) == [0, 4, 8, 12]
    assert history.column("step", 2) == [0, 4, 8, 12]
    for law in LAWS:
        assert max(history.column(law)) < 1e-5
    exact = quiet(toy().double(), [pair.double() for pair in curve()], **brief)
    for law in LAWS:
        assert max(exact.column(law)) < 1e-10


def test_laws_after_a_training_in_single_precision():
    g = spnn_classifier((1, 8, 8), 3, width=8, middle=7, hidden=(16, 16))
    x = noise(256, 1, 8, 8)
    labels = (x[:, 0, 0, 0] > 0).long() + (x[:, 0, 4, 4] > 0).long()
    history = quiet(g, (x, labels), steps=60, batch=64, warmup=5, lr=5e-3)
    assert history.column("task")[-1] < history.column("task")[0]
    x, y = x[:5], noise(5, 3, seed=1)
    with torch.no_grad():
        assert relative(g(g.project(x, y)), y) < 1e-4
        assert relative(g.complete_inverse(*g.complete(x)), x) < 1e-4


def test_a_surrogate_learns_from_pairs_of_a_black_box():
    x = noise(64, 1, 8, 8).tanh()
    y = F.avg_pool2d(torch.tanh(2 * x), 2) * torch.linspace(0.5, 1, 4)
    g = spnn_surrogate((1, 8, 8), (1, 4, 4), hidden=8, couplings=1)
    before = relative(g(x).detach(), y)
    history = quiet(
        g,
        (x, y),
        task_weight=100,
        reconstruction=0,
        inverse=3,
        share=1.0,
        steps=120,
        batch=16,
        warmup=10,
        lr=1e-2,
    )
    assert set(history[-1]) >= {"task", "inverse"}
    assert "reconstruction" not in history[-1]
    assert history.column("inverse")[-1] < history.column("inverse")[0]
    with torch.no_grad():
        assert relative(g(x), y) < 0.5 * before


def test_phase_two_leaves_g_as_it_is():
    g = toy()
    quiet(g, curve(), **brief)
    before, x = weights(g), noise(9, 2, seed=5)
    seen = g(x)
    quiet(g, curve(), 2, lr=1e-2, **brief)
    after = weights(g)
    for name in before:
        assert torch.equal(before[name], after[name]) != is_code(name)
    assert torch.equal(g(x), seen)


def gaussian(count=4000):
    """Correlated points whose sample covariance is exactly C."""
    x = noise(count, 3).double()
    x = x - x.mean(0)
    white = x @ torch.linalg.inv(torch.linalg.cholesky(x.T @ x / count)).T
    root = torch.tensor([[1.0, 0, 0], [0.8, 0.5, 0], [-0.6, 0.7, 0.4]])
    return white @ root.double().T, root.double() @ root.double().T


def linear_block():
    """A rotation, then the plain choice of one coordinate; r is linear."""
    steer, r = nn.Linear(2, 2), nn.Linear(1, 2)
    for weight in (*steer.parameters(), *r.parameters()):
        nn.init.zeros_(weight)
    draw = torch.Generator().manual_seed(1)
    return SPNN(
        CayleyMix((3,), spread=0.6, generator=draw),
        SurjectiveCoupling((3,), 1, net=steer, r=r),
    ).double()


@pytest.mark.parametrize("dial", [0.0, 0.3, 1.0])
def test_the_dial_goes_from_kalman_to_moore_penrose(dial):
    g = linear_block()
    nn.init.constant_(g.stages[1].r.weight, 0.5)
    x, covariance = gaussian()
    quiet(
        g,
        (x, x[:, :1]),
        2,
        dial=dial,
        steps=250,
        batch=len(x),
        lr=0.1,
        warmup=1,
        weight_decay=0.0,
        decay=2.0,
        every=250,
    )
    with torch.no_grad():
        a = g(torch.eye(3).double()).T
        inverse = g.pinv(torch.ones(1, 1).double()).T
    kalman = covariance @ a.T @ torch.linalg.inv(a @ covariance @ a.T)
    wanted = (1 - dial) * kalman + dial * torch.linalg.pinv(a)
    assert torch.allclose(inverse, wanted, atol=1e-4)
    assert not torch.allclose(kalman, torch.linalg.pinv(a), atol=0.1)


def test_the_natural_end_of_the_dial_shrinks_the_codes():
    g = toy()
    nn.init.constant_(g.stages[1].net[-1].bias, 1.5)  # q(0) is not 0
    nn.init.constant_(g.stages[-1].r[-1].bias, -2.0)
    history = quiet(g, curve(), 2, dial=1.0, steps=80, warmup=5, lr=5e-2)
    assert set(history[-1]) >= {"natural"}
    assert "reconstruction" not in history[-1]
    assert history.column("natural")[-1] < 0.1 * history[0]["natural"]
    x = noise(5, 2)
    with torch.no_grad():
        origin = g.complete(torch.zeros(1, 2))[1][-1]
        far = (g.null_code(g(x))[-1] - origin).abs().max()
    assert float(far) < 0.5 < float(origin.abs().max())


def test_the_term_that_is_left_out_is_zero_and_teaches_nothing():
    """The authors' loss on g(g+(g(x))) - g(x), and its gradient."""
    g = toy().double()
    quiet(g, [part.double() for part in curve()], **brief)
    x = noise(50, 2).double()
    seen = g(x)
    loss = F.mse_loss(g(g.pinv(seen)), seen)
    assert loss < 1e-28
    for slope in torch.autograd.grad(loss, list(g.parameters())):
        assert float(slope.abs().max()) < 1e-14


# Tasks and pairs


def run_with(pairs, seed=0, **options):
    g = toy()
    quiet(g, pairs, seed=seed, **{**brief, **options})
    return weights(g)


def test_tensors_lists_and_data_sets_are_the_same_pairs():
    x, y = curve(40)
    tensors = run_with((x, y))
    assert same(tensors, run_with(TensorDataset(x, y)))
    assert same(tensors, run_with(list(zip(x, y))))
    assert not same(tensors, run_with((x, y), seed=1))


def test_a_function_draws_batches():
    seen = []

    def draw(generator, size):
        x = torch.randn(size, 2, generator=generator)
        seen.append(x)
        return x, x[:, :1]

    first = run_with(draw)
    assert {len(x) for x in seen} == {16}
    assert len({float(x[0, 0]) for x in seen}) == 12  # a new one each step
    assert same(first, run_with(draw))


def test_the_order_does_not_depend_on_the_global_seed():
    torch.manual_seed(1)
    first = run_with(curve())
    torch.manual_seed(2)
    assert same(first, run_with(curve()))


def test_augmentation_sees_each_batch():
    def mirror(x, y, generator):
        return (
            (x.flip(1), y)
            if torch.rand(1, generator=generator) < 0.5
            else (x, y)
        )

    assert not same(run_with(curve()), run_with(curve(), augment=mirror))
    assert same(
        run_with(curve()), run_with(curve(), augment=lambda x, y, _: (x, y))
    )


def test_losses_by_name_by_function_and_by_type():
    draw = torch.Generator().manual_seed(0)
    g = SPNN(SurjectiveCoupling((5,), 3, 4, generator=draw))
    x = noise(30, 5)
    labels, marks = torch.arange(30) % 3, (noise(30, 3, seed=1) > 0).float()

    def exact(loss, y):
        return pytest.approx(loss(g(x), y).item(), rel=1e-5)

    whole = {**brief, "batch": len(x)}

    def at_start(y, task=None):
        rows = quiet(copy.deepcopy(g), (x, y), task=task, **whole)
        return rows[0]["task"]

    assert at_start(labels) == exact(F.cross_entropy, labels)
    assert at_start(marks) == exact(F.mse_loss, marks)
    bce = F.binary_cross_entropy_with_logits
    assert at_start(marks, "binary-cross-entropy") == exact(bce, marks)
    smooth = nn.CrossEntropyLoss(label_smoothing=0.2)
    assert at_start(labels, smooth) == exact(smooth, labels)


def test_the_inverse_is_measured_on_a_share_of_the_batch():
    g, (x, y) = toy(), curve(16)
    options = {**brief, "task_weight": 0, "batch": 16}
    few = quiet(copy.deepcopy(g), (x, y), share=0.25, **options)
    first = Batches((x, y), g, Order(16, 0))[0][0][:4]
    with torch.no_grad():
        wanted = F.mse_loss(g.pinv(g(first)), first)
    assert few[0]["reconstruction"] == pytest.approx(float(wanted), rel=1e-5)


def test_a_swap_costs_what_leaves_the_range():
    g, (x, y) = toy(), curve(16)
    options = {**brief, "batch": 16, "task_weight": 0, "reconstruction": 0}
    few = quiet(copy.deepcopy(g), (x, y), swap=1.0, share=0.5, **options)
    batch = Batches((x, y), g, Order(16, 0))[0][0]
    with torch.no_grad():
        far = g.project(batch, g(batch).roll(1, 0))[:8].abs() - 1
        wanted = far.clamp(min=0).square().mean(1).log1p().mean()
    assert float(wanted) > 0
    assert few[0]["swap"] == pytest.approx(float(wanted), rel=1e-5)


def test_the_swap_loss_brings_swaps_into_the_range():
    x, y = curve()
    g, draw = toy(), torch.Generator().manual_seed(0)
    with torch.no_grad():  # far from the identity, so that swaps go far
        for p in g.parameters():
            p.add_(0.7 * torch.randn(p.shape, generator=draw))
    history = quiet(
        g, (0.4 * x.clamp(-2.5, 2.5), y), task_weight=0, reconstruction=0,
        swap=1.0, share=1.0, steps=100, phase=1, batch=300, lr=5e-3,
        every=25,
    )  # fmt: skip
    assert history[-1]["swap"] < 0.3 * history[0]["swap"]


def test_gradients_are_clipped(monkeypatch):
    sizes, step = [], torch.optim.AdamW.step

    def spy(optimizer):
        slopes = [w.grad for w in optimizer.param_groups[0]["params"]]
        sizes.append(math.hypot(*(float(s.norm()) for s in slopes)))
        return step(optimizer)

    monkeypatch.setattr(torch.optim.AdamW, "step", spy)
    quiet(toy(), curve(), clip=0.01, **brief)
    assert max(sizes) == pytest.approx(0.01, rel=1e-3)


def test_weights_without_gradient_stay_in_phase_one():
    g = toy()
    g.stages[0].requires_grad_(False)
    before = weights(g)
    quiet(g, curve(), **brief)
    after = weights(g)
    for name in before:
        kept = torch.equal(before[name], after[name])
        assert kept == name.startswith("stages.0.")
    assert [w.requires_grad for w in g.parameters()][0:2] == [False, True]


def test_natural_networks_train_too():
    g = SPNN(CayleyMix((4,)), SurjectiveCoupling((4,), 2, 8, code="natural"))
    x = noise(60, 4)
    history = quiet(g, (x, x[:, 2:]), reconstruction=1.0, **brief)
    assert history[-1]["loss"] < history[0]["loss"]


# Looks, budgets and early stop


def test_learning_rate_warms_up_and_falls_to_zero(monkeypatch):
    rates = []
    advance = Run.advance

    def spy(run):
        loss = advance(run)
        rates.append(run.optimizer.param_groups[0]["lr"])
        return loss

    monkeypatch.setattr(Run, "advance", spy)
    quiet(
        toy(),
        curve(),
        steps=10,
        batch=8,
        warmup=4,
        lr=1.0,
        decay=0.5,
        clip=1e-6,
    )
    wanted = [min(1, (k + 1) / 4) * (1 - k / 10) ** 0.5 for k in range(10)]
    assert rates == pytest.approx(wanted)


def test_a_budget_of_seconds_ends_the_training():
    history = quiet(toy(), curve(), steps=None, seconds=0.2, batch=8)
    assert history.stopped == "seconds"
    assert history[-1]["seconds"] >= 0.2 and history[-1]["step"] > 0


def test_early_stop_keeps_the_best_weights():
    g = toy()
    x, y = curve(40)
    held = noise(40, 2, seed=9)
    wrong = held, -held[:, :1]  # the better the task, the worse here
    history = quiet(
        g,
        (x, y),
        validation=wrong,
        patience=3,
        steps=400,
        every=5,
        lr=1e-2,
        batch=8,
        warmup=1,
        reconstruction=0.0,
    )
    losses = history.column("validation")
    best = losses.index(min(losses))
    assert history.stopped == "patience"
    assert len(losses) == best + 4 < 80
    with torch.no_grad():
        kept = F.mse_loss(g(wrong[0]), wrong[1])
    assert float(kept) == pytest.approx(min(losses), rel=1e-5)


def test_pairs_of_settings_are_one_for_each_phase():
    history = quiet(
        toy(),
        curve(),
        "both",
        steps=(6, 3),
        lr=(1e-2, 1e-3),
        every=3,
        batch=8,
        warmup=1,
    )
    assert history.column("step", 1) == [0, 3, 6]
    assert history.column("step", 2) == [0, 3]
    assert "natural" not in history[-1]


def test_a_missing_column_names_those_there_are():
    history = quiet(toy(), curve(), **brief)
    with pytest.raises(KeyError, match=r"no column 'natural'.*'loss'"):
        history.column("natural")


# Going on


class Stop(Exception):
    pass


@pytest.mark.parametrize("last", [5, 14, 19])
def test_an_interrupted_training_ends_with_the_same_bits(
    tmp_path, monkeypatch, last
):
    options = {**brief, "validation": curve(20, seed=3)}
    whole = toy()
    history = quiet(
        whole, curve(), "both", checkpoint=tmp_path / "whole.pt", **options
    )
    advance, done = Run.advance, []

    def until(run):
        if len(done) == last:
            raise Stop
        done.append(run.step)
        return advance(run)

    path = tmp_path / "new" / "broken.pt"
    monkeypatch.setattr(Run, "advance", until)
    with pytest.raises(Stop):
        quiet(toy(), curve(), "both", checkpoint=path, **options)

    def count(run):
        done.append(run.step)
        return advance(run)

    monkeypatch.setattr(Run, "advance", count)
    resumed = toy(seed=1)
    again = quiet(resumed, curve(), "both", checkpoint=path, **options)
    assert len(done) == last + 24 - last // 4 * 4  # on from the last look
    assert same(weights(whole), weights(resumed))

    def without_clock(rows):
        return [{**row, "seconds": 0} for row in rows]

    assert without_clock(again) == without_clock(history)


def test_a_finished_training_is_not_repeated(tmp_path, monkeypatch):
    path = tmp_path / "done.pt"
    first, second = toy(), toy(seed=1)
    history = quiet(first, curve(), checkpoint=path, **brief)
    monkeypatch.setattr(Run, "advance", lambda run: pytest.fail("trained"))
    assert quiet(second, curve(), checkpoint=path, **brief) == history
    assert same(weights(first), weights(second))


def test_a_broken_write_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "kept.pt"
    advance, done = Run.advance, []

    def until_five(run):
        if len(done) == 5:
            raise Stop
        done.append(run.step)
        return advance(run)

    monkeypatch.setattr(Run, "advance", until_five)
    with pytest.raises(Stop):
        quiet(toy(), curve(), checkpoint=path, **brief)
    monkeypatch.setattr(Run, "advance", advance)
    kept = path.read_bytes()

    def half(state, file):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="disk full"):
        quiet(toy(), curve(), checkpoint=path, **{**brief, "every": 5})
    assert path.read_bytes() == kept


def test_other_settings_or_networks_do_not_go_on(tmp_path):
    path = tmp_path / "a.pt"
    quiet(toy(), curve(), checkpoint=path, **brief)

    def refused(words, g=None, phase=1, **options):
        with pytest.raises(ValueError, match=words):
            quiet(
                g or toy(),
                curve(),
                phase,
                checkpoint=path,
                **{**brief, **options},
            )

    refused(r"batch=16 \(now 8\)", batch=8)
    refused(r"phase=1 \(now 2\)", phase=2)
    refused("other settings: 1 phase.s., now 2", phase="both")
    refused("task=by the type of y", task="mse")
    wide = SPNN(SurjectiveCoupling((2,), 1, 8))
    refused("weights do not fit.*begin anew", g=wide)
    torch.save({"a": torch.zeros(2)}, path)
    refused("is no checkpoint")
    path.write_bytes(b"cut short")
    refused("is not a file of weights")


# Clear words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"phase": 3}, "phase must be 1, 2 or 'both', got 3"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"steps": None}, "give a budget"),
        ({"steps": (3, 4)}, "one value, or with phase='both' two"),
        ({"share": 1.5}, "share"),
        ({"dial": -0.1}, "dial"),
        ({"lr": 0.0}, "lr must be positive"),
        ({"task_weight": 0, "reconstruction": 0}, "all weights are zero"),
        ({"task": "crossentropy"}, "unknown task.*'cross-entropy'"),
        ({"patience": 2}, "patience needs validation"),
        ({"seed": -1}, "seed must be at least 0"),
    ],
)
def test_wrong_settings_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        quiet(toy(), curve(), **{**brief, **options})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"task": 3}, "task must be a name or a function"),
        ({"lr": "fast"}, "lr must be a number"),
        ({"validation": lambda draw, size: curve(size)}, "must have an end"),
    ],
)
def test_wrong_types_are_refused(options, words):
    with pytest.raises(TypeError, match=words):
        quiet(toy(), curve(), **{**brief, **options})


def test_wrong_pairs_are_refused():
    x, y = curve(20)

    def refused(error, words, pairs, g=None, **options):
        with pytest.raises(error, match=words):
            quiet(g or toy(), pairs, **{**brief, **options})

    bad = x.clone()
    bad[0, 0] = math.nan
    refused(ValueError, "x holds 1 NaN", (bad, y))
    refused(ValueError, "y holds 1 NaN", (x, bad[:, :1]))
    refused(ValueError, "x holds 20 items and y 19", (x, y[1:]))
    refused(ValueError, r"x must have shape \(N, 2\)", (y, y))
    refused(TypeError, r"x\.float\(\) / 127\.5", (x.byte(), y))
    refused(ValueError, "empty", (x[:0], y[:0]))
    refused(TypeError, "pairs must be a tuple", iter([(x, y)]))
    refused(TypeError, "a pair must be two tensors", lambda *_: (x, None))
    refused(
        ValueError,
        "set inverse=0",
        (x, y.long()[:, 0] * 0),
        inverse=1,
        task_weight=0,
    )


def test_phase_two_needs_a_network_r():
    g = SPNN(SurjectiveCoupling((2,), 1, code="natural"))
    with pytest.raises(ValueError, match="code='learned'"):
        quiet(g, curve(), 2, **brief)
    frozen = SPNN(Flatten((1, 2)), *toy().stages).requires_grad_(False)
    x, y = curve()
    with pytest.raises(ValueError, match="no weight with requires_grad"):
        quiet(frozen, (x[:, None], y), **brief)


def test_a_loss_that_runs_away_says_what_to_do():
    with pytest.raises(ValueError, match="lower lr"):
        quiet(
            toy(), curve(), task=lambda out, y: out.sum() * math.inf, **brief
        )


def test_a_failed_training_leaves_weights_trainable():
    g = toy()
    with pytest.raises(ValueError, match="lower lr"):
        quiet(g, curve(), task=lambda out, y: out.sum() * math.inf, **brief)
    assert all(w.requires_grad for w in g.parameters())


def test_the_bar_can_be_shown_and_hidden(capsys):
    train_spnn(toy(), curve(), **brief)
    assert "phase 1" in capsys.readouterr().err
    quiet(toy(), curve(), **brief)
    assert capsys.readouterr().err == ""
