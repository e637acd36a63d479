r"""The one abstraction of the course: a map with a completion.

A degradation :math:`g : X \to Y` loses information. Its completion
:math:`G(x) = [g(x) \mid q(x)]` keeps what :math:`g` loses, so that
:math:`G` can be inverted. Everything else follows from :math:`G`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from pinv_edu.checks import (
    Shape,
    check_batch,
    check_finite,
    check_shape,
    check_strength,
)
from pinv_edu.solving import solved_once

Code = Tensor | tuple["Code", ...]
"""Null coordinates: a tensor, or a (nested, perhaps empty) tuple of them."""


def combine(function: Callable[..., Tensor], *codes: Code) -> Code:
    """Apply ``function`` tensor by tensor to codes of equal structure.

    Raises
    ------
    ValueError
        If the structures differ.
    """
    if all(isinstance(code, Tensor) for code in codes):
        return function(*codes)
    if any(isinstance(code, Tensor) for code in codes) or (
        len({len(code) for code in codes}) > 1
    ):
        raise ValueError(
            "codes differ in structure: take them from complete(x) or "
            "null_code(y) of the same operator"
        )
    return tuple(combine(function, *part) for part in zip(*codes))


def per_item(strength: float | Tensor, like: Tensor) -> float | Tensor:
    """Shape one number for each item of a batch so that it multiplies."""
    if not isinstance(strength, Tensor):
        return strength
    return strength.reshape(-1, *[1] * (like.dim() - 1))


class PseudoInvertible(nn.Module):
    r"""A map :math:`g` with a completion :math:`G` and a pseudo-inverse.

    Subclasses give :meth:`complete`, :meth:`complete_inverse` and
    :meth:`null_code`; :meth:`pinv` and :meth:`project` follow.

    Laws (checked by :func:`pinv_edu.check_operator`):

    .. math::
        G^{-1}(G(x)) = x, \qquad g\,g^\dagger g = g, \qquad
        g^\dagger g\,g^\dagger = g^\dagger, \qquad
        g(\mathrm{project}(x, y)) = y \;\text{ for } y \in g(X).

    Parameters
    ----------
    in_shape, out_shape
        Shapes of one ``x`` and one ``y``, without the batch dimension.
    """

    def __init__(
        self, in_shape: Sequence[int], out_shape: Sequence[int]
    ) -> None:
        super().__init__()
        self.in_shape: Shape = check_shape(in_shape)
        self.out_shape: Shape = check_shape(out_shape)

    def forward(self, x: Tensor) -> Tensor:
        r"""Measure: :math:`y = g(x)`, shapes (B, \*in) to (B, \*out)."""
        return self.complete(x)[0]

    def complete(self, x: Tensor) -> tuple[Tensor, Code]:
        r"""Complete: :math:`G(x) = (y, z) = (g(x), q(x))`."""
        raise NotImplementedError(
            f"{type(self).__name__} must define complete(x) -> (y, z)"
        )

    def complete_inverse(self, y: Tensor, z: Code) -> Tensor:
        r"""Undo the completion: :math:`x = G^{-1}(y, z)`."""
        raise NotImplementedError(
            f"{type(self).__name__} must define complete_inverse(y, z) -> x"
        )

    def null_code(self, y: Tensor) -> Code:
        """Null coordinates that the pseudo-inverse picks for ``y``."""
        raise NotImplementedError(
            f"{type(self).__name__} must define null_code(y) -> z"
        )

    def pinv(self, y: Tensor) -> Tensor:
        r"""Pseudo-inverse: :math:`g^\dagger(y) = G^{-1}(y, q^*(y))`.

        :math:`q^*` is :meth:`null_code`.
        """
        return self.complete_inverse(y, self.null_code(y))

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
        r"""(Non-linear) back-projection of ``x`` onto :math:`g(x') = y`.

        .. math::
            y' = y_x + \lambda\,(y - y_x), \qquad
            z' = z_x + \lambda\,(q^*(y) - q^*(y_x)), \qquad
            x' = G^{-1}(y', z')

        with :math:`(y_x, z_x) = G(x)`. For :math:`\lambda = 1` and ``y`` in
        the range of ``g`` the result measures exactly ``y``; for a linear
        map this is :math:`x + \lambda A^+(y - Ax)`.

        Parameters
        ----------
        x, y
            Estimate (B, \*in_shape) and measurement (B, \*out_shape).
        strength
            :math:`\lambda`, one number or a tensor with one for each item;
            1 is exact, 0 leaves ``x`` as it is.
        completion
            ``"raw"`` moves all null coordinates at once (above);
            ``"centred"`` corrects stage after stage of a chain, from the
            last to the first. Both are exact and agree on a single stage;
            on a chain of non-linear stages they give different points.
        code
            ``null_code(y)`` if it is known already (it does not change
            while a sampler runs).

        Raises
        ------
        ValueError
            If a shape or device is wrong, the batches differ, ``y`` is not
            finite or ``completion`` is unknown.

        References
        ----------
        Ehrlich, Berman, Shocher (2026), arXiv 2602.06042, non-linear
        back-projection; Wang, Yu, Zhang (2023), DDNM, Eq. 13 (linear).
        """
        x, y = self._check_pair(x, y)
        strength = check_strength(strength, x)
        if completion == "centred":
            return self._project_centred(x, y, strength)
        if completion != "raw":
            raise ValueError(
                f"completion must be 'raw' or 'centred', got {completion!r}"
            )
        y_x, z_x = self.complete(x)
        code_y = self.null_code(y) if code is None else code
        moved = combine(
            lambda z, new, old: z + per_item(strength, z) * (new - old),
            z_x,
            code_y,
            self.null_code(y_x),
        )
        target = torch.lerp(y_x, y, per_item(strength, y))
        return self.complete_inverse(target, moved)

    def _project_centred(
        self, x: Tensor, y: Tensor, strength: float | Tensor
    ) -> Tensor:
        return self.project(x, y, strength)  # one stage: the forms agree

    def extra_repr(self) -> str:
        """Shapes, as they appear in ``print(operator)``."""
        return f"{self.in_shape} -> {self.out_shape}"

    def check_x(self, x: Tensor) -> Tensor:
        """Return ``x`` if it is a valid batch of inputs, else raise."""
        return check_batch(x, self.in_shape, self._device(), "x")

    def check_y(self, y: Tensor) -> Tensor:
        """Return ``y`` if it is a finite batch of measurements, or raise."""
        y = check_batch(y, self.out_shape, self._device(), "y")
        return check_finite(y)

    def _check_pair(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        x, y = self.check_x(x), self.check_y(y)
        if len(x) != len(y):
            raise ValueError(
                f"x holds {len(x)} items and y {len(y)}: repeat the shorter "
                f"one, for example y.expand({len(x)}, *y.shape[1:])"
            )
        if x.device != y.device:
            raise ValueError(
                f"x is on {x.device} and y on {y.device}: move one, "
                f"y.to(x.device)"
            )
        if x.dtype != y.dtype:
            raise TypeError(
                f"x is {x.dtype} and y {y.dtype}: convert one, y.to(x.dtype)"
            )
        return x, y

    def _device(self) -> torch.device | None:
        """Device of the operator's constants; None if it has none."""
        for tensor in (*self.buffers(), *self.parameters()):
            return tensor.device
        return None


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
