"""``python -m pinv_edu``: the report and the first restored picture."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

import pinv_edu
from pinv_edu import __main__ as program

QUICK = ["--steps", "2"]


def test_the_report_names_versions_networks_and_devices(capsys):
    assert program.main(["--no-demo"]) == 0
    said = capsys.readouterr().out
    assert f"pinv-edu {pinv_edu.__version__}" in said
    assert f"torch {torch.__version__.partition('+')[0]}" in said
    for name in ("fashion-mnist", "emoji", "fashion-classifier"):
        assert re.search(rf"^  {name}, \d+\.\d MB$", said, re.M)
    assert re.search(r"^  cpu, \d+ threads$", said, re.M)


def test_it_names_an_accelerator(monkeypatch):
    card = SimpleNamespace(total_memory=80 * 2**30)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda i: "Some GPU")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda i: card)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    found = list(program.devices())
    assert found[1:] == ["  cuda:0, Some GPU, 80 GiB", "  mps"]


def test_it_runs_as_a_module_and_writes_nothing_unasked(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "pinv_edu", "--no-demo"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Versions\n")
    assert list(tmp_path.iterdir()) == []


def test_the_demonstration_saves_a_picture(tmp_path: Path, capsys):
    out = tmp_path / "first.png"
    assert program.main(["--out", str(out), *QUICK]) == 0
    said = capsys.readouterr().out
    assert "784 pixels" in said and "49 block means" in said
    assert f"Saved: {out.resolve()}" in said
    residual = re.search(r"\|A x - y\| / \|y\|: (\S+) at most", said)
    assert residual and float(residual[1]) < 1e-6
    with Image.open(out) as picture:
        assert picture.format == "PNG" and min(picture.size) > 400
        assert len(picture.convert("L").getcolors()) > 50


def test_the_result_agrees_and_depends_on_the_seed_alone():
    first, again, other = (program.restore(2, seed) for seed in (1, 1, 2))
    assert torch.equal(first.ours, again.ours)
    assert not torch.allclose(first.ours, other.ours)
    assert torch.allclose(first.operator(first.ours), first.y, atol=1e-5)


def test_the_prior_helps():
    result = program.restore(15, 0)
    plain, ours = (
        program.psnr(x, result.truth).mean()
        for x in (result.plain, result.ours)
    )
    assert ours > plain + 2


def test_an_existing_file_is_kept(tmp_path: Path, capsys):
    out = tmp_path / "mine.png"
    out.write_text("mine")
    assert program.main(["--out", str(out), *QUICK]) == 1
    assert "not overwritten" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path):
    out = tmp_path / "mine.png"
    result = program.restore(2, 0)
    out.write_text("mine")
    with pytest.raises(FileExistsError):
        program.save(result, out)
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--out", "no/such/folder/x.png"], "there is no folder"),
        (["--steps", "0"], "steps"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments, words, tmp_path: Path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert program.main(arguments) == 1
    # An old diffusers talks about the prior's settings first.
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: ") and words in said
    assert list(tmp_path.iterdir()) == []


def test_without_diffusers_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    out = tmp_path / "first.png"
    assert program.main(["--out", str(out)]) == 1
    said = capsys.readouterr()
    assert "Versions" in said.out
    assert "pip install 'pinv-edu[diffusion]'" in said.err
    assert not out.exists()
