"""The card at the head of a lesson, read strictly."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

LABELS = ("You will be able to", "You need", "Time", "Runs on")
LINK = re.compile(r"\[lesson (\d+)\]\((\d+)-[\w-]+\.ipynb\)")
TIME = re.compile(r"(\d+) minutes, and (\d+) for the exercises")


class CardError(ValueError):
    """A card that says nothing, or something that cannot be true."""


@dataclass(frozen=True)
class Card:
    """What a lesson says about itself."""

    number: int
    doc: str  # the page, without its ending
    title: str
    needs: tuple[int, ...]
    minutes: int
    exercises: int  # minutes for them


def read(file: Path) -> Card:
    """Read the first cell of a notebook named ``NN-name.ipynb``.

    Raises
    ------
    CardError
        If a label is missing, the time cannot be read, or a lesson that is
        needed is not linked, comes later or is named wrongly.
    """
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    first = "".join(cells[0]["source"]) if cells else ""
    try:
        return parse(first, file.stem)
    except CardError as error:
        raise CardError(f"{file.name}: {error}") from None


def parse(cell: str, stem: str) -> Card:
    """Return the card in the text of a first cell."""
    prefix = re.match(r"(\d\d)-\w", stem)
    title = re.match(r"# (\S.*)\n", cell)
    if not prefix or not title:
        raise CardError("a lesson is NN-name.ipynb and begins with '# Title'")
    fields, number = split(cell), int(prefix[1])
    minutes, exercises = times(fields["Time"])
    needs = prerequisites(fields["You need"], number)
    doc = f"notebooks/{stem}"
    return Card(number, doc, title[1].strip(), needs, minutes, exercises)


def split(cell: str) -> dict[str, str]:
    """Return the text after each label, in one line."""
    marks = "|".join(map(re.escape, LABELS))
    parts = re.split(rf"\*\*({marks})\*\*", cell)
    found = tuple(parts[1::2])
    if found != LABELS:
        raise CardError(f"the labels of the card are {found}, not {LABELS}")
    return {
        label: " ".join(text.replace("·", " ").split())
        for label, text in zip(found, parts[2::2])
    }


def times(text: str) -> tuple[int, int]:
    """Return the minutes for reading and for the exercises."""
    time = TIME.fullmatch(text)
    if not time:
        raise CardError(
            f"Time is {text!r}, expected '25 minutes, and 15 for the "
            f"exercises'"
        )
    return int(time[1]), int(time[2])


def prerequisites(text: str, number: int) -> tuple[int, ...]:
    """Return the lessons that are needed, each of them linked."""
    links = LINK.findall(text)
    left = LINK.sub("", text)
    if re.search(r"\blessons?\b|\.ipynb", left, re.I):
        raise CardError(f"link every lesson of 'You need': {text!r}")
    wrong = [a for a, b in links if int(a) != int(b) or int(a) >= number]
    if wrong:
        raise CardError(f"lesson {', '.join(wrong)}: another file, or later")
    if not links and number > 1:
        raise CardError("'You need' names no lesson")
    return tuple(sorted({int(a) for a, _ in links}))


def check(cards: Sequence[Card]) -> dict[int, Card]:
    """Return the cards by number; each lesson and each need exists once."""
    by_number = {card.number: card for card in cards}
    if len(by_number) != len(cards):
        raise CardError("two lessons have the same number")
    lost = {n for c in cards for n in c.needs} - set(by_number)
    if lost:
        raise CardError(f"needed, but not in the book: lessons {lost}")
    return dict(sorted(by_number.items()))


def ancestors(number: int, cards: dict[int, Card]) -> set[int]:
    """Return everything that a lesson needs, directly or not."""
    direct = cards[number].needs
    return set(direct).union(*(ancestors(n, cards) for n in direct))


def arrows(cards: dict[int, Card]) -> list[tuple[int, int]]:
    """Return (needed, lesson) pairs that do not follow from other pairs."""
    return [
        (need, card.number)
        for card in cards.values()
        for need in card.needs
        if not any(
            need in ancestors(other, cards)
            for other in card.needs
            if other != need
        )
    ]


def total(cards: Iterable[Card]) -> str:
    """Say the sum of the minutes in words."""
    chosen = list(cards)
    reading = duration(sum(card.minutes for card in chosen))
    exercises = duration(sum(card.exercises for card in chosen))
    return f"{reading} of reading, and {exercises} for the exercises"


def duration(minutes: int) -> str:
    """Write 85 as "1 hour 25 minutes"."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} hour{'s' * (hours > 1)}"] if hours else []
    if rest or not hours:
        parts.append(f"{rest} minutes")
    return " ".join(parts)
