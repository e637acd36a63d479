"""The networks that ship, the labels beside them, and their training."""

from __future__ import annotations

import gzip
import re
import struct
from pathlib import Path

import pytest
import torch

from pinv_edu import (
    check_operator,
    held_out,
    held_out_labels,
    load_spnn,
    train_classifier,
)
from pinv_edu.spnn import bundled
from pinv_edu.training.data import FASHION, fashion_labelled, read_labels


@pytest.fixture(scope="module")
def spnn() -> bundled.SPNN:
    return load_spnn("fashion-classifier")


def every(part_of) -> torch.Tensor:
    return torch.cat([part_of(64, p) for p in ("test", "validation")])


def test_the_classifier_knows_pictures_it_never_saw(spnn) -> None:
    x = every(lambda n, p: held_out("fashion-mnist", n, p))
    right = (spnn(x).argmax(1) == every(held_out_labels)).float().mean()
    assert right >= 0.85
    assert (spnn.pinv(spnn(x)) - x).square().mean() < 0.07


@pytest.mark.parametrize(
    ("dtype", "tol"), [(torch.float64, 1e-10), (torch.float32, 1e-5)]
)
def test_its_identities_hold_after_training(spnn, dtype, tol) -> None:
    x = held_out("fashion-mnist", 8, dtype=dtype)
    check_operator(spnn, x, tol=tol)
    other = spnn.with_code("natural")
    check_operator(other, x, tol=tol)
    assert torch.equal(other(x), spnn(x))


def test_it_is_frozen_and_the_same_at_each_call(spnn) -> None:
    assert not spnn.training
    assert not any(p.requires_grad for p in spnn.parameters())
    again = load_spnn("fashion-classifier").state_dict()
    assert all(torch.equal(v, again[k]) for k, v in spnn.state_dict().items())


def test_its_card_gives_the_accuracies() -> None:
    folder = Path(bundled.__file__).parents[1] / "data/spnn/fashion-classifier"
    card = (folder / "README.md").read_text(encoding="utf-8")
    own, equal_steps, equal_time = (
        float(v) for v in re.findall(r": (\d\d\.\d\d)%", card)
    )
    # At equal steps, and at equal time, within two points of plain ones.
    assert own >= 89 and equal_steps - own <= 2 and equal_time - own <= 2
    assert (folder / "SHA256SUMS").read_text().split()[0] in card


def test_errors_say_what_is_wrong(monkeypatch, tmp_path) -> None:
    with pytest.raises(ValueError, match="fashion-classifier"):
        load_spnn("cats")
    with pytest.raises(ValueError, match="'test' or 'validation'"):
        held_out_labels(3, "train")
    with pytest.raises(ValueError, match="'train' or 'test'"):
        fashion_labelled("validation")
    with pytest.raises(FileNotFoundError, match="dataset-fashion-mnist"):
        fashion_labelled("train", tmp_path)
    folder = tmp_path / "data" / "spnn" / "fashion-classifier"
    folder.mkdir(parents=True)
    (folder / bundled.WEIGHTS).write_bytes(b"damaged")
    (folder / "SHA256SUMS").write_text("0  weights.safetensors\n")
    monkeypatch.setattr(bundled.resources, "files", lambda name: tmp_path)
    with pytest.raises(ValueError, match="damaged"):
        load_spnn("fashion-classifier")


def test_labels_are_those_of_the_data_set() -> None:
    if not (FASHION / "t10k-labels-idx1-ubyte.gz").is_file():
        pytest.skip("Fashion-MNIST is not installed")
    x, labels = fashion_labelled("test")
    assert x.shape == (10_000, 1, 28, 28) and labels.shape == (10_000,)
    assert torch.equal(labels[:128], every(held_out_labels))
    assert labels.bincount().tolist() == [1_000] * 10


def write_idx(folder: Path, stem: str, count: int) -> None:
    """A tiny data set: dark squares are 0, light ones 1."""
    labels = torch.arange(count) % 2
    pictures = (labels[:, None] * 200 + 20).expand(count, 784)
    head = struct.pack(">4I", 2051, count, 28, 28)
    raw = head + bytes(pictures.to(torch.uint8).flatten().tolist())
    (folder / f"{stem}-images-idx3-ubyte").write_bytes(raw)
    raw = struct.pack(">2I", 2049, count) + bytes(labels.tolist())
    (folder / f"{stem}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(raw))


def test_damaged_labels_are_refused(tmp_path) -> None:
    file = tmp_path / "labels"
    file.write_bytes(struct.pack(">2I", 2049, 7) + b"abc")
    with pytest.raises(ValueError, match="not a whole IDX file of labels"):
        read_labels(file)


def test_the_command_trains_measures_and_writes(
    tmp_path, monkeypatch, capsys
) -> None:
    write_idx(tmp_path, "train", 32)
    write_idx(tmp_path, "t10k", 12)
    out = tmp_path / "out"
    train_classifier.main(
        ["--out", str(out), "--data", str(tmp_path), "--steps", "3",
         "--plain", "2", "--timed", "1"]
    )  # fmt: skip
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "3 steps of 128" in card
    assert "after 2 steps" in card and "after 1 steps" in card
    assert str(tmp_path) not in card and "Accuracy" in capsys.readouterr().out
    wanted = (out / "SHA256SUMS").read_text().split()[0]
    assert wanted in card
    x = held_out("fashion-mnist", 4)
    monkeypatch.setattr(
        bundled.resources, "files", lambda name: tmp_path / "package"
    )
    place = tmp_path / "package" / "data" / "spnn"
    place.mkdir(parents=True)
    out.rename(place / "fashion-classifier")
    assert check_operator(load_spnn("fashion-classifier"), x, tol=1e-4)
