"""Exercises of lesson 17: ask for a class, sweep, score honestly."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pinv_edu.exercises import Exercise

# 17a: mean logits of the rightly classified


def _answers(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    labels = torch.arange(60) % 4
    logits = torch.randn(60, 4, generator=generator).double()
    logits[:48] += 3 * torch.eye(4).double()[labels[:48]]
    return logits, labels


def _rows(
    which: Callable[[Tensor, Tensor, int], Tensor],
) -> Callable[[Tensor, Tensor], Tensor]:
    def mean(logits: Tensor, labels: Tensor) -> Tensor:
        rows = [
            logits[which(logits.argmax(1), labels, k)].mean(0)
            for k in range(logits.shape[1])
        ]
        return torch.stack(rows)

    return mean


_right = _rows(lambda said, labels, k: (said == k) & (labels == k))

TARGETS = Exercise(
    key="17a",
    draw=_answers,
    solution=_right,
    mistakes={
        "you took all pictures of a class. Those that the network puts "
        "elsewhere pull its mean to the other class.": _rows(
            lambda said, labels, k: labels == k
        ),
        "you grouped by what the network says. Some of these pictures are "
        "of another class.": _rows(lambda said, labels, k: said == k),
        "these are probabilities. A measurement is what g returns: the "
        "logits.": lambda logits, labels: _right(logits, labels).softmax(1),
        "your rows and columns are exchanged: row k belongs to class k.": (
            lambda logits, labels: _right(logits, labels).T
        ),
    },
    hint="For each class: which pictures have this label and this answer? "
    "Take the mean of their rows.",
)

# 17b: alternating projections

Sweep = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, int]


def _constraints(generator: torch.Generator) -> Sweep:
    A, B = torch.randn(2, 2, 5, generator=generator).double()
    a, b = torch.randn(2, 2, generator=generator).double()
    x = torch.randn(5, generator=generator).double()
    sweeps = int(torch.randint(2, 6, (), generator=generator))
    return A, B, torch.linalg.pinv(A), torch.linalg.pinv(B), a, b, x, sweeps


def _step(A: Tensor, plus: Tensor, a: Tensor, x: Tensor) -> Tensor:
    return x + plus @ (a - A @ x)


def _sweep(
    A: Tensor, B: Tensor, A_plus: Tensor, B_plus: Tensor, a: Tensor,
    b: Tensor, x: Tensor, sweeps: int,
) -> Tensor:  # fmt: skip
    for _ in range(sweeps):
        x = _step(B, B_plus, b, _step(A, A_plus, a, x))
    return x


def _one_by_one(
    A: Tensor, B: Tensor, A_plus: Tensor, B_plus: Tensor, a: Tensor,
    b: Tensor, x: Tensor, sweeps: int,
) -> Tensor:  # fmt: skip
    for _ in range(sweeps):
        x = _step(A, A_plus, a, x)
    for _ in range(sweeps):
        x = _step(B, B_plus, b, x)
    return x


def _mean(
    A: Tensor, B: Tensor, A_plus: Tensor, B_plus: Tensor, a: Tensor,
    b: Tensor, x: Tensor, sweeps: int,
) -> Tensor:  # fmt: skip
    for _ in range(sweeps):
        x = (_step(A, A_plus, a, x) + _step(B, B_plus, b, x)) / 2
    return x


def _sum(
    A: Tensor, B: Tensor, A_plus: Tensor, B_plus: Tensor, a: Tensor,
    b: Tensor, x: Tensor, sweeps: int,
) -> Tensor:  # fmt: skip
    for _ in range(sweeps):
        x = x + A_plus @ (a - A @ x) + B_plus @ (b - B @ x)
    return x


def _b_first(
    A: Tensor, B: Tensor, A_plus: Tensor, B_plus: Tensor, a: Tensor,
    b: Tensor, x: Tensor, sweeps: int,
) -> Tensor:  # fmt: skip
    return _sweep(B, A, B_plus, A_plus, b, a, x, sweeps)


SWEEP = Exercise(
    key="17b",
    draw=_constraints,
    solution=_sweep,
    mistakes={
        "this is where a single sweep ends. Either you went round once, or "
        "you finished with A before you began with B: projecting twice onto "
        "the same set changes nothing.": _one_by_one,
        "you took the mean of the two projections. That converges as well, "
        "and more slowly; in turn, the second starts where the first "
        "ended.": _mean,
        "both corrections start from the same x. The second one has to see "
        "what the first has done.": _sum,
        "the order: B comes last, so that it is met exactly.": _b_first,
    },
    hint="One sweep is two back-projections of lesson 3, one after the "
    "other. At the end B x = b must hold.",
)

# 17c: an honest score


def _verdicts(generator: torch.Generator) -> tuple[Tensor, ...]:
    wanted = torch.arange(200) % 10

    def said(share: float) -> Tensor:
        wrong = torch.rand(200, generator=generator) > share
        shift = torch.randint(1, 10, (200,), generator=generator)
        return torch.where(wrong, (wanted + shift) % 10, wanted)

    return wanted, said(0.97), said(0.7), said(0.8)


def _share(hit: Tensor) -> Tensor:
    return hit.double().mean()


SCORE = Exercise(
    key="17c",
    draw=_verdicts,
    solution=lambda requested, own, judge, source: _share(
        (judge == requested)[source == requested]
    ),
    mistakes={
        "this is the network's opinion of its own work. It was made to "
        "agree.": lambda requested, own, judge, source: _share(
            own == requested
        ),
        "you compared the judge with the network. Both may be wrong in the "
        "same way: compare with what was requested.": (
            lambda requested, own, judge, source: _share(judge == own)
        ),
        "you counted pictures whose source the judge does not recognise "
        "either.": lambda requested, own, judge, source: _share(
            judge == requested
        ),
        "you divided by all pictures. Only those whose source is recognised "
        "count, above and below the line.": (
            lambda requested, own, judge, source: _share(
                (judge == requested) & (source == requested)
            )
        ),
        "you compared the judge's two answers with each other. What was "
        "requested?": lambda requested, own, judge, source: _share(
            judge == source
        ),
    },
    hint="First choose the pictures whose source is recognised. Among them, "
    "how many does the judge find right?",
)

EXERCISES = [TARGETS, SWEEP, SCORE]
