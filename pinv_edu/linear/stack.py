r"""Several linear measurements of one picture, as a single operator."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pinv_edu.base import PseudoInvertible
from pinv_edu.linear.operator import LinearOperator


class LinearStack(LinearOperator):
    r"""Operators below one another, with their common :math:`A^+`.

    .. math::
        A = \begin{pmatrix} A_1 \\ \vdots \\ A_k \end{pmatrix}, \qquad
        A^\top y = A_1^\top y_1 + \dots + A_k^\top y_k .

    :math:`A^+` is the true one (dense or by conjugate gradients, see
    :mod:`pinv_edu.linear.spectra`): ``project`` is the nearest point that
    agrees with all of them, and where they contradict each other the one
    with the least sum of squares.

    Parameters
    ----------
    operators
        Linear operators on the same shape. ``y`` holds their measurements
        one after the other, shape (B, m), m the sum of their sizes.

    Raises
    ------
    ValueError
        If there is none or the shapes of ``x`` differ.
    TypeError
        If one is not linear.
    """

    def __init__(self, *operators: LinearOperator) -> None:
        check_same_input(operators)
        for operator in operators:
            if not isinstance(operator, LinearOperator):
                raise TypeError(
                    f"{type(operator).__name__} is not a LinearOperator: "
                    f"use AlternatingProjections for non-linear constraints"
                )
        super().__init__(operators[0].in_shape, (total_size(operators),))
        self.operators = nn.ModuleList(operators)

    def forward(self, x: Tensor) -> Tensor:
        """Measure with each operator, in order."""
        x = self.check_x(x)
        return torch.cat([a(x).flatten(1) for a in self.operators], dim=1)

    def adjoint(self, y: Tensor) -> Tensor:
        """Add the adjoints of the parts."""
        parts = split_measurement(self.operators, self.check_y(y))
        return sum(a.adjoint(p) for a, p in zip(self.operators, parts))


def check_same_input(operators: Sequence[PseudoInvertible]) -> None:
    """Raise unless there are operators, all on the same shape of x."""
    if not operators:
        raise ValueError("give at least one operator")
    for operator in operators:
        if not isinstance(operator, PseudoInvertible):
            raise TypeError(
                f"every constraint must be a PseudoInvertible operator, got "
                f"{type(operator).__name__}"
            )
    shapes = {operator.in_shape for operator in operators}
    if len(shapes) > 1:
        raise ValueError(
            f"the operators must take the same shape of x, got "
            f"{sorted(shapes)}"
        )


def total_size(operators: Sequence[PseudoInvertible]) -> int:
    """Return how many numbers all operators measure together."""
    return sum(torch.Size(a.out_shape).numel() for a in operators)


def split_measurement(
    operators: Sequence[PseudoInvertible], y: Tensor
) -> list[Tensor]:
    """Cut (B, m) into the measurements of the operators, in their shapes."""
    sizes = [torch.Size(a.out_shape).numel() for a in operators]
    parts = y.split(sizes, dim=1)
    return [p.reshape(-1, *a.out_shape) for a, p in zip(operators, parts)]
