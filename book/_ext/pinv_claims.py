"""The directive ``claims``: every claim that this build has measured.

A claim is a line ``✓ statement   bound`` that a cell of a lesson prints. The
directive lists all of them, lesson by lesson, each with a link to its cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

LINE = re.compile(r"^✓ +(?P<statement>\S.*) {3}(?P<bound>\S.*)$")
LESSONS = "notebooks/"


class Claim(NamedTuple):
    """One line, and where it stands."""

    anchor: str
    statement: str
    bound: str


class Placeholder(nodes.General, nodes.Element):
    """Where the list will stand, once all lessons are read."""


class Claims(SphinxDirective):
    """``{claims}``: the list, without options or content."""

    def run(self) -> list[nodes.Node]:
        """Leave a place; the list follows when all lessons are read."""
        return [Placeholder()]


def read(text: str) -> list[tuple[str, str]]:
    """Return statement and bound of every claim among printed lines."""
    found = map(LINE.match, text.splitlines())
    return [(" ".join(m["statement"].split()), m["bound"]) for m in found if m]


def is_cell(node: nodes.Node) -> bool:
    """Whether the node holds a code cell with its outputs."""
    return isinstance(node, nodes.container) and (
        node.get("nb_element") == "cell_code"
    )


def collect(app: Sphinx, tree: nodes.document) -> None:
    """Note the claims of a lesson and give their cells an address."""
    name = app.env.docname
    if not name.startswith(LESSONS):
        return
    found = app.env.pinv_claims[name] = []
    for cell in list(tree.findall(is_cell)):
        lines = [
            line
            for block in cell.findall(nodes.literal_block)
            if "output" in block.get("classes", [])
            for line in read(block.astext())
        ]
        if lines:
            anchor = f"claims-{len({c.anchor for c in found}) + 1}"
            cell["ids"].append(anchor)
            found += [Claim(anchor, *line) for line in lines]


def table(claims: list[Claim], target: str) -> nodes.Node:
    """Rows of statement and bound; the statement leads to its cell."""
    group = nodes.tgroup(cols=2)
    group += [nodes.colspec(colwidth=width) for width in (70, 30)]
    body = nodes.tbody()
    for claim in claims:
        link = nodes.reference(
            "",
            claim.statement,
            refuri=f"{target}#{claim.anchor}",
            internal=True,
        )
        row = nodes.row()
        for content in (link, nodes.Text(claim.bound)):
            row += nodes.entry("", nodes.paragraph("", "", content))
        body += row
    head = nodes.row()
    for words in ("Statement", "Value or bound"):
        head += nodes.entry("", nodes.paragraph("", words))
    group += [nodes.thead("", head), body]
    return nodes.table("", group, classes=["pinv-claims"])


def heading(env: BuildEnvironment, name: str) -> tuple[str, str]:
    """Address and words of a lesson's section."""
    number = int(name.removeprefix(LESSONS).split("-")[0])
    return f"lesson-{number}", f"{number}. {env.titles[name].astext()}"


def contents(
    env: BuildEnvironment, claims: dict[str, list[Claim]]
) -> nodes.Node:
    """A count, and the way to the section of each lesson."""
    total = sum(map(len, claims.values()))
    words = f"{total} statements in {len(claims)} lessons:"
    entries = nodes.bullet_list()
    for name, found in claims.items():
        anchor, title = heading(env, name)
        link = nodes.reference("", title, refid=anchor, internal=True)
        count = nodes.Text(f" ({len(found)})")
        entries += nodes.list_item("", nodes.paragraph("", "", link, count))
    return nodes.container("", nodes.paragraph("", words), entries)


def sections(
    app: Sphinx, page: str, claims: dict[str, list[Claim]]
) -> Iterator[nodes.Node]:
    """One section for each lesson."""
    for name, found in claims.items():
        anchor, title = heading(app.env, name)
        section = nodes.section("", nodes.title("", title), ids=[anchor])
        section += table(found, app.builder.get_relative_uri(page, name))
        yield section


def fill(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Put the list where the directive stood."""
    order = sorted(app.env.pinv_claims)
    claims = {name: app.env.pinv_claims[name] for name in order}
    for place in list(tree.findall(Placeholder)):
        place.replace_self(
            [contents(app.env, claims), *sections(app, page, claims)]
        )


def prepare(app: Sphinx, env: BuildEnvironment, names: list[str]) -> None:
    """Make a place for the claims; keep those of an earlier build."""
    if not hasattr(env, "pinv_claims"):
        env.pinv_claims = {}


def forget(app: Sphinx, env: BuildEnvironment, name: str) -> None:
    """Drop the claims of a page that is read again."""
    getattr(env, "pinv_claims", {}).pop(name, None)


def merge(
    app: Sphinx, env: BuildEnvironment, names: list[str], other: object
) -> None:
    """Take over what a parallel reader found."""
    env.pinv_claims.update(other.pinv_claims)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(Placeholder)
    app.add_directive("claims", Claims)
    app.connect("env-before-read-docs", prepare)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("doctree-read", collect)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
