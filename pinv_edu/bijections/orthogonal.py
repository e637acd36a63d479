r"""Learned rotations of the channels: orthogonal by construction."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pinv_edu.bijections.base import (
    Bijection,
    check_channels,
    check_count,
    check_positive,
    constant_log_det,
)
from pinv_edu.bijections.haar import haar_start
from pinv_edu.bijections.mixing import mix_channels
from pinv_edu.solving import Solved, once


class OrthogonalMix(Bijection):
    r"""Mix channels by a learned rotation: :math:`y = Wx,\; W^{-1} = W^\top`.

    A subclass defines :meth:`solve`. :meth:`matrix` keeps the result while
    the weights stay as they are; with gradients, it is shared inside one
    :func:`~pinv_edu.solving.solved_once`, hence inside ``project``.

    Parameters
    ----------
    shape
        Event shape (C, H, W), where each pixel's channels are mixed (a
        1 x 1 convolution), or (n,).
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__(check_channels(shape))
        self._solved = Solved()

    def solve(self) -> Tensor:
        """Compute :math:`W` in float64 from the weights."""
        raise NotImplementedError(
            f"{type(self).__name__} must define solve() -> (C, C)"
        )

    def matrix(self, dtype: torch.dtype = torch.float64) -> Tensor:
        """Return :math:`W`, (C, C), solved in float64, then cast."""
        weights = list(self.parameters())
        if torch.is_grad_enabled() and any(w.requires_grad for w in weights):
            return once((self, dtype), lambda: self.solve().to(dtype))
        return self._solved(weights, dtype, self.solve)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply by :math:`W`."""
        x = self.check_x(x)
        return mix_channels(self.matrix(x.dtype), x)

    def inverse(self, y: Tensor) -> Tensor:
        r"""Multiply by :math:`W^\top`."""
        y = self.check_y(y)
        return mix_channels(self.matrix(y.dtype).T, y)

    def log_det(self, x: Tensor) -> Tensor:
        """Zero: a rotation keeps volumes."""
        return constant_log_det(self.check_x(x), 0.0)


class CayleyMix(OrthogonalMix):
    r"""A rotation by Cayley's transform.

    .. math::
        K = B - B^\top, \qquad W = (I + K)^{-1}(I - K)\,Q

    with free weights :math:`B` and a fixed orthogonal start :math:`Q`.
    :math:`K` is skew, its spectrum imaginary, so :math:`I + K` is always
    invertible: no small number has to be added, and none is, as it would
    make :math:`W` a contraction. For large :math:`K` the solution rounds to
    a slightly oblique matrix; one Newton step
    :math:`W \leftarrow W (3I - W^\top W)/2` makes it orthogonal again.

    Half of :math:`B` is redundant and its diagonal has no effect. All
    rotations :math:`WQ^\top` without eigenvalue -1 are reached.

    Parameters
    ----------
    shape
        Event shape (C, H, W), or (n,).
    start
        :math:`Q`. ``"identity"``, or ``"haar"`` for the channels of a
        :class:`PixelUnshuffle`: Haar's basis in each block, low-passes
        first. At first, channel c of ``y`` (c < C / r²) then is r times
        the block mean of colour c.
    block
        Side r of the blocks that ``"haar"`` sees, a power of two whose
        square divides C.
    spread
        Standard deviation of the initial :math:`B`; with the default 0,
        :math:`W = Q` at first.
    generator
        For the initial :math:`B`; the default draws from seed 0.

    Raises
    ------
    ValueError
        If ``start`` is unknown, or ``block`` does not fit.

    References
    ----------
    Ehrlich, Berman, Shocher (2026), arXiv 2602.06042: orthogonal mixing in
    an SPNN. Their code solves :math:`((1 + 10^{-6})I + K) W = I - K`.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        start: str = "identity",
        block: int = 2,
        spread: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(shape)
        if start not in ("identity", "haar"):
            raise ValueError(
                f"start must be 'identity' or 'haar', got {start!r}"
            )
        if spread != 0:
            check_positive(spread, "spread")
        channels = self.in_shape[0]
        self.start, self.block = start, block
        self._start()  # raises if the block does not fit
        square = channels, channels
        self.B = nn.Parameter(spread * _normal(square, generator))

    def solve(self) -> Tensor:
        """Compute :math:`W` in float64 from :math:`B`."""
        b = self.B.double()
        k, eye = b - b.T, torch.eye(len(b), dtype=b.dtype, device=b.device)
        w = torch.linalg.solve(eye + k, (eye - k) @ self._start().to(b))
        return w @ (1.5 * eye - 0.5 * w.T @ w)

    def _start(self) -> Tensor:
        channels = self.in_shape[0]
        if self.start == "haar":
            return haar_start(channels, self.block)
        return torch.eye(channels, dtype=torch.float64)


class HouseholderMix(OrthogonalMix):
    r"""A product of reflections.

    .. math::
        W = H_k \cdots H_1, \qquad
        H_i = I - 2\,\frac{v_i v_i^\top}{v_i^\top v_i}

    with free vectors :math:`v_i`. :math:`W - I` has rank at most ``k``:
    few reflections move few directions, however many channels there are.
    The determinant is :math:`(-1)^k`.

    Parameters
    ----------
    shape
        Event shape (C, H, W), or (n,).
    reflections
        ``k``, from 1 to C.
    generator
        For the initial vectors; the default draws from seed 0.

    Raises
    ------
    ValueError
        If ``reflections`` is out of range, or, when used, a vector is zero:
        it has no direction to reflect.
    """

    def __init__(
        self,
        shape: Sequence[int],
        reflections: int,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(shape)
        channels = self.in_shape[0]
        check_count(reflections, "reflections", highest=channels)
        self.v = nn.Parameter(_normal((reflections, channels), generator))

    def solve(self) -> Tensor:
        """Compute :math:`W` in float64 from the vectors."""
        vectors = self.v.double()
        lengths = vectors.norm(dim=1, keepdim=True)
        if not bool((lengths > 0).all()):
            raise ValueError(
                "a reflection's vector v is zero or NaN and has no "
                "direction: set it to any other vector"
            )
        w = torch.eye(vectors.shape[1], dtype=torch.float64).to(vectors)
        for unit in vectors / lengths:
            w = w - 2 * torch.outer(unit, unit @ w)
        return w


def _normal(
    shape: tuple[int, ...], generator: torch.Generator | None
) -> Tensor:
    if generator is None:
        generator = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=generator, device=generator.device)
