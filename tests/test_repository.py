"""What must agree across files, and what must not be in the repository."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from PIL import Image

import notebooks as tool
import pinv_edu

ROOT = tool.ROOT
URL = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
FORBIDDEN = [
    # folders of one machine
    r"(?<![\w.:~])/(home|root|Users|work|content)/\w",
    # package indexes: the reader's pip knows its own
    r"(extra-)?index-url|find-links|pypi\.org/simple|pythonhosted",
    # work that is not done
    r"\b(TODO|FIXME|XXX)\b|This page is being written",
]


def files() -> list[Path]:
    """All files of the repository, those to be added among them."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = [ROOT / name for name in names.stdout.splitlines()]
    return [file for file in found if file.is_file()]


@pytest.mark.parametrize(
    "name",
    [
        "pyproject.toml",
        "CITATION.cff",
        "LICENSE-text.md",
        "README.md",
        "scripts/notebooks.py",
    ],
)
def test_one_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    found = set(re.findall(r"https://github\.com/[\w-]+/pinv-edu\b", text))
    assert found == {URL}


def test_one_version() -> None:
    version = pinv_edu.__version__
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == version
    changelog = (ROOT / "book/changelog.md").read_text(encoding="utf-8")
    first = re.search(r"^## +v?(\d+\.\d+\.\d+)", changelog, re.M)
    assert first and first[1] == version
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text()


def test_requirements_are_exact() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [x for x in lines if x and not x.startswith("#")]
    pin = re.compile(r"[\w.-]+==[\w.]+(; python_version (<|>=) \"3\.11\")?")
    assert [x for x in wanted if not pin.fullmatch(x)] == []


def test_sizes() -> None:
    large = [f for f in files() if f.stat().st_size >= 6_000_000]
    assert large == []
    data = [f for f in files() if f.is_relative_to(ROOT / "pinv_edu/data")]
    assert sum(f.stat().st_size for f in data) < 20_000_000


def test_no_forbidden_strings() -> None:
    found = []
    for file in files():
        if file == Path(__file__).resolve():
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for pattern in FORBIDDEN:
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{file.relative_to(ROOT)}:{line}: {match[0]}")
    assert found == []


def test_every_public_name_is_in_the_reference() -> None:
    page = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\.\. auto\w+:: ([\w.]+)", page, re.M))
    names = {name.removeprefix("pinv_edu.") for name in documented}
    names |= {name.rpartition(".")[2] for name in names}
    assert set(pinv_edu.__all__) <= names


def test_the_comparison_page_shows_the_stored_results() -> None:
    import comparison

    data = json.loads(comparison.RESULTS.read_text(encoding="utf-8"))
    page = comparison.PAGE.read_text(encoding="utf-8")
    assert page == comparison.tables(data), "run benchmarks/comparison.py"
    for row in data["rows"]:
        noise_free = not row["sigma_y"] and row["method"] in ("ddnm", "none")
        assert row["consistency"] < 1e-5 or not noise_free


def test_a_link_to_the_book_shows_its_picture():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    told = config["sphinx"]["config"]
    site = told["ogp_site_url"].removesuffix("main/")
    assert f"<{site}>" in (ROOT / "README.md").read_text()
    with Image.open(ROOT / "book" / told["ogp_image"]) as picture:
        assert picture.size == (1280, 640)
    assert told["ogp_image_alt"]
