r"""An operator given by its matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.checks import as_constant, check_finite, check_rcond
from pinv_edu.linear.operator import LinearOperator
from pinv_edu.linear.spectra import DenseSVD


class MatrixOperator(LinearOperator):
    r""":math:`y = Ax` for a dense matrix of any shape and rank.

    Parameters
    ----------
    matrix
        (m, n), a tensor, an array or nested lists; integers and Python
        numbers become float64.
    rcond
        Singular values up to ``rcond`` times the largest count as zero:
        the operator is then the nearest matrix of lower rank, in the
        measurement as in the inverse. The default is
        max(m, n) times the rounding unit of the matrix's type, as in
        ``numpy.linalg.matrix_rank``.

    Raises
    ------
    ValueError
        If the matrix is not two-dimensional or not finite.
    TypeError
        If it does not hold real numbers.
    """

    matrix: Tensor

    def __init__(self, matrix: Tensor, rcond: float | None = None) -> None:
        given = as_constant(matrix, "matrix")
        if not given.is_floating_point():
            given = given.to(torch.float64)
        if given.dim() != 2:
            raise ValueError(
                f"matrix must have two dimensions (m, n), "
                f"got {tuple(given.shape)}"
            )
        check_finite(given, "matrix")
        m, n = given.shape
        super().__init__((n,), (m,))
        if rcond is not None:
            check_rcond(rcond)
        self.svd = DenseSVD(given, (n,), (m,), rcond)
        exact = rcond is None and given.dtype == torch.float64
        whole = exact or bool((self.svd.values > 0).all())
        kept = given.double() if whole else self.svd.matrix()
        self.register_buffer("matrix", kept)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply by the matrix."""
        x = self.check_x(x)
        return x @ self.matrix.to(x.dtype).T

    def adjoint(self, y: Tensor) -> Tensor:
        """Multiply by its transpose."""
        y = self.check_y(y)
        return y @ self.matrix.to(y.dtype)

    def _spectrum(self) -> DenseSVD:
        return self.svd
