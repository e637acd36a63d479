r"""Operators whose non-zero singular values are all equal.

:math:`A^\top A = c^2 \cdot` (projector), hence :math:`A^+ = A^\top / c^2`:
for these, and only these, one gradient step of size :math:`1/c^2` on
:math:`\tfrac12\|Ax - y\|^2` is back-projection.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from pinv_edu.checks import (
    as_constant,
    check_divides,
    check_finite_values,
    check_shape,
)
from pinv_edu.linear.operator import LinearOperator, sizes
from pinv_edu.linear.responses import Response, respond


class ScaledIsometry(LinearOperator):
    r"""Scaled partial isometry: :math:`\sigma_i = c` for ``i <= rank``.

    A subclass defines ``forward`` and ``adjoint``; the rest follows:

    .. math::
        A^+ = A^\top / c^2, \qquad
        V f(\sigma) V^\top x = f(0)\,x + (f(c) - f(0))\,A^+A\,x .

    Parameters
    ----------
    in_shape, out_shape
        Event shapes of ``x`` and ``y``.
    scale
        :math:`c`.
    rank
        Number of singular values equal to :math:`c`; the others are zero.
    """

    def __init__(
        self,
        in_shape: Sequence[int],
        out_shape: Sequence[int],
        scale: float,
        rank: int,
    ) -> None:
        super().__init__(in_shape, out_shape)
        self.scale, self.rank = scale, rank

    def pinv(self, y: Tensor) -> Tensor:
        r"""Return :math:`A^\top y / c^2`."""
        x = self.adjoint(y)
        return x if self.scale == 1 else x / self.scale**2

    def singular_values(self) -> Tensor:
        r"""``rank`` times :math:`c`, then zeros, min(m, n) in all."""
        values = torch.zeros(min(sizes(self)), dtype=torch.float64)
        values[: self.rank] = self.scale
        return values.to(self._device())

    def spectral_filter(self, x: Tensor, response: Response) -> Tensor:
        """Two multipliers: one for the seen part, one for the rest."""
        x = self.check_x(x)
        two = torch.tensor([0.0, self.scale], dtype=torch.float64)
        at_zero, at_scale = respond(response, two).to(x.dtype).tolist()
        return at_zero * x + (at_scale - at_zero) * self.pinv(self(x))


class Identity(ScaledIsometry):
    r"""See everything: :math:`A = I` (denoising).

    Parameters
    ----------
    shape
        Event shape.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        n = torch.Size(check_shape(shape)).numel()
        super().__init__(shape, shape, scale=1.0, rank=n)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x``."""
        return self.check_x(x)

    def adjoint(self, y: Tensor) -> Tensor:
        """Return ``y``."""
        return self.check_y(y)


class Inpainting(ScaledIsometry):
    r"""See some pixels: :math:`A = \mathrm{diag}(m)`, :math:`m` in {0, 1}.

    The measurement keeps the shape of the picture, with zeros at the
    hidden pixels; :math:`A = A^\top = A^+`. It is not onto: a ``y`` with
    content at hidden pixels is outside its range and agrees with nothing.

    Parameters
    ----------
    shape
        Event shape (H, W) or (C, H, W).
    mask
        (H, W) or (C, H, W), 1 or True = seen.

    Raises
    ------
    ValueError
        If the mask does not fit, is not binary or hides everything.
    """

    mask: Tensor

    def __init__(self, shape: Sequence[int], mask: Tensor) -> None:
        shape = check_shape(shape, dims=(2, 3))
        mask = _check_mask(as_constant(mask, "mask"), shape)
        rank = int(mask.expand(shape).sum())
        super().__init__(shape, shape, scale=1.0, rank=rank)
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        """Blank the hidden pixels."""
        return self.check_x(x) * self.mask

    def adjoint(self, y: Tensor) -> Tensor:
        """Blank the hidden pixels: the mask is symmetric."""
        return self.check_y(y) * self.mask


def _check_mask(mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    if tuple(mask.shape) not in (shape, shape[-2:]):
        raise ValueError(
            f"mask must have shape {shape[-2:]} or {shape}, "
            f"got {tuple(mask.shape)}"
        )
    if not bool(((mask == 0) | (mask == 1)).all()):
        raise ValueError(
            "mask must hold only 0 (hidden) and 1 (seen): threshold it, "
            "for example mask > 0.5"
        )
    if not bool(mask.any()):
        raise ValueError("mask hides every pixel: nothing is measured")
    return mask.to(torch.bool)


class AveragePool(ScaledIsometry):
    r"""Low resolution by block means; :math:`c = 1/r`.

    .. math::
        y_{ij} = \frac1{r^2} \sum_{a,b<r} x_{ri+a,\,rj+b}, \qquad
        A^+ = \text{repeat every mean } r \times r .

    Parameters
    ----------
    shape
        Event shape (H, W) or (C, H, W).
    factor
        :math:`r`, a divisor of H and W.
    """

    def __init__(self, shape: Sequence[int], factor: int) -> None:
        shape = check_shape(shape, dims=(2, 3))
        check_divides(shape, factor, "factor")
        out = (*shape[:-2], shape[-2] // factor, shape[-1] // factor)
        rank = torch.Size(out).numel()
        super().__init__(shape, out, scale=1 / factor, rank=rank)
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Mean of each block."""
        pictures = self.check_x(x).flatten(0, -3)[:, None]
        y = F.avg_pool2d(pictures, self.factor)
        return y.reshape(len(x), *self.out_shape)

    def adjoint(self, y: Tensor) -> Tensor:
        r"""Repeat each value :math:`r \times r`, divided by :math:`r^2`."""
        return self._repeat(self.check_y(y) / self.factor**2)

    def pinv(self, y: Tensor) -> Tensor:
        r"""Repeat each value :math:`r \times r`."""
        return self._repeat(self.check_y(y))

    def _repeat(self, y: Tensor) -> Tensor:
        r, (*lead, h, w) = self.factor, y.shape
        blocks = y[..., :, None, :, None].expand(*lead, h, r, w, r)
        return blocks.reshape(len(y), *self.in_shape)


class Grayscale(ScaledIsometry):
    r"""One weighted mean of the colour channels; :math:`c = \|w\|`.

    .. math::
        y = \sum_c w_c x_c, \qquad A^+y = w\,y / \|w\|^2 .

    Parameters
    ----------
    shape
        Event shape (C, H, W).
    weights
        One weight a channel; the default is the plain mean of three.
    """

    weights: Tensor

    def __init__(
        self,
        shape: Sequence[int],
        weights: Sequence[float] = (1 / 3, 1 / 3, 1 / 3),
    ) -> None:
        shape = check_shape(shape, dims=(3,))
        given = as_constant(weights, "weights").flatten()
        if len(given) != shape[0]:
            raise ValueError(
                f"weights must hold one number for each of the {shape[0]} "
                f"channels, got {len(given)}"
            )
        given = check_finite_values(given, "weights")
        out = (1, *shape[1:])
        rank = torch.Size(out).numel()
        super().__init__(shape, out, scale=float(given.norm()), rank=rank)
        self.register_buffer("weights", given[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """Weighted mean of the channels."""
        x = self.check_x(x)
        return (x * self.weights.to(x.dtype)).sum(1, keepdim=True)

    def adjoint(self, y: Tensor) -> Tensor:
        """Give every channel its weight of ``y``."""
        return self.check_y(y) * self.weights.to(y.dtype)
