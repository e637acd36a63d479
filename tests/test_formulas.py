"""The map of formulas and the errata point at what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import nbformat
import pytest

import notebooks as tool
from pinv_edu.laws import HINTS

BOOK = tool.ROOT / "book"
LINK = r"\[[Ll]esson (\d+)\]\(\.\./notebooks/([^)#]+)\)"
ROLE = re.compile(r"\{(?:func|class|meth)\}`~([\w.]+)`")
CODE = re.compile(r"(?<!\})`([^`]+)`")
CELL = re.compile(r"^```\{code-cell\}\n(.*?)^```", re.M | re.S)
FORMULA = ["In the library", "In the course", "Checked by"]
ERROR = ["Why it is tempting", "What is true", "Counter-example"]


@cache
def page(name: str) -> str:
    return (BOOK / name).read_text(encoding="utf-8")


@cache
def blocks(name: str) -> dict[str, str]:
    """The texts between the headings, by heading."""
    text = CELL.sub("```{cell}", page(name))
    parts = re.split(r"^#+ (.+)\n", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def entries(block: str) -> dict[str, str]:
    """The entries of a block, by their names."""
    return dict(re.findall(r"^(\w[^\n]*)\n: (.*)$", block, re.M))


FORMULAS = {k: v for k, v in blocks("formulas.md").items() if "\n: " in v}
ERRATA = {k: v for k, v in blocks("errata.md").items() if "\n: " in v}
ALL = [*FORMULAS.values(), *ERRATA.values()]


@cache
def lesson(number: str) -> nbformat.NotebookNode:
    (file,) = (f for f in tool.lessons() if int(f.stem[:2]) == int(number))
    return nbformat.read(file, as_version=4)


@cache
def texts(number: str) -> str:
    cells = [c.source for c in lesson(number).cells if c.cell_type != "code"]
    return "\n\n".join(cells)


@cache
def claims(number: str) -> set[str]:
    """What the stored outputs of a lesson claim, with and without bounds."""
    lines = (
        line
        for cell in lesson(number).cells
        for output in cell.get("outputs", [])
        for line in output.get("text", "").splitlines()
    )
    found = [re.match(r"✓ +(.+)   (\S.*)", line) for line in lines]
    said = [(" ".join(m[1].split()), m[2]) for m in found if m]
    whole = {f"{a}{':' * b[0].isalpha()} {b}" for a, b in said}
    return whole | {words for words, _ in said}


def resolve(name: str) -> object:
    """The object of that full name; its module may be nested."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise AssertionError(name)


@cache
def documented() -> set[str]:
    """Full names in the reference of the library."""
    names = set()
    found = re.findall(
        r"^\.\. auto\w+:: ([\w.]+).*\n( +:members:(.*))?",
        page("api.md"),
        re.M,
    )
    for name, option, listed in found:
        full = name if name.startswith("pinv_edu.") else f"pinv_edu.{name}"
        members = listed.split(",") if listed else dir(resolve(full))
        names |= {full, *(f"{full}.{m.strip()}" for m in members if option)}
    return names


def roles(name: str) -> list[str]:
    return ROLE.findall(page(name))


def passages(block: str) -> Iterator[tuple[str, str, str]]:
    """Number, file and following text of each link to a lesson."""
    parts = re.split(LINK, block)
    yield from zip(parts[1::3], parts[2::3], parts[3::3], strict=True)


def quoted(block: str, words: str) -> Iterator[tuple[str, str]]:
    """What stands after "Lesson 3:", "Laws:" or "Tests:" in an entry."""
    parts = re.split(words, entries(block).get("Checked by", ""))
    for head, text in zip(parts[1::2], parts[2::2], strict=True):
        text = re.split(r"\b(?:Lesson \d+|Laws?|Tests?):", text)[0]
        yield from ((head, code) for code in CODE.findall(text))


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_has_its_entries(name: str) -> None:
    assert "$$" in FORMULAS[name]
    assert list(entries(FORMULAS[name]))[:3] == FORMULA
    assert entries(FORMULAS[name])["Checked by"].count("`") >= 2


@pytest.mark.parametrize("name", ERRATA)
def test_error_has_its_entries(name: str) -> None:
    assert name.startswith('"') and name.endswith('"')
    assert list(entries(ERRATA[name])) == ERROR
    shown = "```{cell}" in ERRATA[name]
    assert shown == ("cell below" in entries(ERRATA[name])[ERROR[2]])


def test_every_name_exists_and_is_documented() -> None:
    names = {n for p in ("formulas.md", "errata.md") for n in roles(p)}
    assert len(names) > 30
    assert sorted(names - documented()) == []
    for name in names:
        assert callable(resolve(name)), name


def test_links_lead_to_sections_and_formulas() -> None:
    seen = 0
    for number, file, after in (p for b in ALL for p in passages(b)):
        assert Path(file).stem in {f.stem for f in tool.lessons()}, file
        assert int(file[:2]) == int(number), (number, file)
        titles = re.findall(r"^#+ (.+)$", texts(number), re.M)
        sections = re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", after)
        assert [s for s in sections if s not in titles] == []
        for label in re.findall(r"\{eq\}`([\w-]+)`", after):
            assert f":label: {label}\n" in texts(number), label
        seen += len(sections)
    assert seen > 70
    assert "ipynb#" not in page("formulas.md") + page("errata.md")


def test_quoted_claims_are_made() -> None:
    found = [c for b in FORMULAS.values() for c in quoted(b, r"Lesson (\d+):")]
    for block in ERRATA.values():
        for number, _, after in passages(block):
            text = after.split("```{cell}")[0]
            found += [(number, code) for code in CODE.findall(text)]
    assert len(found) > 100
    assert [c for c in found if c[1] not in claims(c[0])] == []


def test_named_laws_and_tests_exist() -> None:
    laws = [c for b in FORMULAS.values() for _, c in quoted(b, r"(Laws?):")]
    assert laws and set(laws) <= set(HINTS)
    files = Path(__file__).parent.glob("test_*.py")
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    named = {c for b in FORMULAS.values() for _, c in quoted(b, r"(Tests?):")}
    assert len(named) > 30
    made = {name.replace(" ", "_"): name for name in named}
    assert [
        name for line, name in made.items() if f"def test_{line}(" not in code
    ] == []


def test_cells_of_the_errata_hold(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for cell in CELL.findall(page("errata.md")):
        assert max(map(len, cell.splitlines())) <= 79
        exec(cell, names)  # a false claim raises
    assert capsys.readouterr().out.count("✓") > 10
