"""The guide for contributors says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import lesson_cards
import quiz_text
from pinv_edu.laws import HINTS

GUIDE = (Path(__file__).resolve().parents[1] / "CONTRIBUTING.md").read_text(
    encoding="utf-8"
)


def test_the_table_lists_the_laws_that_are_checked() -> None:
    listed = re.findall(r"^\| `([^`]+)` \|.*\| [a-z-]+ \|$", GUIDE, re.M)
    assert listed == list(dict.fromkeys(listed))
    assert set(listed) == set(HINTS)


def test_the_card_of_the_template_can_be_read() -> None:
    template = re.search(r"```markdown\n(# Title\n.*?)```", GUIDE, re.S)
    assert template
    card = lesson_cards.parse(template[1], "07-name")
    assert (card.needs, card.minutes, card.exercises) == ((3,), 25, 15)


def test_the_question_of_the_template_can_be_asked() -> None:
    template = re.search(r"```\{quiz\}\n(.*?)```", GUIDE, re.S)
    assert template
    assert len(quiz_text.parse(template[1].splitlines()).answers) == 2
