r"""Several constraints at once: projections in turn."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pinv_edu.base import Code, PseudoInvertible
from pinv_edu.linear.stack import (
    check_same_input,
    split_measurement,
    total_size,
)

NO_COMPLETION = (
    "constraints in turn have no joint completion: use project, or for "
    "linear operators LinearStack, which has one"
)


class AlternatingProjections(PseudoInvertible):
    r"""Constraints :math:`g_1(x) = y_1, \dots, g_k(x) = y_k` together.

    ``project`` projects onto one after the other, in turn and ``sweeps``
    times:

    .. math::
        P = \bigl(P_k \cdots P_2 P_1\bigr)^s, \qquad
        P_i(x) = g_i.\mathrm{project}(x, y_i, \lambda) .

    The last constraint holds exactly afterwards (for :math:`\lambda = 1`),
    the others as nearly as the sweeps have come: :meth:`residuals` says.

    *Linear, no contradiction:* the sweeps converge to the nearest point
    that fulfils all, which :class:`~pinv_edu.LinearStack` finds at once;
    for two constraints the distance shrinks by :math:`\cos^2\theta` a
    sweep, :math:`\theta` the angle between the two spaces.
    *Linear, contradicting:* they run into a cycle of k points.
    *Not linear:* every move should be the shortest one, or nearly. Then the
    sweeps converge near a crossing (Lewis, Luke, Malick 2009). Non-linear
    back-projection is exact but not shortest: taken in turn with others it
    may run away, and :class:`~pinv_edu.GaussNewtonStep` is for that. Measure.

    It is an operator for :func:`~pinv_edu.ddnm`, without a completion: one
    for several constraints together is known only for special cases.

    Parameters
    ----------
    operators
        Pseudo-invertible operators on the same shape, the one that must be
        exact last. ``y`` holds their measurements one after the other,
        shape (B, m); :meth:`join` makes it of its parts.
    sweeps
        How often to go round in one ``project``.

    Raises
    ------
    ValueError
        If there is no operator, shapes of ``x`` differ or sweeps < 1.

    References
    ----------
    von Neumann (1950), Functional Operators II, Chapter 13 (two
    subspaces); Bregman (1965) (convex sets); Bauschke and Borwein (1996).
    """

    def __init__(self, *operators: PseudoInvertible, sweeps: int = 10) -> None:
        check_same_input(operators)
        if not isinstance(sweeps, int) or sweeps < 1:
            raise ValueError(
                f"sweeps must be a positive integer, got {sweeps!r}"
            )
        super().__init__(operators[0].in_shape, (total_size(operators),))
        self.operators = nn.ModuleList(operators)
        self.sweeps = sweeps

    def forward(self, x: Tensor) -> Tensor:
        """Measure with each operator: (B, m)."""
        x = self.check_x(x)
        return self.join(*(g(x) for g in self.operators))

    def join(self, *parts: Tensor) -> Tensor:
        """Write the measurements of the operators into one ``y``, (B, m).

        Raises
        ------
        ValueError
            If there is not one part for each operator, of its shape.
        """
        if len(parts) != len(self.operators):
            raise ValueError(
                f"give one measurement for each of the "
                f"{len(self.operators)} operators, got {len(parts)}"
            )
        rows = [
            g.check_y(part).flatten(1)
            for g, part in zip(self.operators, parts)
        ]
        return torch.cat(rows, dim=1)

    def split(self, y: Tensor) -> list[Tensor]:
        """Undo :meth:`join`."""
        return split_measurement(self.operators, self.check_y(y))

    def null_code(self, y: Tensor) -> Code:
        """Null codes of the operators, one after the other."""
        pairs = zip(self.operators, self.split(y))
        return tuple(g.null_code(part) for g, part in pairs)

    def pinv(self, y: Tensor) -> Tensor:
        """Project the zero picture; for a linear stack this tends to A⁺y."""
        y = self.check_y(y)
        return self.project(y.new_zeros(len(y), *self.in_shape), y)

    def project(
        self,
        x: Tensor,
        y: Tensor,
        strength: float | Tensor = 1.0,
        *,
        completion: str = "raw",
        code: Code | None = None,
    ) -> Tensor:
        r"""Project onto each constraint in turn, ``sweeps`` times.

        Parameters
        ----------
        x, y
            Estimate (B, \*in_shape) and measurements (B, m).
        strength
            :math:`\lambda` of every single projection.
        completion
            As in :meth:`PseudoInvertible.project`, for every operator.
        code
            ``null_code(y)`` if it is known already.
        """
        x, y = self._check_pair(x, y)
        *_, last = self._walk(x, y, strength, completion, code)
        return last

    def residuals(self, x: Tensor, y: Tensor) -> Tensor:
        r"""Distances from all constraints, before and after each sweep.

        Returns
        -------
        Tensor
            :math:`\|g_i(x) - y_i\|`, shape (sweeps + 1, k, B).
        """
        x, y = self._check_pair(x, y)
        places = [x, *self._walk(x, y, 1.0, "raw", None)]
        return torch.stack([self._distances(p, y) for p in places])

    def _walk(
        self,
        x: Tensor,
        y: Tensor,
        strength: float | Tensor,
        completion: str,
        code: Code | None,
    ) -> Iterator[Tensor]:
        codes = self.null_code(y) if code is None else code
        parts = self.split(y)
        for _ in range(self.sweeps):
            for g, part, known in zip(self.operators, parts, codes):
                x = g.project(
                    x, part, strength, completion=completion, code=known
                )
            yield x

    def _distances(self, x: Tensor, y: Tensor) -> Tensor:
        pairs = zip(self.operators, self.split(y))
        rows = [(g(x) - part).flatten(1).norm(dim=1) for g, part in pairs]
        return torch.stack(rows)

    def complete(self, x: Tensor) -> tuple[Tensor, Code]:
        """Not to be had: see the class."""
        raise NotImplementedError(NO_COMPLETION)

    def complete_inverse(self, y: Tensor, z: Code) -> Tensor:
        """Not to be had: see the class."""
        raise NotImplementedError(NO_COMPLETION)
