"""Pairs (x, y) as batches that depend on seed and step alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import default_collate

from pinv_edu.base import PseudoInvertible
from pinv_edu.checks import check_finite
from pinv_edu.training.recipe import picture_indices, seeded

Pair = tuple[Tensor, Tensor]
Draw = Callable[[torch.Generator, int], Pair]
Pairs = Pair | Sequence[Pair] | Draw
Augment = Callable[[Tensor, Tensor, torch.Generator], Pair]


class Order(Protocol):
    """What fixes the order of the pairs."""

    batch: int
    seed: int


class Batches:
    """Batches of pairs; the one of step k is always the same.

    Parameters
    ----------
    pairs
        A tuple of tensors (x, y); or anything with ``len`` and items
        ``(x_i, y_i)`` (a torch ``Dataset``, a list); or a function
        ``(generator, size) -> (x, y)`` that draws a new batch.
    g
        The network that the pairs are for.
    order
        Batch size and seed. Tensors and data sets show every pair once an
        epoch.
    augment
        Optional function ``(x, y, generator) -> (x, y)`` on each batch.

    Raises
    ------
    TypeError, ValueError
        If the pairs are not of these kinds, empty, of unequal lengths, of
        the wrong shape or not finite.
    """

    def __init__(
        self,
        pairs: Pairs,
        g: PseudoInvertible,
        order: Order,
        augment: Augment | None = None,
    ) -> None:
        self.pairs, self.g, self.order = pairs, g, order
        self.augment = augment
        self.tensors = is_tensors(pairs)
        if self.tensors:
            check_pair(g, *pairs)
        elif not callable(pairs) and not is_sized(pairs):
            raise TypeError(
                f"pairs must be a tuple of two tensors (x, y), a data set "
                f"with len() and items (x, y), or a function (generator, "
                f"size) -> (x, y), got {type(pairs).__name__}; of a "
                f"DataLoader give the .dataset"
            )
        if not callable(pairs) and not self.count:
            raise ValueError("pairs are empty: give at least one pair")

    @property
    def count(self) -> int:
        """Number of pairs; a function that draws them has none."""
        if not self.tensors and callable(self.pairs):
            raise TypeError(
                "validation pairs must have an end: give tensors (x, y) or "
                "a data set, not a function that draws them"
            )
        return len(self.pairs[0] if self.tensors else self.pairs)

    def __getitem__(self, step: int) -> Pair:
        """Return the batch of one step, on the device of the network."""
        generator = seeded(self.order.seed, 1, step)
        x, y = self._raw(step, generator)
        if self.augment is not None:
            x, y = self.augment(x, y, generator)
            check_pair(self.g, x, y)
        device = self.g._device()
        return x.to(device), y.to(device)

    def once(self) -> Iterator[Pair]:
        """Yield every pair once, in order, without augmentation."""
        device = self.g._device()
        for which in torch.arange(self.count).split(self.order.batch):
            x, y = self._pick(which)
            yield x.to(device), y.to(device)

    def _raw(self, step: int, generator: torch.Generator) -> Pair:
        if not self.tensors and callable(self.pairs):
            x, y = self.pairs(generator, self.order.batch)
            check_pair(self.g, x, y)
            return x, y
        return self._pick(picture_indices(self.count, self.order, step))

    def _pick(self, which: Tensor) -> Pair:
        if self.tensors:
            x, y = self.pairs
            return x[which.to(x.device)], y[which.to(y.device)]
        x, y = default_collate([self.pairs[int(i)] for i in which])
        check_pair(self.g, x, y)
        return x, y


def is_tensors(pairs: Any) -> bool:
    """Whether these are two tensors x and y."""
    return (
        isinstance(pairs, tuple | list)
        and len(pairs) == 2
        and all(isinstance(part, Tensor) for part in pairs)
    )


def is_sized(pairs: Any) -> bool:
    """Whether there are a length and items."""
    return hasattr(pairs, "__len__") and hasattr(pairs, "__getitem__")


def check_pair(g: PseudoInvertible, x: Tensor, y: Tensor) -> None:
    """Raise unless x is a finite batch for ``g`` and y has as many items."""
    if not isinstance(x, Tensor) or not isinstance(y, Tensor):
        raise TypeError(
            f"a pair must be two tensors, got {type(x).__name__} and "
            f"{type(y).__name__}"
        )
    if not x.is_floating_point():
        raise TypeError(
            f"x must be a float tensor, got {x.dtype}: pictures live in "
            f"[-1, 1], for bytes x.float() / 127.5 - 1"
        )
    if tuple(x.shape[1:]) != g.in_shape or not y.dim():
        wanted = ", ".join(map(str, g.in_shape))
        raise ValueError(
            f"x must have shape (N, {wanted}), got {tuple(x.shape)}"
        )
    if len(x) != len(y):
        raise ValueError(
            f"x holds {len(x)} items and y {len(y)}: they must be pairs"
        )
    check_finite(x, "x")
    if y.is_floating_point():
        check_finite(y, "y")
