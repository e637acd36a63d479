r"""Solve a matrix once: while weights stay, and within one projection.

An orthogonal mix computes its matrix from free weights. That costs
:math:`O(C^3)`, far more than to apply it, so it should not be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")
_shared: ContextVar[dict[Hashable, object] | None] = ContextVar(
    "_shared", default=None
)


@contextmanager
def solved_once() -> Iterator[None]:
    """Share results with their autograd graph until the block ends.

    Inside, :func:`once` computes each key a single time. Blocks may nest:
    the outermost one holds the results and drops them at its end, so no
    graph outlives it. Weights must not change inside.

    Also a decorator: :meth:`pinv_edu.PseudoInvertible.project` wears it.
    A training step may enter it around its forward passes, up to and
    including ``backward()``, but not around the optimiser's step.
    """
    if _shared.get() is not None:
        yield
        return
    token = _shared.set({})
    try:
        yield
    finally:
        _shared.reset(token)


def once(key: Hashable, make: Callable[[], Result]) -> Result:
    """``make()``, or what it gave before in this :func:`solved_once`."""
    shared = _shared.get()
    if shared is None:
        return make()
    if key not in shared:
        shared[key] = make()
    return shared[key]


class Solved:
    """What was solved from weights, kept until the weights change.

    The weights are compared by value with a copy: version counters miss
    changes through ``weight.data``, and the comparison reads :math:`C^2`
    numbers where solving takes :math:`C^3` operations. Copies and pickles
    of a ``Solved`` start empty; results carry no graph.
    """

    def __init__(self) -> None:
        self._kept: tuple[list[Tensor], dict[torch.dtype, Tensor]] = [], {}

    def __call__(
        self,
        weights: Sequence[Tensor],
        dtype: torch.dtype,
        solve: Callable[[], Tensor],
    ) -> Tensor:
        """``solve()`` in ``dtype``, computed anew only if weights differ."""
        before, results = self._kept
        # Tensors made in inference mode could not serve a later backward.
        with torch.inference_mode(False), torch.no_grad():
            if not _same(before, weights):
                before, results = [w.clone() for w in weights], {}
            if dtype not in results:
                results[dtype] = solve().to(dtype)
        self._kept = before, results
        return results[dtype]

    def __reduce__(self) -> tuple[type[Solved], tuple[()]]:
        return Solved, ()


def _same(before: Sequence[Tensor], now: Sequence[Tensor]) -> bool:
    return len(before) == len(now) and all(
        a.dtype == b.dtype and a.device == b.device and torch.equal(a, b)
        for a, b in zip(before, now)
    )
