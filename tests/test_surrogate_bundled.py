"""The surrogates that ship: their errors, their laws, their command."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from pinv_edu import (
    AveragePool,
    BlackBoxCamera,
    check_operator,
    held_out,
    load_spnn,
    train_surrogate,
)
from pinv_edu.spnn import bundled
from pinv_edu.train_surrogate import pixel_fit, relative

CAMERA = BlackBoxCamera((1, 28, 28))
NAMES = [f"camera-surrogate-{n}" for n in bundled.FEWER] + ["camera-surrogate"]
FOLDER = Path(bundled.__file__).parents[1] / "data" / "spnn"


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    parts = ("test", "validation")
    return torch.cat([held_out("fashion-mnist", 64, p) for p in parts])


def test_held_out_error_and_baselines(pictures) -> None:
    y = CAMERA(pictures)
    error = relative(load_spnn("camera-surrogate")(pictures), y)
    assert relative(CAMERA.smooth(pictures), y) < error < 0.025
    pool = AveragePool((1, 28, 28), 2)(pictures)
    gain, offset = pixel_fit(pool, y)
    assert relative(pool, y) > 0.15
    assert relative(gain * pool + offset, y) > 5 * error


def test_more_pairs_are_better(pictures) -> None:
    y = CAMERA(pictures)
    errors = [relative(load_spnn(name)(pictures), y) for name in NAMES]
    assert all(more < fewer for fewer, more in pairwise(errors))
    assert errors[0] > 1.5 * errors[-1]


@pytest.mark.parametrize("name", NAMES)
def test_the_laws_hold(name, pictures) -> None:
    surrogate = load_spnn(name)
    check_operator(surrogate, pictures[:4].double(), tol=1e-11)
    check_operator(surrogate, pictures[:4], tol=1e-4)


def test_back_projection_helps_under_the_camera_itself(pictures) -> None:
    x, y = pictures[:64], CAMERA(pictures[:64])
    surrogate = load_spnn("camera-surrogate")
    for start, factor in ((AveragePool((1, 28, 28), 2).pinv(y), 5),
                          (pictures[64:], 30)):  # fmt: skip
        moved = surrogate.project(start, y)
        before, after = relative(CAMERA(start), y), relative(CAMERA(moved), y)
        assert after < 0.03 and before > factor * after
        own = CAMERA(moved) - surrogate(moved)
        assert torch.allclose(CAMERA(moved) - y, own, atol=1e-5)
    back = surrogate.pinv(y)
    assert (back - x).square().mean() < 0.03


def test_pixel_fit_is_least_squares() -> None:
    generator = torch.Generator().manual_seed(0)
    seen, y = torch.randn(2, 30, 2, generator=generator).double()
    gain, offset = pixel_fit(seen, y)
    for j in range(2):
        columns = torch.stack([seen[:, j], torch.ones(30).double()], dim=1)
        best = torch.linalg.lstsq(columns, y[:, j, None]).solution[:, 0]
        assert torch.allclose(torch.stack([gain[j], offset[j]]), best)


@pytest.mark.parametrize("name", NAMES)
def test_the_card_tells_what_was_measured(name) -> None:
    card = (FOLDER / name / "README.md").read_text(encoding="utf-8")
    digest = (FOLDER / name / "SHA256SUMS").read_text().split()[0]
    assert digest in card and f"--out {name}" in card
    seconds = int(re.search(r"in (\d+) CPU seconds", card)[1])
    error = float(re.search(r"pictures: (\d+\.\d+)%", card)[1])
    assert seconds < 120 and 1 < error < 5


def test_the_command_trains_measures_and_writes(
    tmp_path, monkeypatch, capsys
) -> None:
    parts = {"train": "validation", "test": "test"}
    monkeypatch.setattr(
        train_surrogate, "fashion_labelled",
        lambda part, folder: (held_out("fashion-mnist", 40, parts[part]), 0),
    )  # fmt: skip
    out = tmp_path / "data" / "spnn" / "camera-surrogate"
    command = ["--out", str(out), "--pairs", "36", "--steps", "3"]
    train_surrogate.main(command)
    card = (out / "README.md").read_text(encoding="utf-8")
    assert card.strip() == capsys.readouterr().out.strip()
    assert "3 steps of 32" in card and "36 pairs" in card
    assert "40 test" in card and str(tmp_path) not in card
    assert (out / "SHA256SUMS").read_text().split()[0] in card
    x = held_out("fashion-mnist", 4)
    monkeypatch.setattr(bundled.resources, "files", lambda name: tmp_path)
    assert check_operator(load_spnn("camera-surrogate"), x, tol=1e-4)
