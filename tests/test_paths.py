"""The cards of the lessons are readable, and so is what is made of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

import notebooks as tool
from lesson_cards import (
    Card,
    CardError,
    ancestors,
    arrows,
    check,
    parse,
    read,
    total,
)
from lesson_graph import WIDTH, svg
from pinv_edu.exercises import all_exercises
from pinv_paths import left, table

CARD = """# Noise

*A sentence.*

**You will be able to**
- do something;

**You need** [lesson 2](02-b.ipynb), means, and
[lesson 1](01-a.ipynb) once · **Time** 25 minutes, and 15 for the
exercises · **Runs on** any CPU, no network
"""


def card(number: int, *needs: int) -> Card:
    return Card(number, f"notebooks/{number}", "T & t", needs, 40, 10)


BRANCHED = check([card(1), card(2, 1), card(3, 1, 2), card(4, 1)])


def test_every_lesson_has_a_card_that_can_be_read() -> None:
    cards = check([read(file) for file in tool.lessons()])
    assert list(cards) == list(range(1, len(cards) + 1))
    for found in cards.values():
        assert 10 <= found.minutes <= 60


def test_a_card_is_read() -> None:
    said = Card(5, "notebooks/05-noise", "Noise", (1, 2), 25, 15)
    assert parse(CARD, "05-noise") == said


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("# Noise", "Noise", "begins with"),
        ("**Time**", "Time", "labels"),
        ("**Runs on**", "**Runs at**", "labels"),
        ("25 minutes", "half an hour", "Time is"),
        ("15 for the", "about 15 for the", "Time is"),
        (", and 15 for the\nexercises", "", "Time is"),
        ("[lesson 1](01-a.ipynb)", "lesson 1", "link every lesson"),
        ("[lesson 1](01-a.ipynb)", "[part 1](01-a.ipynb)", "link every"),
        ("[lesson 1](01-a.ipynb)", "[lesson 1](03-c.ipynb)", "another file"),
        ("[lesson 1](01-a.ipynb)", "[lesson 7](07-g.ipynb)", "later"),
        ("[lesson 1](01-a.ipynb)", "[lesson 5](05-e.ipynb)", "later"),
    ],
)
def test_a_card_that_cannot_be_read_is_refused(
    old: str, new: str, words: str
) -> None:
    assert old in CARD
    with pytest.raises(CardError, match=words):
        parse(CARD.replace(old, new), "05-noise")


def test_only_the_first_lesson_needs_no_other() -> None:
    needs = CARD[CARD.index("[lesson 2]") : CARD.index(" · **Time**")]
    alone = CARD.replace(needs, "some patience")
    assert parse(alone, "01-noise").needs == ()
    with pytest.raises(CardError, match="names no lesson"):
        parse(alone, "02-noise")


def test_lessons_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(CardError, match="not in the book"):
        check([card(1), card(3, 2)])
    with pytest.raises(CardError, match="same number"):
        check([card(1), card(1)])


def test_arrows_that_follow_from_others_are_left_out() -> None:
    assert arrows(BRANCHED) == [(1, 2), (2, 3), (1, 4)]
    assert ancestors(3, BRANCHED) == {1, 2}


def test_minutes_are_added_up() -> None:
    assert total([card(1), card(2)]) == (
        "1 hour 20 minutes of reading, and 20 minutes for the exercises"
    )
    assert total([card(n) for n in range(6)]) == (
        "4 hours of reading, and 1 hour for the exercises"
    )


def test_a_path_says_what_it_leaves_out() -> None:
    chosen = [BRANCHED[3]]
    assert "lesson 1, 2." in left(chosen, BRANCHED)
    assert "Nothing" in left(list(BRANCHED.values()), BRANCHED)
    assert "| 3. {doc}`T & t </notebooks/3>` | 40 | 10 |" in table(
        chosen, BRANCHED
    )


def test_the_drawing_is_described_and_fits() -> None:
    drawing = svg(BRANCHED, lambda c: f"{c.number}.html?a&b")
    root = ET.fromstring(drawing)
    space = {"s": "http://www.w3.org/2000/svg"}
    title, text = root.find("s:title", space), root.find("s:desc", space)
    assert title is not None and text is not None
    assert root.get("aria-labelledby") == title.get("id")
    assert root.get("aria-describedby") == text.get("id")
    assert "Lesson 1 needs no other. Lesson 2 needs lesson 1." in str(
        text.text
    )
    links = [a.get("href") for a in root.findall("s:a", space)]
    assert links == [f"{n}.html?a&b" for n in BRANCHED]
    assert len(root.findall("s:path", space)) == len(arrows(BRANCHED))
    assert root.get("viewBox", "").split()[2] == str(WIDTH) and WIDTH <= 340


def test_the_difficulties_name_exercises_that_exist() -> None:
    page = (tool.ROOT / "book/teaching.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|(.*)\|$", page, re.M)
    known = [exercise.key for exercise in all_exercises()]
    assert rows
    for number, cells in rows:
        keys = re.findall(r"\d+[a-z]", cells)
        of_lesson = [k for k in known if k[:-1] == number]
        assert sorted(keys) == of_lesson, f"lesson {number}"
