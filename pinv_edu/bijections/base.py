r"""Bijections: operators that lose nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

import torch
from torch import Tensor

from pinv_edu.base import PseudoInvertible
from pinv_edu.checks import check_shape
from pinv_edu.codes import Code


class Bijection(PseudoInvertible):
    r"""An invertible map :math:`\varphi`: nothing is lost, no null code.

    .. math::
        G(x) = (\varphi(x), ()), \qquad g^\dagger = \varphi^{-1} .

    A subclass defines :meth:`forward`, :meth:`inverse` and, where it is
    needed, :meth:`log_det`. It must map onto the *whole* output space:
    back-projection through a :class:`~pinv_edu.Chain` moves freely there.

    Parameters
    ----------
    in_shape, out_shape
        Event shapes with equal numbers of values; ``out_shape`` defaults
        to ``in_shape``.

    Raises
    ------
    ValueError
        If the numbers of values differ.
    """

    def __init__(
        self, in_shape: Sequence[int], out_shape: Sequence[int] | None = None
    ) -> None:
        out_shape = in_shape if out_shape is None else out_shape
        super().__init__(in_shape, out_shape)
        sizes = math.prod(self.in_shape), math.prod(self.out_shape)
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"a bijection keeps the number of values: {self.in_shape} "
                f"has {sizes[0]}, {self.out_shape} has {sizes[1]}"
            )

    def forward(self, x: Tensor) -> Tensor:
        r"""Map: :math:`y = \varphi(x)`."""
        raise NotImplementedError(
            f"{type(self).__name__} must define forward(x) -> y"
        )

    def inverse(self, y: Tensor) -> Tensor:
        r"""Map back: :math:`x = \varphi^{-1}(y)`."""
        raise NotImplementedError(
            f"{type(self).__name__} must define inverse(y) -> x"
        )

    def log_det(self, x: Tensor) -> Tensor:
        r"""Change of volume :math:`\log|\det D\varphi(x)|`, shape (B,).

        By it a density becomes another one: if ``x`` has density
        :math:`p`, then :math:`\log p_Y(\varphi(x)) = \log p(x) -
        \log|\det D\varphi(x)|`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define log_det(x) -> (B,)"
        )

    def complete(self, x: Tensor) -> tuple[Tensor, Code]:
        r"""Return :math:`(\varphi(x), ())`."""
        return self(x), ()

    def complete_inverse(self, y: Tensor, z: Code) -> Tensor:
        r"""Return :math:`\varphi^{-1}(y)`; ``z`` must be ``()``."""
        if isinstance(z, Tensor) or len(z):
            raise ValueError(
                f"a bijection has no null coordinates, z must be (), "
                f"got {type(z).__name__}"
            )
        return self.inverse(y)

    def null_code(self, y: Tensor) -> Code:
        """Return ``()``: there is nothing to pick."""
        self.check_y(y)
        return ()

    def pinv(self, y: Tensor) -> Tensor:
        r"""Return :math:`\varphi^{-1}(y)`."""
        return self.inverse(y)


def check_positive(value: float, what: str) -> float:
    """Return ``value`` if it is a finite number above zero."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{what} must be a positive number, got {value!r}")
    if not 0 < value < math.inf:
        raise ValueError(f"{what} must be positive and finite, got {value!r}")
    return float(value)


def check_count(
    value: int, what: str, highest: int | None = None, *, lowest: int = 1
) -> int:
    """Return ``value`` if it is an integer from ``lowest`` to ``highest``."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what} must be an integer, got {value!r}")
    if value < lowest or (highest is not None and value > highest):
        limit = (
            f"at least {lowest}"
            if highest is None
            else f"from {lowest} to {highest}"
        )
        raise ValueError(f"{what} must be {limit}, got {value}")
    return value


def check_channels(shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape with a channel axis: (C, H, W), or (n,) for vectors."""
    return check_shape(shape, dims=(1, 3))


def constant_log_det(x: Tensor, value: float | Tensor) -> Tensor:
    """``value`` for each item of the batch: the map is linear."""
    return torch.as_tensor(value).to(x).expand(len(x))
