"""repo2docker builds an image with the versions that the tests run with."""

from __future__ import annotations

import os
import re
import subprocess
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
BINDER = ROOT / "binder"
PYTHON = "3.11"


def pins() -> dict[str, str]:
    """The versions of requirements.txt for the Python of the image."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    found = [Requirement(x) for x in lines if x and not x.startswith("#")]
    there = {"python_version": PYTHON}
    return {
        r.name: str(r.specifier).removeprefix("==")
        for r in found
        if r.marker is None or r.marker.evaluate(there)
    }


def environment() -> tuple[list[str], dict[str, str]]:
    """What conda installs, and name and version of what pip installs."""
    text = (BINDER / "environment.yml").read_text()
    conda = yaml.safe_load(text)["dependencies"]
    by_pip = next(d["pip"] for d in conda if isinstance(d, dict))
    pairs = dict(line.split("==") for line in by_pip)
    return [d for d in conda if isinstance(d, str)], pairs


def test_versions_are_those_of_the_requirements() -> None:
    _, by_pip = environment()
    assert by_pip == {name: pins()[name] for name in by_pip}


def test_python_and_torch_are_those_that_are_tested() -> None:
    conda, _ = environment()
    assert f"python={PYTHON}" in conda
    torch = next(d for d in conda if d.startswith("pytorch-cpu"))
    assert SpecifierSet(torch.removeprefix("pytorch-cpu")).contains(
        pins()["torch"]
    )
    workflow = (ROOT / ".github/workflows/book.yml").read_text()
    assert f'python-version: "{PYTHON}"' in workflow


def test_everything_that_the_library_wants_is_there() -> None:
    wanted = [Requirement(r) for r in metadata.requires("pinv-edu") or []]
    names = {r.name for r in wanted} - {"pinv-edu", "ipython", "torch"}
    _, by_pip = environment()
    assert names == set(by_pip)


def test_the_script_installs_the_library_alone() -> None:
    script = BINDER / "postBuild"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    install = re.findall(r"^python -m pip install (.*)$", script.read_text(),
                         re.M)  # fmt: skip
    assert len(install) == 1
    assert "--no-deps" in install[0] and install[0].endswith(" .")
