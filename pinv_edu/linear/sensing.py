r"""Compressed sensing: a few rows of an orthonormal transform."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pinv_edu.checks import check_divides, check_ratio, check_shape
from pinv_edu.linear.isometry import ScaledIsometry


class WalshHadamard(ScaledIsometry):
    r"""A random share of Walsh–Hadamard coefficients; :math:`c = 1`.

    :math:`A = P H` with the orthonormal two-dimensional transform
    :math:`H` and a random choice :math:`P` of coefficients, the same for
    all channels; the mean is always among them. The fast transform costs
    O(n log n). Where a side is :math:`2^a b` with odd :math:`b > 1` (there
    is no Hadamard matrix of odd order), :math:`H` is the Kronecker product
    with an orthonormal cosine transform of order :math:`b`.

    Parameters
    ----------
    shape
        Event shape (H, W) or (C, H, W). ``y`` has shape (C, m) or (m,)
        with m = round(ratio H W).
    ratio
        Share of coefficients kept, in (0, 1].
    seed
        Of the random choice.
    """

    kept: Tensor
    incoherent = True

    def __init__(
        self, shape: Sequence[int], ratio: float, seed: int = 0
    ) -> None:
        shape = check_shape(shape, dims=(2, 3))
        n = shape[-2] * shape[-1]
        m = max(1, round(check_ratio(ratio) * n))
        out = (*shape[:-2], m)
        rank = torch.Size(out).numel()
        super().__init__(shape, out, scale=1.0, rank=rank)
        generator = torch.Generator().manual_seed(seed)
        others = 1 + torch.randperm(n - 1, generator=generator)[: m - 1]
        kept = torch.cat([torch.zeros(1, dtype=torch.long), others])
        self.register_buffer("kept", kept.sort().values)
        self.factors = [
            f for side in shape[-2:] for f in _orthonormal_factors(side)
        ]

    def forward(self, x: Tensor) -> Tensor:
        """Transform, then keep some coefficients."""
        flat = self.check_x(x).flatten(-2)
        for factor in self.factors:
            flat = _cycle(flat, factor)
        return flat.gather(-1, self.kept.expand(len(x), *self.out_shape))

    def adjoint(self, y: Tensor) -> Tensor:
        """Put the coefficients back, zeros elsewhere; transform back."""
        y = self.check_y(y)
        nothing = y.new_zeros(*y.shape[:-1], math.prod(self.in_shape[-2:]))
        flat = nothing.scatter(-1, self.kept.expand_as(y), y)
        for factor in self.factors:
            flat = _cycle(flat, factor.T)
        return flat.reshape(len(y), *self.in_shape)


def _cycle(x: Tensor, factor: Tensor) -> Tensor:
    """Apply a Kronecker factor to the first digit of the last axis.

    The digit moves to the end: after all factors they are in order again.
    """
    digits = x.unflatten(-1, (len(factor), -1))
    return (digits.mT @ factor.to(x).T).flatten(-2)


def _orthonormal_factors(side: int) -> list[Tensor]:
    """Small orthonormal matrices whose Kronecker product has order side."""
    odd = side // (side & -side)
    powers = (side & -side).bit_length() - 1
    factors = [_hadamard(4) for _ in range(powers // 4)]
    if powers % 4:
        factors.append(_hadamard(powers % 4))
    return factors + ([_cosine(odd)] if odd > 1 else [])


def _hadamard(powers: int) -> Tensor:
    """Orthonormal Hadamard matrix of order 2**powers, float64."""
    step = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
    h = torch.ones(1, 1, dtype=torch.float64)
    for _ in range(powers):
        h = torch.kron(h, step / math.sqrt(2))
    return h


def _cosine(n: int) -> Tensor:
    """Orthonormal cosine transform (DCT-II) of order n, float64."""
    k = torch.arange(n, dtype=torch.float64)
    matrix = torch.cos(math.pi / n * k[:, None] * (k + 0.5))
    matrix[0] /= math.sqrt(2)
    return matrix * math.sqrt(2 / n)


class BlockSensing(ScaledIsometry):
    r"""Random orthonormal measurements of every block; :math:`c = 1`.

    Each ``block x block`` patch of each channel is measured by the same
    matrix :math:`\Phi` with orthonormal rows, drawn uniformly.

    Parameters
    ----------
    shape
        Event shape (H, W) or (C, H, W). ``y`` has shape
        (C, m, H / block, W / block) with m = round(ratio block^2).
    ratio
        Measurements per pixel, in (0, 1].
    block
        Side of a block, a divisor of H and W.
    seed
        Of the random matrix.
    """

    phi: Tensor
    incoherent = True

    def __init__(
        self,
        shape: Sequence[int],
        ratio: float,
        block: int = 8,
        seed: int = 0,
    ) -> None:
        shape = check_shape(shape, dims=(2, 3))
        b = check_divides(shape, block, "block")
        m = max(1, round(check_ratio(ratio) * b * b))
        out = (*shape[:-2], m, shape[-2] // b, shape[-1] // b)
        rank = torch.Size(out).numel()
        super().__init__(shape, out, scale=1.0, rank=rank)
        generator = torch.Generator().manual_seed(seed)
        gauss = torch.randn(b * b, m, generator=generator, dtype=torch.float64)
        q, r = torch.linalg.qr(gauss)
        self.register_buffer("phi", (q * r.diagonal().sign()).T.contiguous())
        self.block = b

    def forward(self, x: Tensor) -> Tensor:
        r"""Return :math:`\Phi` times every block."""
        x, b = self.check_x(x), self.block
        *lead, height, width = x.shape
        blocks = x.reshape(*lead, height // b, b, width // b, b)
        flat = blocks.transpose(-3, -2).flatten(-2)  # (.., H/b, W/b, b * b)
        return (flat @ self.phi.to(x.dtype).T).movedim(-1, -3)

    def adjoint(self, y: Tensor) -> Tensor:
        r"""Return :math:`\Phi^\top` times every block's measurements."""
        y, b = self.check_y(y), self.block
        blocks = y.movedim(-3, -1) @ self.phi.to(y.dtype)
        tiles = blocks.unflatten(-1, (b, b)).transpose(-3, -2)
        return tiles.reshape(len(y), *self.in_shape)
