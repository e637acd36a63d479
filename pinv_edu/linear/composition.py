r"""The Moore-Penrose inverse of a product of operators."""

from __future__ import annotations

from torch import Tensor, nn

from pinv_edu.chain import check_stages
from pinv_edu.linear.operator import LinearOperator


class LinearComposition(LinearOperator):
    r"""Product :math:`A = A_k \cdots A_1` with its true :math:`A^+`.

    In general :math:`A^+ \ne A_1^+ \cdots A_k^+`, which is what a
    :class:`~pinv_edu.Chain` of the same operators uses. The price of the
    true one depends on the product: nothing where :math:`AA^\top` is
    diagonal (masking, then gray, then pooling), one small dense SVD, FFTs
    where :math:`AA^\top` is a periodic convolution (blur, then pooling), or
    conjugate gradients to a relative tolerance of 1e-10 (see
    :mod:`pinv_edu.linear.spectra`).

    Parameters
    ----------
    operators
        Linear operators in order of application, as in a chain.

    Raises
    ------
    ValueError
        If there is none or two neighbours' shapes differ.
    TypeError
        If one is not linear.
    """

    def __init__(self, *operators: LinearOperator) -> None:
        check_stages(operators)
        for operator in operators:
            if not isinstance(operator, LinearOperator):
                raise TypeError(
                    f"{type(operator).__name__} is not a LinearOperator: "
                    f"use Chain for non-linear stages"
                )
        super().__init__(operators[0].in_shape, operators[-1].out_shape)
        self.operators = nn.ModuleList(operators)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the operators one after the other."""
        x = self.check_x(x)
        for operator in self.operators:
            x = operator(x)
        return x

    def adjoint(self, y: Tensor) -> Tensor:
        """Apply the adjoints in reverse order."""
        y = self.check_y(y)
        for operator in reversed(self.operators):
            y = operator.adjoint(y)
        return y
