r"""Haar's orthonormal basis for the pixels of a block."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.bijections.base import check_count


def haar(n: int) -> Tensor:
    r"""Haar's basis of :math:`\mathbb R^n`, n a power of two, in rows.

    .. math::
        H_1 = 1, \qquad H_{2n} = \tfrac{1}{\sqrt2} \begin{bmatrix}
        H_n \otimes (1, 1) \\ I_n \otimes (1, -1) \end{bmatrix}

    The first row is constant; float64, :math:`H H^\top = I`.
    """
    rows = torch.ones(1, 1, dtype=torch.float64)
    while len(rows) < n:
        fine = torch.eye(len(rows), dtype=rows.dtype)
        means = torch.kron(rows, rows.new_tensor([[1, 1]]))
        details = torch.kron(fine, rows.new_tensor([[1, -1]]))
        rows = torch.cat([means, details]) * 0.5**0.5
    return rows


def haar_start(channels: int, block: int) -> Tensor:
    r"""Haar's basis of every ``block`` x ``block`` block, low-passes first.

    For channels in the order of :class:`~pinv_edu.PixelUnshuffle`,
    colour · block² + pixel. Row (filter · colours + colour) has filter
    ``filter`` on that colour; filter 0 is the constant 1 / block.

    Raises
    ------
    ValueError
        If ``block`` is no power of two or its square does not divide
        ``channels``.
    """
    check_count(block, "block")
    if block & (block - 1) or channels % block**2:
        raise ValueError(
            f"start='haar' needs a block side that is a power of two and "
            f"whose square divides the {channels} channels, got "
            f"block={block}; start='identity' works for any number"
        )
    filters = torch.kron(haar(block), haar(block))
    colours = torch.eye(channels // block**2, dtype=filters.dtype)
    rows = torch.einsum("fp,cd->fcdp", filters, colours)
    return rows.reshape(channels, channels)
