"""The training command: resumable, deterministic, honest about its data."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import pinv_edu
from pinv_edu import train_prior
from pinv_edu.train_prior import Run, main, train
from pinv_edu.training import report as training_report
from pinv_edu.training.data import (
    EMOJI,
    Pictures,
    emoji_split,
    load_pictures,
)
from pinv_edu.training.recipe import (
    Recipe,
    draw,
    held_out_losses,
    min_snr_weight,
    picture_indices,
    signal_shares,
)
from pinv_edu.training.unet import build_unet, first_unet

pytest.importorskip("diffusers")
SHAPE = (1, 8, 8)
EMOJI_SPLIT = "data/emoji_split.npz"


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def recipe(tmp_path):
    return Recipe(
        "fashion-mnist", tmp_path / "out", steps=6, batch=4, every=2, warmup=2
    )


@pytest.fixture
def data():
    pixels = torch.arange(30 * 64).reshape(30, *SHAPE) % 251
    pictures = pixels.to(torch.uint8)
    return Pictures(pictures[:20], pictures[20:], "a test")


@pytest.fixture
def few_draws(monkeypatch):
    """Measure on 20 draws: the tests are about the bookkeeping."""

    def measure(unet, pictures, draws=20):
        return held_out_losses(unet, pictures, 20)

    monkeypatch.setattr(train_prior, "held_out_losses", measure)
    monkeypatch.setattr(training_report, "held_out_losses", measure)


def tiny_unet(seed=0):
    torch.manual_seed(seed)
    return build_unet(SHAPE, widths=(8, 8, 8))


def write_idx(path: Path, pictures: np.ndarray) -> None:
    head = struct.pack(">4I", 2051, *pictures.shape)
    path.write_bytes(head + pictures.astype(np.uint8).tobytes())


@pytest.fixture
def fashion(tmp_path):
    """A false Fashion-MNIST whose grey levels tell the three parts."""
    folder = tmp_path / "idx"
    folder.mkdir()
    test = np.full((5_010, 8, 8), 100)
    test[5_000:] = 200
    write_idx(folder / "train-images-idx3-ubyte", np.full((12, 8, 8), 7))
    write_idx(folder / "t10k-images-idx3-ubyte", test)
    return folder


def same(first, second):
    return all(
        torch.equal(a, b)
        for a, b in zip(
            first.state_dict().values(), second.state_dict().values()
        )
    )


# Resuming


@pytest.mark.parametrize("bf16", [False, True])
def test_an_interrupted_run_ends_with_the_same_bits(
    recipe, data, few_draws, monkeypatch, bf16
):
    recipe = replace(recipe, bf16=bf16, flip=True)
    whole = train(recipe, data, tiny_unet())
    broken = replace(recipe, out=recipe.out.with_name("broken"))
    advance = Run.advance

    def until_five(run, pictures):
        if run.step == 5:
            raise KeyboardInterrupt
        return advance(run, pictures)

    monkeypatch.setattr(Run, "advance", until_five)
    with pytest.raises(KeyboardInterrupt):
        train(broken, data, tiny_unet())
    monkeypatch.setattr(Run, "advance", advance)
    resumed = train(broken, data, tiny_unet(seed=1))
    assert [row[0] for row in resumed.history] == [2, 4, 6]
    assert same(whole.unet, resumed.unet)
    assert same(whole.ema, resumed.ema)
    assert whole.before == resumed.before
    assert not same(whole.ema, tiny_unet())


def test_a_finished_run_is_not_trained_further(recipe, data, few_draws):
    whole = train(recipe, data, tiny_unet())
    again = train(recipe, data, tiny_unet(seed=1))
    assert again.step == 6 and same(whole.ema, again.ema)


def test_a_broken_write_leaves_the_last_checkpoint(
    recipe, data, few_draws, monkeypatch
):
    run = train(recipe, data, tiny_unet())
    kept = (recipe.out / "checkpoint.pt").read_bytes()

    def half(state, file):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="disk full"):
        run.save()
    assert (recipe.out / "checkpoint.pt").read_bytes() == kept


def test_other_settings_do_not_continue_a_checkpoint(recipe, data, few_draws):
    train(recipe, data, tiny_unet())
    with pytest.raises(ValueError, match=r"begun with batch=4, now batch=5"):
        train(replace(recipe, batch=5), data, tiny_unet())


# What each step sees


@pytest.mark.parametrize("batch", [3, 4, 7, 25])
def test_every_epoch_shows_each_picture_once(recipe, batch):
    recipe = replace(recipe, batch=batch)
    seen = torch.cat([picture_indices(10, recipe, k) for k in range(20)])
    for epoch in seen[: len(seen) // 10 * 10].split(10):
        assert epoch.sort().values.tolist() == list(range(10))
    assert seen[:10].tolist() != seen[10:20].tolist()


def test_a_step_depends_on_seed_and_step_alone(recipe, data):
    first = draw(data.train, recipe, 3)
    torch.manual_seed(99)
    draw(data.train, recipe, 4)
    again = draw(data.train, recipe, 3)
    assert all(torch.equal(a, b) for a, b in zip(first, again))
    for other in (
        draw(data.train, recipe, 4),
        draw(data.train, replace(recipe, seed=1), 3),
    ):
        assert not torch.equal(first[2], other[2])


def test_times_are_stratified(recipe, data):
    times = draw(data.train, replace(recipe, batch=10), 0)[1]
    assert (times // 100).tolist() == list(range(10))


def test_weights_are_min_snr_5():
    times = torch.arange(1_000)
    share = signal_shares().double()
    snr = share / (1 - share)
    wanted = torch.clamp(5 / snr, max=1)
    assert torch.allclose(min_snr_weight(times).double(), wanted, rtol=1e-4)


def test_learning_rate_warms_up_then_falls_to_one_percent(recipe):
    run = Run(replace(recipe, steps=100, warmup=10), tiny_unet())
    assert run.learning_rate() == pytest.approx(8e-5)
    run.step = 50
    assert run.learning_rate() == pytest.approx(8e-4 * 0.505)
    run.step = 100
    assert run.learning_rate() == pytest.approx(8e-6)
    assert replace(recipe, init=Path("x")).peak == 3e-4


def test_minutes_end_the_cosine_by_the_clock(recipe):
    run = Run(replace(recipe, steps=100, minutes=2.0), tiny_unet())
    run.step, run.seconds = 10, 90.0
    assert run.progress == 0.75


# Held-out pictures


def test_fashion_mnist_keeps_three_parts_apart(fashion):
    pictures = load_pictures("fashion-mnist", fashion)
    assert pictures.train.shape == (12, *SHAPE)
    assert pictures.held_out.shape == (10, *SHAPE)
    assert pictures.train.unique().tolist() == [7]
    assert pictures.held_out.unique().tolist() == [200]


def test_steps_see_training_pictures_only(
    recipe, data, few_draws, monkeypatch
):
    seen = []

    def spy(pictures, *rest):
        seen.append(pictures)
        return draw(pictures, *rest)

    monkeypatch.setattr(train_prior, "draw", spy)
    train(recipe, data, tiny_unet())
    assert len(seen) == 6 and all(part is data.train for part in seen)


def test_the_emoji_split_is_what_the_lessons_assume():
    split = np.load(Path(pinv_edu.__file__).parent / EMOJI_SPLIT)
    hold, pick, related = split["hold"], split["pick"], split["related"]
    assert hold.shape == (3_916,) and hold.sum() == 418
    assert hold[pick].all() and hold[related].all()
    assert not related[pick].any()


@pytest.mark.skipif(not EMOJI.is_file(), reason="fonts-noto-color-emoji")
def test_held_out_emoji_resemble_no_training_picture():
    pytest.importorskip("fontTools")
    pictures = load_pictures("emoji")
    assert (len(pictures.train), len(pictures.held_out)) == (3_498, 192)
    assert pictures.shape == (3, 32, 32)
    train, held = (
        torch.nn.functional.normalize(
            grey - grey.mean(1, keepdim=True), eps=1e-6
        )
        for grey in (
            part.float().mean(1).flatten(1)
            for part in (pictures.train, pictures.held_out)
        )
    )
    assert (held @ train.T).max() < 0.9


# What is shipped


def test_the_exported_file_is_the_mean_in_half_precision(recipe, data):
    from diffusers import UNet2DModel

    run = Run(recipe, tiny_unet())
    run.advance(data.train)
    digest = training_report.export(run.ema, recipe.out)
    read = UNet2DModel.from_pretrained(recipe.out)
    for key, value in run.ema.state_dict().items():
        assert torch.equal(read.state_dict()[key].half(), value.half())
    content = (recipe.out / training_report.WEIGHTS).read_bytes()
    assert hashlib.sha256(content).hexdigest() == digest
    assert digest in (recipe.out / "SHA256SUMS").read_text()
    assert "path" not in (recipe.out / "config.json").read_text()


def test_the_bundled_architecture_fits_the_package():
    count = sum(p.numel() for p in build_unet((3, 32, 32)).parameters())
    assert 2 * count < training_report.LIMIT - 100_000


def test_the_command_writes_weights_card_and_samples(
    fashion, tmp_path, few_draws
):
    tiny_unet().save_pretrained(tmp_path / "start")
    out = tmp_path / "out"
    main(
        f"fashion-mnist --data {fashion} --init {tmp_path / 'start'} "
        f"--out {out} --steps 2 --batch 4 --warmup 1".split()
    )
    card = (out / "README.md").read_text()
    assert "on 10 held-out pictures" in card
    assert "MIT licence" in card and "| mean |" in card
    assert "--steps 2 --batch 4" in card
    facts = json.loads((out / "training.json").read_text())
    assert facts["steps"] == 2 and len(facts["after"]) == 10
    assert (out / "samples.png").read_bytes()[:4] == b"\x89PNG"


def test_held_out_losses_repeat_and_fill_every_bin(data):
    unet = tiny_unet()
    first = held_out_losses(unet, data.held_out, 40)
    assert first == held_out_losses(unet, data.held_out, 40)
    assert len(first) == 10 and np.isfinite(first).all()


# Clear words


def test_missing_data_name_the_package(tmp_path):
    with pytest.raises(FileNotFoundError, match="dataset-fashion-mnist"):
        load_pictures("fashion-mnist", tmp_path)
    with pytest.raises(FileNotFoundError, match="fonts-noto-color-emoji"):
        load_pictures("emoji", tmp_path / "font.ttf")
    with pytest.raises(SystemExit, match="t10k-images-idx3-ubyte"):
        main(["fashion-mnist", "--data", str(tmp_path)])


def test_wrong_files_are_refused(fashion):
    path = fashion / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="not a whole IDX file"):
        load_pictures("fashion-mnist", fashion)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="not a whole IDX file"):
        load_pictures("fashion-mnist", fashion)
    path.with_name(f"{path.name}.gz").write_bytes(b"cut short")
    with pytest.raises(ValueError, match="not a whole gzip file"):
        load_pictures("fashion-mnist", fashion)


def test_another_font_is_refused():
    with pytest.raises(ValueError, match="2 distinct pictures"):
        emoji_split(["u1F600", "u1F601"])


def test_unknown_names_and_settings_are_refused(recipe):
    with pytest.raises(ValueError, match="unknown prior 'mnist'"):
        load_pictures("mnist")
    for wrong in ({"steps": 0}, {"ema": 1.0}, {"lr": -1.0}, {"seed": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            replace(recipe, **wrong)


def test_a_start_that_does_not_fit_is_refused(recipe, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        first_unet(replace(recipe, init=tmp_path), SHAPE)
    tiny_unet().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="1 channels and size 8"):
        first_unet(replace(recipe, init=tmp_path), (3, 32, 32))
