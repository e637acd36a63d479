"""What must agree across files, and what must not be in the repository."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import nbformat
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


def tables(text: str) -> list[list[str]]:
    """Tables of a Markdown text, as lists of their rows."""
    found = re.findall(r"^(?:\|.*\|\n)+", text + "\n", re.M)
    return [table.splitlines() for table in found]


def markdown() -> dict[str, str]:
    """Every text that may hold tables: pages, and cells of lessons."""
    pages = [*(ROOT / "book").glob("*.md"), *ROOT.glob("*.md")]
    texts = {page.name: page.read_text(encoding="utf-8") for page in pages}
    for file in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in nbformat.read(file, as_version=4).cells:
            if cell.cell_type == "markdown":
                texts[f"{file.name} {cell.id}"] = cell.source
    return texts


def test_the_rows_of_a_table_have_the_same_columns() -> None:
    wrong = [
        (name, row)
        for name, text in markdown().items()
        for table in tables(text)
        for row in table
        if len(re.findall(r"(?<!\\)\|", row))
        != len(re.findall(r"(?<!\\)\|", table[0]))
    ]
    assert wrong == []


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


def measured() -> dict[tuple[str, float, str], float]:
    """PSNR of the linear operators by operator, noise level and method."""
    import comparison

    rows = json.loads(comparison.RESULTS.read_text(encoding="utf-8"))["rows"]
    return {
        (row["operator"], row["sigma_y"], row["method"]): row["psnr"]
        for row in rows
        if not row.get("chain")
    }


def gains(sigma_y: float, method: str, rival: str) -> dict[str, float]:
    """By how many decibels a method leads, for every operator."""
    found = measured()
    return {
        name: found[name, sigma_y, method] - found[name, sigma_y, rival]
        for name in dict.fromkeys(key[0] for key in found)
    }


def comparison_says(words: str) -> None:
    text = (ROOT / "book" / "comparison.md").read_text(encoding="utf-8")
    assert words in text


SENSING = ("Walsh-Hadamard 25 %", "block sensing 25 %")


def between(values: list[float]) -> str:
    return f"{min(values):.1f} to {max(values):.1f} dB"


def test_the_comparison_page_counts_right_without_noise() -> None:
    inside = gains(0.0, "ddnm", "descent")
    assert inside.pop("blur 5x5") > 50
    assert max(map(abs, inside.values())) < 0.2
    eta, louder, rival, plain = (
        {k: v for k, v in gains(0.0, *pair).items() if k != "blur 5x5"}
        for pair in (("fresh", "ddnm"), ("over", "fresh"),
                     ("over", "pigdm"), ("ddnm", "pigdm"))
    )  # fmt: skip
    lost = -eta.pop("Walsh-Hadamard 25 %")
    comparison_says(
        f"brings DDNM {between(list(eta.values()))}, but for "
        f"Walsh–Hadamard it costs {lost:.1f} dB."
    )
    random = between([louder.pop(name) for name in SENSING])
    comparison_says(
        f"it brings {between(list(louder.values()))} for means, mask and "
        f"bicubic, and {random} for random sensing"
    )
    behind = -rival.pop("inpainting 50 %")
    comparison_says(f"leads for inpainting alone, by {behind:.1f} dB")
    assert abs(rival.pop("block sensing 25 %")) < 0.1
    assert min(rival.values()) > 0.2
    assert max(plain.values()) < 0


def test_the_comparison_page_counts_right_with_noise() -> None:
    for sigma_y in (0.05, 0.1, 0.2):
        assert min(gains(sigma_y, "plus", "ddnm").values()) > 0
    rival = gains(0.1, "plus", "pigdm")
    mask, blocks, hadamard = (
        rival.pop(name) for name in ("inpainting 50 %", *reversed(SENSING))
    )
    comparison_says(
        f"leads ΠGDM by {between(list(rival.values()))} for means, bicubic "
        f"and blur, and by {hadamard:.1f} dB for Walsh–Hadamard. ΠGDM leads "
        f"by {-mask:.1f} dB for inpainting and by {-blocks:.1f} dB for block"
    )


def test_the_curves_of_the_comparison_page_show_the_stored_study() -> None:
    import curves

    rows = curves.rows()
    assert {row["calls"] for row in rows} == {5, 10, 20, 50, 100}
    text = curves.PAGE.read_text(encoding="utf-8")
    assert text == curves.page(rows), "run benchmarks/curves.py"
    for file in curves.FILES.values():
        drawn = file.read_text(encoding="utf-8")
        assert curves.digest(rows) in drawn, "run benchmarks/curves.py"


def test_the_comparison_page_reads_the_curves_right() -> None:
    import curves

    found = {
        (row["operator"], row["method"], row["calls"]): row["psnr"]
        for row in curves.rows()
    }

    def ours(name: str) -> list[float]:
        return [found[name, "plus", n] for n in (5, 10, 20, 50, 100)]

    quick = [ours(name) for name in ("block means x4", "blur 5x5")]
    behind = max(max(values) - values[1] for values in quick)
    comparison_says(f"with ten it is within {behind:.1f} dB of its best")
    assert all(values[4] <= values[3] for values in quick)
    assert ours("Walsh-Hadamard 25 %") == sorted(ours("Walsh-Hadamard 25 %"))

    mask = {key[1:]: v for key, v in found.items() if "inpaint" in key[0]}
    others = [v for (m, n), v in mask.items() if n == 5 and m != "over"]
    lead = mask["over", 5] - max(others)
    comparison_says(f"leads all others by {lead:.1f} dB with five calls")
    ahead = mask["pigdm", 20] - mask["over", 20]
    comparison_says(f"With twenty, ΠGDM leads by {ahead:.1f} dB;")
    for n in (50, 100):
        assert abs(mask["over", n] - mask["pigdm", n]) < 0.2

    leads = []
    for task in curves.tasks(curves.rows()).values():
        best = curves.within(task, 50)
        name = "plus" if "plus" in best else "over"
        leads.append(best.pop(name) - max(best.values()))
    comparison_says(f"without noise, by {between(leads)}.")


def test_a_link_to_the_book_shows_its_picture():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    told = config["sphinx"]["config"]
    site = told["ogp_site_url"].removesuffix("main/")
    assert f"<{site}>" in (ROOT / "README.md").read_text()
    with Image.open(ROOT / "book" / told["ogp_image"]) as picture:
        assert picture.size == (1280, 640)
    assert told["ogp_image_alt"]
