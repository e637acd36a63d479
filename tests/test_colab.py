"""The first cell of a lesson installs the library in Colab, nothing else.

Offline: what the library asks for, next to what Colab brings. The real
installation is `make colab`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import notebooks as tool

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib  # pytest brings it there

PROJECT = tomllib.loads((tool.ROOT / "pyproject.toml").read_text())["project"]
HERE = Path(__file__).parent


def asked() -> list[Requirement]:
    """Everything that the first cell of a lesson asks pip for."""
    extras = PROJECT["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])
    lists = [PROJECT["dependencies"], *(extras[e] for e in everything.extras)]
    return [Requirement(line) for part in lists for line in part]


def colab() -> dict[str, str]:
    lines = (HERE / "colab.txt").read_text().splitlines()
    return dict(x.split("==") for x in lines if x and not x.startswith("#"))


@pytest.mark.parametrize("wanted", asked(), ids=lambda r: r.name)
def test_pip_keeps_what_colab_has(wanted: Requirement) -> None:
    assert wanted.name in colab(), "pip would add a package"
    assert colab()[wanted.name] in wanted.specifier, "pip would replace it"


def test_no_version_is_too_new() -> None:
    """Colab moves on: an upper bound would bring an old torch back."""
    bounds = [s for r in asked() for s in r.specifier]
    assert {s.operator for s in bounds} == {">="}


def test_the_first_cell_asks_for_all_of_it() -> None:
    (line,) = re.findall(r'%pip install -q "(.*)"', tool.BOOTSTRAP)
    wanted = Requirement(line)
    assert (wanted.name, wanted.extras) == (PROJECT["name"], {"all"})
    assert wanted.url and wanted.url.startswith("git+https://")


def test_every_python_that_is_promised_is_tested() -> None:
    """All that are listed, from the oldest that pip accepts."""
    listed = re.findall(
        r"Programming Language :: Python :: (3\.\d+)",
        "\n".join(PROJECT["classifiers"]),
    )
    workflow = (tool.ROOT / ".github/workflows/test.yml").read_text()
    matrix = re.search(r"^ +python: \[(.*)\]$", workflow, re.M)
    assert matrix and re.findall(r'"(3\.\d+)"', matrix[1]) == listed
    oldest = min(listed, key=Version)
    accepted = SpecifierSet(PROJECT["requires-python"])
    assert oldest in accepted
    before = Version(oldest)
    assert f"{before.major}.{before.minor - 1}" not in accepted
