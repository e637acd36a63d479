"""Surrogates without one of their parts: lesson 16 takes them apart."""

from __future__ import annotations

import pytest
import torch

from pinv_edu import (
    AffineCoupling,
    BlackBoxCamera,
    check_operator,
    held_out,
    load_spnn,
    train_surrogate,
)
from pinv_edu.spnn import bundled


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return held_out("fashion-mnist", 32)


@pytest.mark.parametrize("part", bundled.PARTS)
def test_shipped_ones_model_the_camera(part, pictures) -> None:
    surrogate = load_spnn(f"camera-surrogate-no-{part}")
    y = BlackBoxCamera()(pictures)
    assert train_surrogate.relative(surrogate(pictures), y) < 0.035
    check_operator(surrogate, pictures[:4], tol=1e-4)


def test_the_part_is_missing(pictures) -> None:
    plain = load_spnn("camera-surrogate-no-couplings")
    assert not [m for m in plain.modules() if isinstance(m, AffineCoupling)]
    subsampled = bundled.BUNDLED["camera-surrogate-no-haar"]()(pictures)
    torch.testing.assert_close(subsampled, pictures[..., ::2, ::2] / 2)


def test_command_leaves_the_part_out(monkeypatch, tmp_path, pictures) -> None:
    monkeypatch.setattr(
        train_surrogate, "fashion_labelled",
        lambda part, folder: (pictures, None),
    )  # fmt: skip
    out = tmp_path / "small"
    train_surrogate.main(
        ["--out", str(out), "--steps", "2", "--without", "couplings"]
    )
    card = (out / "README.md").read_text()
    assert "with `couplings=0`" in card
    assert card.rstrip().endswith("--steps 2 --without couplings")
    whole = bundled.BUNDLED["camera-surrogate"]()
    size = (out / bundled.WEIGHTS).stat().st_size
    assert size < sum(w.numel() for w in whole.parameters())  # 2 bytes each
