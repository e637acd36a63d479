r"""SPNN: a chain of bijections and surjective blocks, and its helpers."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from pinv_edu.base import Chain, Code, PseudoInvertible, combine, per_item
from pinv_edu.bijections import Bijection
from pinv_edu.bijections.base import constant_log_det
from pinv_edu.checks import check_shape, check_strength
from pinv_edu.solving import solved_once
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
    :meth:`project` gives the point of the base class in fewer network
    calls.

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

    @solved_once()
    def project(
        self,
        x: Tensor,
        y: Tensor,
        strength: float | Tensor = 1.0,
        *,
        completion: str = "raw",
        code: Code | None = None,
    ) -> Tensor:
        r"""Non-linear back-projection, every network called just twice.

        The result is that of :meth:`PseudoInvertible.project`, whose
        parameters these are. There :math:`q^*(y)`, :math:`q^*(g(x))` and
        :math:`G^{-1}` walk the chain backwards one after another. Here
        one walk takes all three as one batch: a network :math:`S, T` sees
        the batch once forwards and three times (twice, if ``code`` is
        given) backwards; :math:`r` sees it twice (once), and the first
        stage inverts only the result. The authors' loop makes seven
        passes.
        """
        if completion != "raw":
            return super().project(x, y, strength, completion=completion)
        x, y = self._check_pair(x, y)
        strength = check_strength(strength, x)
        if code is not None:
            code = self._check_code(code)
        y_x, z_x = self.complete(x)
        target = torch.lerp(y_x, y, per_item(strength, y))
        beside = [y_x] if code is not None else [y_x, y]
        walk = torch.cat([target, *beside])
        for i in range(len(self.stages) - 1, -1, -1):
            own = self.stages[i].null_code(walk[len(x) :])
            new = code[i] if code is not None else _part(own, len(x), None)
            moved = combine(
                lambda z, new, old: z + per_item(strength, z) * (new - old),
                z_x[i],
                new,
                _part(own, 0, len(x)),
            )
            if i > 0:
                codes = combine(lambda *c: torch.cat(c), moved, own)
                walk = self.stages[i].complete_inverse(walk, codes)
        return self.stages[0].complete_inverse(walk[: len(x)], moved)

    def _check_code(self, code: Code) -> Code:
        if not isinstance(code, tuple) or len(code) != len(self.stages):
            raise ValueError(
                f"code must be a tuple with one entry for each of the "
                f"{len(self.stages)} stages: take it from null_code(y)"
            )
        return code

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


def _part(code: Code, start: int, stop: int | None) -> Code:
    """Codes of some items of the batch."""
    return combine(lambda c: c[start:stop], code)


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


def leaves(code: Code) -> Iterator[Tensor]:
    """Yield the tensors of a code, outermost first."""
    if isinstance(code, Tensor):
        yield code
        return
    for part in code:
        yield from leaves(part)


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
