r"""Operators one after another, with the completion of all of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pinv_edu.base import PseudoInvertible
from pinv_edu.codes import Code, combine, part, per_item, shifted


class Chain(PseudoInvertible):
    r"""Composition :math:`g = g_k \circ \dots \circ g_1`, first stage first.

    Its completion stacks the null coordinates of all stages, so that
    :math:`g^\dagger = g_1^\dagger \circ \dots \circ g_k^\dagger` is a
    pseudo-inverse for that completion. A chain of linear stages is in
    general *not* the Moore-Penrose inverse of the product: see
    :class:`~pinv_edu.LinearComposition` for that one.

    Exact back-projection needs every stage but the last to be onto.

    Parameters
    ----------
    stages
        Operators in order of application; shapes must fit.

    Raises
    ------
    ValueError
        If there is no stage or two neighbours' shapes differ.
    """

    def __init__(self, *stages: PseudoInvertible) -> None:
        check_stages(stages)
        super().__init__(stages[0].in_shape, stages[-1].out_shape)
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> Tensor:
        """Measure through every stage."""
        x = self.check_x(x)
        for stage in self.stages:
            x = stage(x)
        return x

    def complete(self, x: Tensor) -> tuple[Tensor, Code]:
        """Last measurement, and the null coordinates of every stage."""
        x, codes = self.check_x(x), []
        for stage in self.stages:
            x, z = stage.complete(x)
            codes.append(z)
        return x, tuple(codes)

    def complete_inverse(self, y: Tensor, z: Code) -> Tensor:
        """Undo the stages backwards, each with its own coordinates."""
        y = self.check_y(y)
        if not isinstance(z, tuple) or len(z) != len(self.stages):
            raise ValueError(
                f"z must be a tuple with one entry for each of the "
                f"{len(self.stages)} stages: take it from complete(x) or "
                f"null_code(y)"
            )
        for stage, code in zip(reversed(self.stages), reversed(z)):
            y = stage.complete_inverse(y, code)
        return y

    def null_code(self, y: Tensor) -> Code:
        """Codes that the stages' pseudo-inverses pick, walking backwards."""
        y, codes = self.check_y(y), []
        for stage in reversed(self.stages):
            codes.append(stage.null_code(y))
            if len(codes) < len(self.stages):
                y = stage.complete_inverse(y, codes[-1])
        return tuple(reversed(codes))

    def pinv(self, y: Tensor) -> Tensor:
        r"""Return :math:`g_1^\dagger(\dots g_k^\dagger(y))`."""
        y = self.check_y(y)
        for stage in reversed(self.stages):
            y = stage.pinv(y)
        return y

    def _move(
        self, x: Tensor, y: Tensor, strength: float | Tensor, code: Code | None
    ) -> Tensor:
        r"""Move as the base class does, in one walk back instead of three.

        :math:`q^*(y)`, :math:`q^*(g(x))` and :math:`G^{-1}` walk the chain
        backwards; here all three go as one batch. A network :math:`S, T`
        of a surjective stage is called once forwards and once backwards,
        with three times the batch (twice, if ``code`` is given);
        :math:`r` sees it twice (once), and the first stage inverts only
        the result. The authors' loop makes seven passes.
        """
        if code is not None:
            self._check_code(code)
        y_x, z_x = self.complete(x)
        target = torch.lerp(y_x, y, per_item(strength, y))
        walk = torch.cat([target, y_x, *([y] if code is None else [])])
        for i in reversed(range(len(self.stages))):
            own = self.stages[i].null_code(walk[len(x) :])
            new = part(own, len(x), None) if code is None else code[i]
            moved = shifted(z_x[i], strength, new, part(own, 0, len(x)))
            if i > 0:
                codes = combine(lambda *c: torch.cat(c), moved, own)
                walk = self.stages[i].complete_inverse(walk, codes)
        return self.stages[0].complete_inverse(walk[: len(x)], moved)

    def _check_code(self, code: Code) -> None:
        if not isinstance(code, tuple) or len(code) != len(self.stages):
            raise ValueError(
                f"codes differ in structure: code must be a tuple with one "
                f"entry for each of the {len(self.stages)} stages: take it "
                f"from null_code(y) of the same operator"
            )

    def _project_centred(
        self, x: Tensor, y: Tensor, strength: float | Tensor
    ) -> Tensor:
        seen = [x]
        for stage in self.stages:
            seen.append(stage(seen[-1]))
        target = torch.lerp(seen[-1], y, per_item(strength, y))
        for stage, before in zip(reversed(self.stages), reversed(seen[:-1])):
            target = stage.project(before, target, completion="centred")
        return target


def check_stages(stages: Sequence[PseudoInvertible]) -> None:
    """Raise unless ``stages`` is non-empty and its shapes fit together."""
    if not stages:
        raise ValueError("give at least one operator")
    for stage in stages:
        if not isinstance(stage, PseudoInvertible):
            raise TypeError(
                f"every stage must be a PseudoInvertible operator, got "
                f"{type(stage).__name__}"
            )
    for i, (first, second) in enumerate(itertools.pairwise(stages)):
        if first.out_shape != second.in_shape:
            raise ValueError(
                f"stage {i} ({type(first).__name__}) gives "
                f"{first.out_shape}, stage {i + 1} "
                f"({type(second).__name__}) takes {second.in_shape}"
            )
