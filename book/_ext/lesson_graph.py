"""The drawing of what each lesson needs: one line a lesson, arcs between."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from html import escape

from lesson_cards import Card, arrows

WIDTH, ROW, AXIS, RADIUS = 340, 40, 96, 13
TEXT, LETTERS = 122, 31  # where titles begin, and how long a line may be


def svg(cards: dict[int, Card], link: Callable[[Card], str]) -> str:
    """Return an SVG with a title, a description and a link for each lesson."""
    rows = {number: i for i, number in enumerate(cards)}
    height = ROW * len(rows)
    lines = [arc(rows[a], rows[b]) for a, b in arrows(cards)]
    marks = [node(rows[n], card, link(card)) for n, card in cards.items()]
    return (
        f'<svg class="pinv-graph" role="group" viewBox="0 0 {WIDTH} {height}" '
        f'aria-labelledby="graph-title" aria-describedby="graph-text" '
        f'xmlns="http://www.w3.org/2000/svg">'
        f'<title id="graph-title">What each lesson needs</title>'
        f'<desc id="graph-text">{escape(description(cards))}</desc>'
        f"<defs>{HEAD}</defs>{''.join(lines + marks)}</svg>"
    )


HEAD = (
    '<marker id="graph-head" viewBox="0 0 8 8" refX="7" refY="4" '
    'markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z"/></marker>'
)


def arc(start: int, end: int) -> str:
    """Return an arrow down the rows: straight to the next one, else bent."""
    top, bottom = (ROW * (row + 0.5) for row in (start, end))
    if end == start + 1:
        path = f"M{AXIS} {top + RADIUS:g}V{bottom - RADIUS:g}"
    else:
        left = AXIS - min(34 + 12 * (end - start), 118)
        path = (
            f"M{AXIS - RADIUS} {top:g}C{left} {top:g} {left} {bottom:g} "
            f"{AXIS - RADIUS} {bottom:g}"
        )
    return f'<path class="arc" d="{path}" marker-end="url(#graph-head)"/>'


def node(row: int, card: Card, address: str) -> str:
    """Return a circle with the number, and the title beside it."""
    y = ROW * (row + 0.5)
    words = textwrap.wrap(card.title, LETTERS)
    first = y + 4 - 7.5 * (len(words) - 1)
    title = "".join(
        f'<tspan x="{TEXT}" y="{first + 15 * i:g}">{escape(line)} </tspan>'
        for i, line in enumerate(words)
    )
    return (
        f'<a href="{escape(address)}"><circle cx="{AXIS}" cy="{y:g}" '
        f'r="{RADIUS}"/><text class="number" x="{AXIS}" y="{y + 4:g}">'
        f"{card.number} </text><text>{title}</text></a>"
    )


def description(cards: dict[int, Card]) -> str:
    """Say in words what the arrows say."""
    said = []
    for card in cards.values():
        numbers = [str(a) for a, b in arrows(cards) if b == card.number]
        needs = f"lesson {' and '.join(numbers)}" if numbers else "no other"
        said.append(f"Lesson {card.number} needs {needs}.")
    return " ".join(said)
