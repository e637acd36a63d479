"""Update of a Gaussian by a linear measurement, exact in every limit."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinv_edu.linear import LinearOperator, MatrixOperator
from pinv_edu.linear.spectra import default_rcond


def matrix_of(A: LinearOperator | Tensor, d: int) -> Tensor:
    """Matrix (m, d) of an operator on vectors, float64."""
    op = A if isinstance(A, LinearOperator) else MatrixOperator(A)
    if op.in_shape != (d,):
        raise ValueError(
            f"A must act on vectors of {d} numbers, it takes {op.in_shape}"
        )
    return op(torch.eye(d, dtype=torch.float64)).flatten(1).T


def independent_rows(matrix: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Drop measurements that say nothing new; they must not contradict."""
    u, s, vt = torch.linalg.svd(matrix, full_matrices=False)
    kept = s > s.max() * default_rcond(*matrix.shape, matrix.dtype)
    u = u[:, kept]
    # single-precision measurements contradict each other by rounding
    if float((y - u @ (u.T @ y)).norm()) > 1e-6 * float(y.norm()):
        raise ValueError(
            "y is not in the range of A: without noise (sigma=0) no x "
            "explains it; give sigma > 0"
        )
    return s[kept, None] * vt[kept], u.T @ y


def kalman(
    mu: Tensor, root: Tensor, matrix: Tensor, y: Tensor, sigma: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mean, covariance, log evidence and its rank, of one component.

    ``root`` is a square root of the covariance: what is left of it is
    accurate where little is left, and symmetric.
    """
    seen = matrix @ root
    eye = torch.eye(len(y), dtype=torch.float64)
    values, axes = torch.linalg.eigh(seen @ seen.T + sigma**2 * eye)
    values = values.clamp(min=sigma**2)
    size = matrix.norm() * root.norm()
    kept = values > (0 if sigma else 1e-13 * size**2)
    inverse = torch.where(kept, 1 / values, 0.0)
    gain = root @ seen.T @ (axes * inverse) @ axes.T
    left = torch.cat([root - gain @ seen, sigma * gain], 1)
    u, s, _ = torch.linalg.svd(left, full_matrices=False)
    s = torch.where(s > 1e-13 * root.norm(), s, 0.0)
    error = y - matrix @ mu
    along = axes.T @ error
    spread = torch.where(kept, (2 * math.pi * values).log(), 0.0)
    evidence = -0.5 * (along**2 * inverse + spread).sum()
    scale = y.norm() + (matrix @ mu).norm()
    if bool((along[~kept].abs() > 1e-6 * scale).any()):
        evidence = torch.full_like(evidence, -math.inf)
    return mu + gain @ error, (u * s**2) @ u.T, evidence, kept.sum()
