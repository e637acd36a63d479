"""What a training leaves behind: one row for each look at it."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.base import PseudoInvertible
from pinv_edu.laws import penrose_residuals, relative

Row = dict[str, float]


class History(list[Row]):
    """Rows of a training, in order; each is a dict of numbers.

    Keys: ``phase``, ``step``, ``seconds``, ``loss`` (mean since the last
    row), its parts (``task``, ``reconstruction``, ``inverse``,
    ``natural``), ``validation`` if there are validation pairs, and the
    residuals of the identities: ``right inverse``, ``P1``, ``P2``,
    ``round trip``. Row 0 of each phase is from before the first step.

    Attributes
    ----------
    stopped
        Why the training ended: ``"steps"``, ``"seconds"`` or
        ``"patience"``.
    """

    stopped: str = ""

    def column(self, name: str, phase: int | None = None) -> list[float]:
        """Return one number of each row (of one phase) that has it.

        Raises
        ------
        KeyError
            If no row has it; names those there are.
        """
        rows = [row for row in self if phase in (None, row["phase"])]
        if not any(name in row for row in rows):
            known = sorted({key for row in rows for key in row})
            raise KeyError(f"no column {name!r}: there are {known}")
        return [row[name] for row in rows if name in row]


@torch.no_grad()
def identities(g: PseudoInvertible, x: Tensor) -> Row:
    r"""Relative residuals of the laws on the batch ``x``.

    .. math::
        g g^\dagger = id, \quad g g^\dagger g = g, \quad
        g^\dagger g g^\dagger = g^\dagger, \quad G^{-1}(G(x)) = x .
    """
    trip = relative(g.complete_inverse(*g.complete(x)), x)
    return penrose_residuals(g, x) | {"round trip": trip}
