r"""The one abstraction of the course: a map with a completion.

A degradation :math:`g : X \to Y` loses information. Its completion
:math:`G(x) = [g(x) \mid q(x)]` keeps what :math:`g` loses, so that
:math:`G` can be inverted. Everything else follows from :math:`G`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pinv_edu.checks import (
    Shape,
    check_batch,
    check_finite,
    check_shape,
    check_strength,
)
from pinv_edu.codes import Code, per_item, shifted
from pinv_edu.solving import solved_once


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
        back-projection; Wang, Yu, Zhang (2023), DDNM (linear).
        """
        x, y = self._check_pair(x, y)
        strength = check_strength(strength, x)
        if completion == "centred":
            return self._project_centred(x, y, strength)
        if completion != "raw":
            raise ValueError(
                f"completion must be 'raw' or 'centred', got {completion!r}"
            )
        return self._move(x, y, strength, code)

    def _move(
        self, x: Tensor, y: Tensor, strength: float | Tensor, code: Code | None
    ) -> Tensor:
        """Move in the coordinates of the completion; a chain fuses walks."""
        y_x, z_x = self.complete(x)
        code_y = self.null_code(y) if code is None else code
        return self.complete_inverse(
            torch.lerp(y_x, y, per_item(strength, y)),
            shifted(z_x, strength, code_y, self.null_code(y_x)),
        )

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
