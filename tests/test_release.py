"""A release names itself everywhere, and leads to its own notebooks."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import release

ADDRESS = "git+https://github.com/pinv-edu/pinv-edu"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that a release changes."""
    names = {*release.links("main"), *release.version("0.0.1", True)}
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(release.ROOT / name, tmp_path / name)
    monkeypatch.setattr(release, "ROOT", tmp_path)
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    names = release.links("main")
    return {name: (folder / name).read_text() for name in names}


def test_a_release_leads_to_its_tag(copy: Path) -> None:
    release.main(["7.8.9"])
    for name, text in texts(copy).items():
        assert "v7.8.9" in text, name
        assert text.count(ADDRESS) == text.count(ADDRESS + "@v7.8.9"), name
    assert "branch: v7.8.9\n" in (copy / "_config.yml").read_text()
    for name in ("pinv_edu/__init__.py", "CITATION.cff"):
        assert len(re.findall("7.8.9", (copy / name).read_text())) == 1
    changelog = (copy / "book/changelog.md").read_text()
    assert re.search(r"^## 7\.8\.9 \(\d{4}-\d\d-\d\d\)$", changelog, re.M)


def test_work_goes_on_from_the_same_files(copy: Path) -> None:
    before = texts(copy)
    release.main(["7.8.9"])
    release.main(["--develop", "8.0.0"])
    assert texts(copy) == before
    changelog = (copy / "book/changelog.md").read_text()
    first, second = re.findall("^## .*", changelog, re.M)[:2]
    assert first == "## 8.0.0 (not yet released)"
    assert second.startswith("## 7.8.9 (2")


def test_a_version_is_three_numbers(copy: Path) -> None:
    with pytest.raises(SystemExit):
        release.main(["v1"])


def test_a_missing_place_is_named(copy: Path) -> None:
    (copy / "_config.yml").write_text("title: other\n")
    with pytest.raises(SystemExit, match=r"_config\.yml: found nothing"):
        release.main(["7.8.9"])
