"""Input checks of every operator: clear words, not wrong pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

Shape = tuple[int, ...]


def check_shape(shape: Sequence[int], *, dims: Sequence[int] = ()) -> Shape:
    """Return ``shape`` as a tuple of positive ints.

    Parameters
    ----------
    shape
        Event shape, without the batch dimension.
    dims
        Allowed numbers of dimensions; empty means any.

    Raises
    ------
    TypeError
        If ``shape`` is not a sequence of integers.
    ValueError
        If a size is not positive or the number of dimensions is not allowed.
    """
    given = tuple(shape) if isinstance(shape, Sequence) else None
    if (
        given is None
        or isinstance(shape, str)
        or not all(
            isinstance(s, int) and not isinstance(s, bool) for s in given
        )
    ):
        raise TypeError(
            f"shape must be a tuple of integers such as (3, 64, 64), "
            f"got {shape!r}"
        )
    if not given or min(given) < 1:
        raise ValueError(f"every size in shape must be at least 1: {given}")
    if dims and len(given) not in dims:
        wanted = " or ".join(str(d) for d in dims)
        raise ValueError(
            f"shape must have {wanted} dimensions (no batch dimension), "
            f"got {given}"
        )
    return given


def check_batch(
    x: Tensor, shape: Shape, device: torch.device | None, what: str
) -> Tensor:
    """Return ``x`` if it is a float batch ``(B, *shape)`` on ``device``.

    Raises
    ------
    TypeError
        If ``x`` is not a float32 or float64 tensor.
    ValueError
        If its shape or device is not the expected one.
    """
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{what} must be a torch.Tensor, got {type(x).__name__}: "
            f"convert it with torch.as_tensor(...)"
        )
    if x.dtype not in (torch.float32, torch.float64):
        raise TypeError(
            f"{what} must be float32 or float64, got {x.dtype}: "
            f"convert it with .float() or .double()"
        )
    if tuple(x.shape[1:]) != shape or x.dim() != len(shape) + 1:
        hint = (
            f"; add the batch dimension with {what}[None]"
            if tuple(x.shape) == shape
            else ""
        )
        wanted = ", ".join(str(s) for s in shape)
        raise ValueError(
            f"{what} must have shape (B, {wanted}), got {tuple(x.shape)}{hint}"
        )
    if device is not None and x.device != device:
        raise ValueError(
            f"{what} is on {x.device}, the operator on {device}: move one of "
            f"them with .to(...)"
        )
    return x


def check_finite(y: Tensor, what: str = "measurement y") -> Tensor:
    """Return ``y`` if every entry is finite, else raise ``ValueError``."""
    # A sum is the fastest test: no other than finite entries give a finite
    # one, and it overflows so rarely that a second look costs nothing.
    if y.sum().isfinite():
        return y
    bad = int((~torch.isfinite(y)).sum())
    if bad:
        raise ValueError(
            f"{what} holds {bad} NaN or infinite entries: repair or mask "
            f"them first (torch.nan_to_num replaces them)"
        )
    return y


def check_divides(shape: Shape, factor: int, what: str) -> int:
    """Return ``factor`` if it divides the two picture sizes of ``shape``."""
    if not isinstance(factor, int) or isinstance(factor, bool):
        raise TypeError(f"{what} must be an integer, got {factor!r}")
    height, width = shape[-2:]
    if factor < 1 or height % factor or width % factor:
        common = math.gcd(height, width)
        good = [d for d in range(1, common + 1) if common % d == 0]
        raise ValueError(
            f"{what} {factor} does not divide a {height} x {width} picture: "
            f"use one of {good}, or crop or pad the picture"
        )
    return factor


def check_ratio(ratio: float) -> float:
    """Return ``ratio`` if it is a share in (0, 1]."""
    if not isinstance(ratio, Real):
        raise TypeError(f"ratio must be a number in (0, 1], got {ratio!r}")
    if not 0 < ratio <= 1:
        raise ValueError(
            f"ratio is the share of measurements kept, in (0, 1], got "
            f"{ratio!r}; to keep one in four give 1/4"
        )
    return float(ratio)


def check_rcond(rcond: float | None) -> float | None:
    """Return ``rcond`` if it is None (the default) or in [0, 1)."""
    if rcond is None:
        return None
    if not isinstance(rcond, Real):
        raise TypeError(f"rcond must be a number in [0, 1), got {rcond!r}")
    if not 0 <= rcond < 1:
        raise ValueError(
            f"rcond is relative to the largest singular value and lies in "
            f"[0, 1), got {rcond!r}"
        )
    return rcond


def check_strength(strength: float | Tensor, like: Tensor) -> float | Tensor:
    """Return a finite number, or a tensor with one for each item."""
    if not isinstance(strength, (Real, Tensor)):
        raise TypeError(f"strength must be a number, got {strength!r}")
    values = torch.as_tensor(strength).flatten()
    if len(values) not in (1, len(like)) or not values.isfinite().all():
        raise ValueError(
            f"strength must be a finite number, or one for each of the "
            f"{len(like)} items, got {strength!r}"
        )
    if isinstance(strength, Tensor):
        return values.to(like)
    return float(strength)


def as_constant(values: Any, what: str) -> Tensor:
    """Tensor of real numbers without gradient; Python's are float64.

    Raises
    ------
    TypeError
        If ``values`` is no array of real numbers.
    """
    if not isinstance(values, Tensor):
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise TypeError(
                f"{what} must be a tensor, an array or a list of real "
                f"numbers, got {type(values).__name__} of {array.dtype}"
            )
        values = torch.as_tensor(array)
    if values.is_complex():
        raise TypeError(
            f"{what} must be real, got {values.dtype}: take its .real part"
        )
    return values.detach()


def check_finite_values(values: Any, what: str) -> Tensor:
    """Return ``values`` as float64 if all finite and not all zero."""
    values = as_constant(values, what).to(torch.float64)
    check_finite(values, what)
    if not bool(values.any()):
        raise ValueError(f"{what} is all zeros: it would measure nothing")
    return values
