"""The checker: right, wrong, typical, not yet; and every exercise."""

from __future__ import annotations

import pytest
import torch

import notebooks as tool
from pinv_edu import exercises
from pinv_edu.exercises import Exercise, all_exercises, check, judge_answer

DOUBLE = Exercise(
    key="0a",
    draw=lambda g: (torch.randn(3, generator=g), 2.0),
    solution=lambda x, k: k * x,
    mistakes={"You divided.": lambda x, k: x / k},
    hint="Multiply.",
)


def stub(*_: object) -> None: ...


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (lambda x, k: k * x, True, "right on 20 random cases."),
        (lambda x, k: (k * x).double(), True, "right"),
        (lambda x, k: x / k, False, "You divided."),
        (lambda x, k: x + k, False, "Multiply."),
        (lambda x, k: (k * x)[None], False, "shape (1, 3), expected (3,)"),
        (lambda x, k: x * float("nan"), False, "Multiply."),
        (lambda x, k: x.foo, False, "stopped with AttributeError"),
        (lambda x, k: x.mul_(k), True, "right"),
        (stub, None, "not yet"),
        (lambda x, k: ..., None, "not yet"),
    ],
)
def test_verdicts(answer, verdict, words) -> None:
    given, said = judge_answer(DOUBLE, answer)
    assert given is verdict and words in said


def test_not_implemented_is_not_yet() -> None:
    def later(x, k):
        raise NotImplementedError

    assert judge_answer(DOUBLE, later)[0] is None


def test_judge_replaces_the_solution() -> None:
    longer = Exercise(
        key="0b",
        draw=lambda g: (torch.rand(1, generator=g),),
        solution=lambda x: x + 1,
        judge=lambda result, x: None if result > x else "It must grow.",
        mistakes={"You shrank it.": lambda x: x - 1},
    )
    assert judge_answer(longer, lambda x: x + 5)[0] is True
    assert judge_answer(longer, lambda x: x - 2) == (False, "It must grow.")
    assert judge_answer(longer, lambda x: x - 1) == (False, "You shrank it.")


def test_check_prints_one_line(monkeypatch, capsys) -> None:
    monkeypatch.setattr(exercises, "all_exercises", lambda: [DOUBLE])
    check("0a", lambda x, k: k * x)
    check("0a", lambda x, k: x / k)
    check("0a", stub)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["✓", "0a:"],
        ["✗", "0a:"],
        ["…", "0a:"],
    ]
    with pytest.raises(ValueError, match=r"no exercise '9z'; there are 0a"):
        check("9z", stub)


EXERCISES = all_exercises()
LESSONS = [int(path.name[:2]) for path in tool.lessons()]


def test_there_are_exercises() -> None:
    keys = [e.key for e in EXERCISES]
    assert len(set(keys)) == len(keys)
    for lesson in LESSONS:
        count = sum(k.rstrip("abcdefgh") == str(lesson) for k in keys)
        assert 2 <= count <= 4, f"lesson {lesson} has {count} exercises"


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.key)
def test_solution_passes(exercise: Exercise) -> None:
    assert judge_answer(exercise, exercise.solution)[0] is True


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.key)
def test_empty_stub_is_told_not_yet(exercise: Exercise) -> None:
    assert judge_answer(exercise, stub)[0] is None


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.key)
def test_typical_mistakes_are_named(exercise: Exercise) -> None:
    assert 2 <= len(exercise.mistakes) <= 5
    for words, mistake in exercise.mistakes.items():
        assert judge_answer(exercise, mistake) == (False, words)
