r"""SPNN: a chain of bijections and surjective blocks, and its helpers."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pinv_edu.base import PseudoInvertible
from pinv_edu.bijections import Bijection
from pinv_edu.bijections.base import constant_log_det
from pinv_edu.chain import Chain
from pinv_edu.checks import check_shape
from pinv_edu.codes import Code
from pinv_edu.spnn.coupling import SurjectiveCoupling, check_code


class Flatten(Bijection):
    r"""Write a picture as a vector: (C, H, W) to (C H W,).

    Entry :math:`(c, i, j)` goes to :math:`(c H + i) W + j`: for a square
    picture the channel order of ``PixelUnshuffle(shape, H)``.

    Parameters
    ----------
    shape
        Event shape of any number of dimensions.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        shape = check_shape(shape)
        super().__init__(shape, (math.prod(shape),))

    def forward(self, x: Tensor) -> Tensor:
        """Picture to vector."""
        return self.check_x(x).flatten(1)

    def inverse(self, y: Tensor) -> Tensor:
        """Vector to picture."""
        return self.check_y(y).reshape(len(y), *self.in_shape)

    def log_det(self, x: Tensor) -> Tensor:
        """Zero: nothing but the shape changes."""
        return constant_log_det(self.check_x(x), 0.0)


class SPNN(Chain):
    r"""Surjective pseudo-invertible neural network.

    A :class:`~pinv_edu.Chain` of bijections and surjective couplings that
    ends in a flat vector (logits) or in a picture:

    .. math::
        g = g_k \circ \dots \circ g_1, \qquad
        g^\dagger = g_1^\dagger \circ \dots \circ g_k^\dagger, \qquad
        g g^\dagger = id,

    the last for any weights, trained or not, because each stage has it.

    Parameters
    ----------
    blocks
        Stages in order of application; shapes must fit.

    Raises
    ------
    ValueError, TypeError
        If shapes do not fit or a block is no operator.

    References
    ----------
    Ehrlich, Berman, Shocher (2026), arXiv 2602.06042.
    """

    def with_code(self, code: str) -> SPNN:
        r"""Return the same network (shared weights) with another null code.

        ``g`` stays the same; :math:`g^\dagger` picks other points of the
        same fibres: ``"learned"`` by the networks ``r``, ``"natural"`` with
        code zero.

        Raises
        ------
        ValueError
            If the code is unknown, or learned where a block has no ``r``.
        """
        check_code(code)
        return _with_code(self, code)


def _with_code(module: PseudoInvertible, code: str) -> PseudoInvertible:
    """Copy chains and surjective blocks, share all else."""
    twin = copy.copy(module)
    if isinstance(module, SurjectiveCoupling):
        if code == "learned" and module.r is None:
            raise ValueError(
                "a block was made with code='natural' and has no network r: "
                "make it with code='learned'"
            )
        twin.code = code
    elif isinstance(module, Chain):
        twin._modules = dict(module._modules)
        twin.stages = torch.nn.ModuleList(
            _with_code(stage, code) for stage in module.stages
        )
    return twin


def surjective_blocks(g: PseudoInvertible) -> list[SurjectiveCoupling]:
    """Return the surjective couplings of ``g``, first one first."""
    return [m for m in g.modules() if isinstance(m, SurjectiveCoupling)]


def pinv_with_code(g: PseudoInvertible, y: Tensor) -> tuple[Tensor, Code]:
    r"""Return :math:`g^\dagger(y)` and the code it used, in one walk."""
    if not isinstance(g, Chain):
        code = g.null_code(y)
        return g.complete_inverse(y, code), code
    y, codes = g.check_y(y), []
    for stage in reversed(g.stages):
        y, code = pinv_with_code(stage, y)
        codes.append(code)
    return y, tuple(reversed(codes))
