"""Every lesson has the same shape and stores nothing that can go stale."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat import NotebookNode

import notebooks as tool

LESSONS = tool.lessons()
CARD = ["You will be able to", "You need", "Time", "Runs on"]
SECTIONS = [
    r"break it",
    r"exercise",
    r"^what we have seen$",
    r"^where this fails$",
    r"^references$",
]
FORBIDDEN_TAGS = {
    "raises-exception", "skip-execution", "nbval-skip",
    "nbval-ignore-output", "nbval-raises-exception",
}  # fmt: skip
MACHINE_PATH = re.compile(
    r"(?<![\w.])/(home|Users|root|tmp|work|content|kaggle)/|[A-Z]:\\\\"
)


@pytest.fixture(params=LESSONS, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def lesson(file: Path) -> NotebookNode:
    return nbformat.read(file, as_version=4)


def code(lesson: NotebookNode) -> list[NotebookNode]:
    return [c for c in lesson.cells if c.cell_type == "code"]


def prose(lesson: NotebookNode) -> list[str]:
    """The text cells without their blocks of code."""
    fence = re.compile(r"^```.*?^```", re.M | re.S)
    return [
        fence.sub("", c.source)
        for c in lesson.cells
        if c.cell_type == "markdown"
    ]


def headings(lesson: NotebookNode) -> list[tuple[int, str]]:
    found = re.findall(r"^(#{1,6}) +(.+)$", "\n\n".join(prose(lesson)), re.M)
    return [(len(marks), text.strip()) for marks, text in found]


def calls(cell: NotebookNode, *names: str) -> list[ast.Call]:
    """The calls of a function, or method, of one of these names."""
    python = re.sub(r"^(\s*)[%!].*$", r"\1pass", cell.source, flags=re.M)
    found = [n for n in ast.walk(ast.parse(python)) if isinstance(n, ast.Call)]
    return [
        c
        for c in found
        if getattr(c.func, "id", getattr(c.func, "attr", None)) in names
    ]


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def test_toc_lists_exactly_the_lessons() -> None:
    toc = yaml.safe_load((tool.ROOT / "_toc.yml").read_text())
    listed = [c["file"] for p in toc["parts"] for c in p["chapters"]]
    assert [f for f in listed if f.startswith("notebooks/")] == [
        f"notebooks/{f.stem}" for f in LESSONS
    ]


def test_file_is_tidy_and_small(file: Path, lesson: NotebookNode) -> None:
    tool.tidy(lesson)
    assert tool.text(lesson) == file.read_text(encoding="utf-8"), (
        "run: python scripts/notebooks.py strip"
    )
    assert file.stat().st_size < 100_000


def test_page_card(lesson: NotebookNode) -> None:
    first = lesson.cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert [w for w in CARD if f"**{w}" not in first.source] == []


def test_first_code_cell(lesson: NotebookNode) -> None:
    first = code(lesson)[0]
    assert first.source == tool.BOOTSTRAP
    assert tags(first) == {"remove-cell"}


def test_stored_outputs_are_those_that_are_checked(
    lesson: NotebookNode,
) -> None:
    checked = [c for c in code(lesson) if tool.is_checked(c)]
    assert checked, "no cell is tagged " + tool.CHECKED
    for cell in checked:
        # nbval passes a checked cell without stored output, whatever it does
        assert cell.outputs, f"run this checked cell: {cell.source}"
        # in nbval's kernel a last ; hides nothing
        assert not cell.source.rstrip().endswith(";"), cell.source
        for output in cell.outputs:
            kinds = set(output.get("data", {}))
            assert kinds <= {"text/plain"}, f"not text: {cell.source}"
            assert output.get("name", "stdout") == "stdout", cell.source


def test_nothing_is_excused(lesson: NotebookNode) -> None:
    for cell in code(lesson):
        assert not tags(cell) & FORBIDDEN_TAGS, cell.source
        assert not re.search(r"#\s*(NBVAL|PYTEST)_", cell.source), cell.source


def test_claims_are_checked_and_figures_described(
    lesson: NotebookNode,
) -> None:
    for cell in code(lesson):
        if calls(cell, "claim"):
            assert tool.is_checked(cell), f"tag {tool.CHECKED}: {cell.source}"
        drawn = calls(cell, "show", "explore")
        if drawn:
            assert "hide-input" in tags(cell), f"hide-input: {cell.source}"
        for call in drawn:
            assert "alt" in {k.arg for k in call.keywords}, (
                f"alt= is missing: {cell.source}"
            )


def test_pictures_in_text_are_described(lesson: NotebookNode) -> None:
    for cell in lesson.cells:
        if cell.cell_type != "markdown":
            continue
        assert not re.search(r"!\[\s*\]", cell.source), cell.source
        for tag in re.findall(r"<img\b[^>]*>", cell.source):
            assert re.search(r"\balt=.\S", tag), tag
        blocks = re.findall(
            r"^(`{3,}|:{3,})\{(?:image|figure)\}(.*?)^\1",
            cell.source,
            re.M | re.S,
        )
        for _, body in blocks:
            assert re.search(r"^:alt: *\S", body, re.M), body


def test_lines_fit(lesson: NotebookNode) -> None:
    lines = [x for c in code(lesson)[1:] for x in c.source.splitlines()]
    assert [x for x in lines if len(x) > 79] == []


def test_headings(lesson: NotebookNode) -> None:
    levels = [level for level, _ in headings(lesson)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    titles = [title for _, title in headings(lesson)]
    missing = [
        pattern
        for pattern in SECTIONS
        if not any(re.search(pattern, t, re.I) for t in titles)
    ]
    assert missing == []


def test_no_machine_paths(file: Path) -> None:
    assert not MACHINE_PATH.search(file.read_text(encoding="utf-8"))
