"""One question of a quiz, read strictly from its text.

A question, then its answers; each answer stands after ``( )``, the right one
after ``(x)``, and what there is to say about it on the next line, after
``:``.  Lines that are indented continue the one before::

    How many numbers fix a point of the plane?

    ( ) one
    :   One number leaves a line.
    (x) two
    :   One for each axis.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ANSWER = re.compile(r"\(([x ])\) +(\S.*)")
WORD = re.compile(r": +(\S.*)")


class QuizError(ValueError):
    """A question that cannot be asked."""


@dataclass(frozen=True)
class Answer:
    """A choice, whether it is right, and the words about it."""

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A question with two to five choices, one of them right."""

    text: str
    answers: tuple[Answer, ...]


def parse(lines: Iterable[str]) -> Question:
    """Return the question.

    Raises
    ------
    QuizError
        If there is no question, an answer has no words about it, there are
        not two to five answers, two are equal, or not exactly one is right.
    """
    text, *blocks = re.split(r"\n(?=\([x ]\) )", "\n" + "\n".join(lines))
    answers = tuple(map(answer, blocks))
    if not text.strip():
        raise QuizError("there is no question before the answers")
    if not 2 <= len({a.text for a in answers}) == len(answers) <= 5:
        raise QuizError(f"2 to 5 different answers, not {len(answers)}")
    if sum(a.right for a in answers) != 1:
        raise QuizError("exactly one answer must be marked (x)")
    return Question(text.strip(), answers)


def answer(block: str) -> Answer:
    """Return one answer with the words about it."""
    choice, *why = re.split(r"\n(?=:)", block.strip())
    found, words = ANSWER.fullmatch(join(choice)), join("\n".join(why))
    said = WORD.fullmatch(words)
    if not found or not said or len(why) != 1:
        raise QuizError(f"answer {choice!r} needs one line ':   words'")
    return Answer(found[2], found[1] == "x", said[1])


def join(text: str) -> str:
    """Return the lines as one."""
    return " ".join(text.split())
