"""Claims: statements of a lesson that a cell has checked."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

Value = float | int | bool | Tensor


class ClaimError(AssertionError):
    """A claim is false."""


def claim(
    text: str,
    value: Value,
    *,
    below: float | None = None,
    above: float | None = None,
    equals: float | bool | None = None,
    tol: float = 0.0,
    what: str | None = None,
) -> None:
    """Print one stable line if the claim holds; raise if it does not.

    The line shows the bound, never the measured value, so that it is the
    same on every machine.

    Parameters
    ----------
    text
        The statement in words or symbols.
    value
        The measured quantity; of a tensor, every entry must satisfy the
        claim.
    below, above
        Strict bounds; both may be given.
    equals
        Exact value, or within ``tol`` of it.
    tol
        Absolute tolerance of ``equals``.
    what
        What the number is; ``"residual"`` for a bare upper bound.

    Raises
    ------
    ClaimError
        If the claim is false or the value is NaN.
    ValueError
        If no bound is given, or a residual is negative below a positive
        bound: a difference whose size was not taken would pass any.

    Examples
    --------
    >>> claim("A A+ y = y", 3e-16, below=1e-12)
    ✓ A A+ y = y   residual < 1e-12
    """
    if below is None and above is None and equals is None:
        raise ValueError("give below=, above= or equals=")
    values = _numbers(value)
    if what is None:
        only_below = above is None and equals is None
        what = "residual" if only_below else ""
    if what == "residual" and below and min(values) < 0 < below:
        raise ValueError(
            f"a residual is a size, got {min(values)!r}: take .abs(), or say "
            f"by what= what the number is"
        )
    for holds, words in _conditions(below, above, equals, tol):
        wrong = [v for v in values if not holds(v)]
        if wrong:
            raise ClaimError(
                f"claim fails: {text}: {wrong[0]!r} is not {words}"
            )
    parts = [words for _, words in _conditions(below, above, equals, tol)]
    print(f"✓ {text}   " + f"{what} {' and '.join(parts)}".lstrip())


def _numbers(value: Value) -> list[float]:
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        if value.dtype == torch.bfloat16:  # numpy does not know it
            value = value.float()
    flat = np.ravel(value).tolist()  # a Python number keeps all its digits
    if not flat:
        raise ValueError("the value is empty: a claim about nothing")
    return flat


def _conditions(
    below: float | None,
    above: float | None,
    equals: float | bool | None,
    tol: float,
) -> list:
    """Predicates with their words, in the order in which they are given."""
    conditions = []
    if above is not None:
        conditions.append((lambda v: v > above, f"> {_text(above)}"))
    if below is not None:
        conditions.append((lambda v: v < below, f"< {_text(below)}"))
    if equals is not None:
        near = f" ± {_text(tol)}" if tol else ""
        conditions.append(
            (lambda v: abs(v - equals) <= tol, f"= {_text(equals)}{near}")
        )
    return conditions


def _text(number: float | bool) -> str:
    if isinstance(number, bool):
        return str(number)
    if number and abs(number) < 1e-3:
        digits, power = f"{number:.2e}".split("e")
        mantissa = digits.rstrip("0").rstrip(".")
        return f"{mantissa}e{int(power)}"
    if math.isfinite(number) and number == int(number) and number < 1e9:
        return str(int(number))
    return f"{number:g}"
