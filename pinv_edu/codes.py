"""Null coordinates: tensors, or tuples of them, handled part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

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
    return tuple(combine(function, *parts) for parts in zip(*codes))


def per_item(strength: float | Tensor, like: Tensor) -> float | Tensor:
    """Shape one number for each item of a batch so that it multiplies."""
    if not isinstance(strength, Tensor):
        return strength
    return strength.reshape(-1, *[1] * (like.dim() - 1))


def shifted(
    z: Code, strength: float | Tensor, new: Code, old: Code
) -> Code:
    r"""Return :math:`z + \lambda\,(z_{new} - z_{old})`, part by part."""
    return combine(
        lambda z, new, old: z + per_item(strength, z) * (new - old),
        z,
        new,
        old,
    )


def part(code: Code, start: int, stop: int | None) -> Code:
    """Codes of some items of the batch."""
    return combine(lambda c: c[start:stop], code)


def leaves(code: Code) -> Iterator[Tensor]:
    """Yield the tensors of a code, outermost first."""
    if isinstance(code, Tensor):
        yield code
        return
    for entry in code:
        yield from leaves(entry)
