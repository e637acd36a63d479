"""What the comparison of methods computes of its runs."""

from __future__ import annotations

import argparse
import json

import pytest
import torch

import pinv_edu as pe
import restoration

SHAPE = (1, 8, 8)


def noise(seed: int, n: int = 2) -> torch.Tensor:
    return torch.randn(n, *SHAPE, generator=restoration.seeded(seed))


def test_a_picture_that_fails_in_one_run_of_two_counts_half() -> None:
    truth = noise(0).clamp(-0.8, 0.8)
    fine, bad = 0.01, 0.1  # 20 dB apart
    first = truth + torch.tensor([fine, bad]).reshape(2, 1, 1, 1)
    second = truth + torch.tensor([bad, fine]).reshape(2, 1, 1, 1)
    told = restoration.told(
        pe.Identity(SHAPE), [first, second], truth, [first, truth]
    )
    alone = restoration.told(pe.Identity(SHAPE), [first], truth, [truth])
    assert told["psnr"] == pytest.approx(alone["psnr"], abs=1e-3)
    assert alone["psnr_error"] == pytest.approx(10, abs=1e-3)
    assert told["psnr_error"] < 1e-3
    assert told["consistency"] > 0.05  # the run that fits its y hides none


def test_seeds_differ_in_the_noise_of_y_and_are_not_the_samplers() -> None:
    identity, nothing = pe.Identity(SHAPE), torch.zeros(2, *SHAPE)
    drawn = [
        restoration.measure(identity, nothing, 1.0, seed) for seed in range(3)
    ]
    for seed, y in enumerate(drawn):
        assert not torch.equal(y, noise(seed))
        assert not torch.equal(y, drawn[seed - 1])


def test_a_run_that_was_cut_short_goes_on(tmp_path) -> None:
    file = tmp_path / "rows.json"
    row = {"prior": "emoji", "operator": "gray", "sigma_y": 0.0}
    rows = [
        row | {"method": "ddnm", "seeds": 3},
        row | {"method": "ddrm", "seeds": 1},
        row | {"method": "dps", "seeds": 1, "chain": True},
    ]
    file.write_text(json.dumps({"rows": rows}))
    args = argparse.Namespace(
        out=file, part="linear", methods=None, resume=True, seeds=3
    )
    assert restoration.kept(args) == [rows[0], rows[2]]
    args.resume = False
    assert restoration.kept(args) == [rows[2]]
