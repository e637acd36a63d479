"""Judges, mean logits, and what is measured of emoji."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from pinv_edu import (
    check_operator,
    emoji_measures,
    held_out,
    held_out_labels,
    judges,
    load_judge,
    load_spnn,
    mean_logits,
    train_classifier,
)
from pinv_edu.emoji import CENTRE, GROUPS, MEASURES, SPREAD, emoji_group
from pinv_edu.spnn import bundled
from pinv_edu.training import emoji as training
from pinv_edu.training.classifiers import PLANS
from pinv_edu.training.data import EMOJI

BLIND = "fashion-classifier-no-reconstruction"
NAMES = {"fashion-classifier": "fashion-mnist", "emoji-attributes": "emoji"}
FOLDER = Path(judges.__file__).parent / "data" / "spnn"


def shown(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    x = [held_out(name, 64, p) for p in ("test", "validation")]
    y = [held_out_labels(64, p, name) for p in ("test", "validation")]
    return torch.cat(x), torch.cat(y)


@pytest.mark.parametrize(("name", "pictures"), NAMES.items())
def test_a_judge_knows_pictures_it_never_saw(name, pictures) -> None:
    x, labels = shown(pictures)
    judge = load_judge(name)
    share = (judge(x).argmax(1) == labels).float().mean()
    assert share >= (0.88 if pictures == "fashion-mnist" else 0.65)
    assert not judge.training
    assert not any(p.requires_grad for p in judge.parameters())


@pytest.mark.parametrize("name", [*NAMES, BLIND])
def test_mean_logits_name_their_class(name) -> None:
    means = mean_logits(name, torch.float64)
    classes = PLANS[name].classes
    assert means.dtype == torch.float64
    assert means.shape == (classes, *load_spnn(name).out_shape)
    assert means[:, :classes].argmax(1).tolist() == list(range(classes))


@pytest.mark.parametrize(
    ("name", "pictures"),
    [(BLIND, "fashion-mnist"), ("emoji-attributes", "emoji")],
)
def test_laws_hold_for_weights_kept_in_half_precision(name, pictures) -> None:
    x = held_out(pictures, 8, dtype=torch.float64)
    check_operator(load_spnn(name), x, tol=1e-9)
    check_operator(load_spnn(name), x.float(), tol=1e-4)


def test_both_classify_and_only_one_brings_pictures_back() -> None:
    x, labels = shown("fashion-mnist")
    scores = {}
    for name in ("fashion-classifier", BLIND):
        g = load_spnn(name)
        right = (g(x).argmax(1) == labels).float().mean()
        missed = (g.pinv(g(x)) - x).square().mean()
        scores[name] = (float(right), float(missed))
    ours, blind = scores.values()
    assert abs(ours[0] - blind[0]) < 0.04
    assert blind[1] > 2 * ours[1]


@pytest.mark.parametrize("name", [*NAMES, BLIND])
def test_cards_agree_with_the_files(name) -> None:
    card = (FOLDER / name / "README.md").read_text(encoding="utf-8")
    assert (FOLDER / name / "SHA256SUMS").read_text().split()[0] in card
    steps, plain = re.search(r"--steps (\d+) --plain (\d+)", card).groups()
    assert f"{steps} steps of" in card
    assert (int(plain) > 0) == (FOLDER / name / "judge").is_dir()
    if int(plain):
        assert f"after {plain} steps" in card
    if name == "fashion-classifier":
        assert steps == plain  # compared at equal steps


def test_errors_say_what_is_wrong(monkeypatch, tmp_path) -> None:
    with pytest.raises(ValueError, match="fashion-classifier"):
        load_judge("cats")
    with pytest.raises(ValueError, match="emoji-attributes"):
        mean_logits("cats")
    with pytest.raises(ValueError, match="'emoji'"):
        held_out_labels(3, name="cats")
    with pytest.raises(ValueError, match="colour pictures"):
        emoji_measures(torch.zeros(2, 1, 8, 8))
    with pytest.raises(ValueError, match="'train' or 'test'"):
        training.emoji_labelled("validation")
    folder = tmp_path / "data/spnn/emoji-attributes/judge"
    folder.mkdir(parents=True)
    (folder / judges.WEIGHTS).write_bytes(b"damaged")
    (folder / "SHA256SUMS").write_text("0  weights.safetensors\n")
    monkeypatch.setattr(judges.resources, "files", lambda name: tmp_path)
    with pytest.raises(ValueError, match="damaged"):
        load_judge("emoji-attributes")


@pytest.mark.parametrize(
    ("points", "group"),
    [
        ([0x1F600], "smiley"),
        ([0x1F1E9, 0x1F1EA], "flag"),
        ([0x1F3F4, 0x200D, 0x2620], "flag"),
        ([0x1F44B, 0x1F3FD], "person"),
        ([0x1F468], "person"),
        ([0x1F345], "thing"),
        ([0x1F43B], "thing"),
    ],
)
def test_groups_follow_from_names(points, group) -> None:
    assert GROUPS[emoji_group(points)] == group


def test_measures_are_their_formulas() -> None:
    x = -torch.ones(2, 3, 8, 8, dtype=torch.float64)
    x[0] = 1.0
    x[0, 1:, 2:4, 1:7] = -1  # a red bar, 2 high and 6 wide, on white
    x[1, 0] = 1.0  # all red
    got = emoji_measures(x) * torch.tensor(SPREAD) + torch.tensor(CENTRE)
    red = 12 / 64
    tall = 0.5 * torch.tensor((2**2 - 1) / (6**2 - 1)).log()
    wanted = torch.tensor([
        [1 - 2 * red / 3, red, red, tall], [1 / 3, 1, 1, 0],
    ])  # fmt: skip
    torch.testing.assert_close(got, wanted.double(), rtol=0, atol=2e-4)
    assert len(MEASURES) == got.shape[1]
    assert emoji_measures(torch.ones(1, 3, 8, 8)).isfinite().all()


def test_emoji_pairs_are_balanced_and_measured_anew() -> None:
    x, labels = shown("emoji")
    draw = training.emoji_pairs(x, labels)
    seen, wanted = draw(torch.Generator().manual_seed(0), 64)
    assert seen.shape == (64, 3, 32, 32) and wanted.shape == (64, 8)
    torch.testing.assert_close(wanted[:, 4:], emoji_measures(seen))
    torch.testing.assert_close(wanted[:, :4].sum(1), torch.ones(64))
    assert wanted[:, :4].sum(0).min() > 10  # of 16
    again, _ = draw(torch.Generator().manual_seed(0), 64)
    assert torch.equal(seen, again)
    loss = training.attribute_loss(20 * wanted, wanted)
    assert loss.isfinite() and loss > 0


def test_the_stored_groups_are_those_of_the_font() -> None:
    if not EMOJI.is_file():
        pytest.skip("Noto Color Emoji is not installed")
    x, groups = training.emoji_labelled("train")
    assert len(x) == len(groups) == 3_498
    assert groups.bincount().min() > 50


def test_the_command_writes_a_judge_and_mean_logits(
    tmp_path, monkeypatch, capsys
) -> None:
    x, labels = shown("emoji")
    plan = PLANS["emoji-attributes"]
    fake = plan.__class__(
        **{**plan.__dict__, "load": lambda part, data: (x, labels)}
    )
    monkeypatch.setitem(PLANS, "emoji-attributes", fake)
    out = tmp_path / "data/spnn/emoji-attributes"
    train_classifier.main(
        ["emoji-attributes", "--out", str(out), "--steps", "2", "--plain", "3"]
    )
    card = capsys.readouterr().out
    assert "2 steps of 64" in card and "after 3 steps" in card
    assert "train_classifier emoji-attributes --steps 2 --plain 3" in card
    monkeypatch.setattr(judges.resources, "files", lambda name: tmp_path)
    judge = load_judge("emoji-attributes")
    assert judge(x[:2]).shape == (2, 4)
    assert bundled.load_spnn("emoji-attributes")(x[:2]).shape == (2, 8)
