"""Exercises that check themselves and name the typical mistake."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Answer = Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """One exercise: what to try an answer on, and what is known of it.

    Parameters
    ----------
    key
        Lesson number and letter, such as ``"3a"``.
    draw
        Makes fresh random arguments from a ``torch.Generator``.
    solution
        A right answer.
    mistakes
        What to say, and the typical wrong answer that deserves it.
    judge
        For exercises with many right answers: takes the result and the
        arguments and returns None if it is right, else what to say. By
        default the result must equal the solution's.
    hint
        What to say about an unknown wrong answer.
    tol
        Relative tolerance.
    """

    key: str
    draw: Callable[[torch.Generator], tuple]
    solution: Answer
    mistakes: dict[str, Answer] = field(default_factory=dict)
    judge: Callable[..., str | None] | None = None
    hint: str = "Compare your function with the definition term by term."
    tol: float = 1e-6


def check(key: str, answer: Answer, cases: int = 20) -> None:
    """Try an answer on random cases and print the verdict in one line.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    verdict, words = judge_answer(find(key), answer, cases)
    sign = {True: "✓", False: "✗", None: "…"}[verdict]
    print(f"{sign} {key}: {words}")


def find(key: str) -> Exercise:
    """Return the exercise with this key."""
    for exercise in all_exercises():
        if exercise.key == key:
            return exercise
    known = ", ".join(e.key for e in all_exercises())
    raise ValueError(f"there is no exercise {key!r}; there are {known}")


def all_exercises() -> list[Exercise]:
    """Every exercise of the course, in order."""
    found: list[Exercise] = []
    names = (m.name for m in pkgutil.iter_modules(__path__))
    for name in sorted(n for n in names if n.startswith("lesson")):
        module = importlib.import_module(f"{__name__}.{name}")
        found.extend(module.EXERCISES)
    return found


def judge_answer(
    exercise: Exercise, answer: Answer, cases: int = 20
) -> tuple[bool | None, str]:
    """Return (True, False or None for not yet) and what to say."""
    inputs = [_arguments(exercise, i) for i in range(cases)]
    try:
        results = [answer(*copy_of(a)) for a in inputs]
    except NotImplementedError:
        return None, "not yet: fill in the function and run the cell again."
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        return False, f"your function stopped with {said}"
    if any(r is None or r is ... for r in results):
        return None, "not yet: your function returns nothing so far."
    words = _first_objection(exercise, inputs, results)
    if words is None:
        return True, f"right on {cases} random cases."
    return False, _known_mistake(exercise, inputs, results) or words


def _arguments(exercise: Exercise, case: int) -> tuple:
    return exercise.draw(torch.Generator().manual_seed(1000 + case))


def copy_of(arguments: tuple) -> tuple:
    """Copy the tensors, so that an answer cannot change the case."""
    return tuple(a.clone() if isinstance(a, Tensor) else a for a in arguments)


def _first_objection(
    exercise: Exercise, inputs: list[tuple], results: list
) -> str | None:
    for arguments, result in zip(inputs, results, strict=True):
        if exercise.judge is not None:
            words = exercise.judge(result, *copy_of(arguments))
        else:
            right = exercise.solution(*copy_of(arguments))
            words = _difference(result, right, exercise)
        if words is not None:
            return words
    return None


def _difference(result: Any, right: Any, exercise: Exercise) -> str | None:
    shapes = [_shape(v) for v in (result, right)]
    if shapes[0] != shapes[1]:
        return f"your result has shape {shapes[0]}, expected {shapes[1]}."
    return None if same(result, right, exercise.tol) else exercise.hint


def _known_mistake(
    exercise: Exercise, inputs: list[tuple], results: list
) -> str | None:
    for words, mistake in exercise.mistakes.items():
        made = [mistake(*copy_of(a)) for a in inputs]
        if all(
            same(r, m, exercise.tol)
            for r, m in zip(results, made, strict=True)
        ):
            return words
    return None


def _shape(value: Any) -> object:
    if isinstance(value, tuple | list):
        return tuple(_shape(v) for v in value)
    try:
        return tuple(torch.as_tensor(value).shape)
    except (TypeError, ValueError, RuntimeError):  # a word, None, an object
        return type(value).__name__


def same(a: Any, b: Any, tol: float) -> bool:
    """Equal up to a relative tolerance; tuples entry by entry."""
    if isinstance(a, tuple | list) or isinstance(b, tuple | list):
        pairs = zip(a, b, strict=False)
        return _shape(a) == _shape(b) and all(
            same(x, y, tol) for x, y in pairs
        )
    if _shape(a) != _shape(b) or isinstance(_shape(a), str):
        return False
    a, b = (torch.as_tensor(v).detach().double() for v in (a, b))
    known = b[b.isfinite()].abs()
    size = max(float(known.max()), 1e-12) if known.numel() else 1.0
    near = torch.isclose(a, b, rtol=0, atol=tol * size, equal_nan=True)
    return bool(near.all())
