"""Directives that read the cards of the lessons when the book is built.

``{lesson-graph}`` draws what each lesson needs.  ``{lesson-path} 1 3 8``, or
``{lesson-path} all``, lists lessons with the minutes of their cards, their
sum, and what the path leaves out although a lesson of it builds on it.
"""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from lesson_cards import Card, CardError, ancestors, check, read, total
from lesson_graph import svg


def lessons(env: BuildEnvironment) -> dict[int, Card]:
    """Return the cards of all lessons of the book; a bad one stops it."""
    docs = [d for d in env.found_docs if d.startswith("notebooks/")]
    try:
        return check([read(Path(env.doc2path(doc))) for doc in docs])
    except CardError as error:
        raise ExtensionError(f"the card of a lesson: {error}") from error


class LessonGraph(SphinxDirective):
    """The drawing."""

    def run(self) -> list[nodes.Node]:
        """Draw."""
        self.env.note_reread()
        address = self.env.app.builder.get_relative_uri
        drawing = svg(
            lessons(self.env), lambda c: address(self.env.docname, c.doc)
        )
        return [nodes.raw("", drawing, format="html")]


class LessonPath(SphinxDirective):
    """A table of lessons and the sum of their minutes."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Write the table as Markdown and let the page read it."""
        self.env.note_reread()
        cards = lessons(self.env)
        lines = StringList(
            table(self.chosen(cards), cards).splitlines(), self.env.docname
        )
        holder = nodes.container()
        self.state.nested_parse(lines, self.content_offset, holder)
        return holder.children

    def chosen(self, cards: dict[int, Card]) -> list[Card]:
        """Return the lessons of the argument, in its order."""
        if self.arguments[0] == "all":
            return list(cards.values())
        try:
            return [cards[int(n)] for n in self.arguments[0].split()]
        except (ValueError, KeyError) as error:
            raise self.error(
                f"lesson-path wants 'all' or numbers of lessons: {error}"
            ) from error


def table(chosen: list[Card], cards: dict[int, Card]) -> str:
    """Return the path in Markdown."""
    head = "| lesson | minutes | exercises |\n| --- | --- | --- |\n"
    rows = [
        f"| {c.number}. {{doc}}`{c.title} </{c.doc}>` | {c.minutes} | "
        f"{c.exercises} |\n"
        for c in chosen
    ]
    return head + "".join(rows) + f"\n{total(chosen)}. {left(chosen, cards)}"


def left(chosen: list[Card], cards: dict[int, Card]) -> str:
    """Say which lessons are built upon and not in the path."""
    there = {card.number for card in chosen}
    needed = set().union(*(ancestors(n, cards) for n in there))
    missing = [str(n) for n in sorted(needed - there)]
    if not missing:
        return "Nothing that these lessons build on is left out."
    return f"Left out, though built upon: lesson {', '.join(missing)}."


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("lesson-graph", LessonGraph)
    app.add_directive("lesson-path", LessonPath)
    app.add_css_file("paths.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
