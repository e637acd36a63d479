"""How much memory a call takes, and how many items fit."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

ASSUMED = 2 * 2**30  # bytes, on machines that do not say what is free


def free_memory(device: torch.device | str) -> int:
    """Bytes that a program may still take on a device.

    On a GPU what the driver reports, and what torch holds in reserve; on a
    CPU the kernel's estimate (``MemAvailable``), which knows no limit of a
    container, or 2 GiB where there is no such estimate.
    """
    device = torch.device(device)
    if device.type == "cuda":
        reserve = torch.cuda.memory_reserved(device)
        reserve -= torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + reserve
    table = Path("/proc/meminfo")
    found = table.is_file() and re.search(
        r"MemAvailable:\s+(\d+) kB", table.read_text()
    )
    return 1024 * int(found[1]) if found else ASSUMED


class _Live(TorchDispatchMode):
    """Counts the bytes of all tensors made inside that are still alive."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        for leaf in tree_leaves((args, kwargs)):
            if isinstance(leaf, Tensor):  # was there before: not counted
                self._meet(leaf, 0)
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                self._meet(leaf, leaf.untyped_storage().nbytes())
        return out

    def _meet(self, tensor: Tensor, size: int) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata in self.known:
            return
        self.known.add(storage._cdata)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, storage._cdata, size)

    def _forget(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.now -= size


def peak_memory(call: Callable[[], Any], device: torch.device | str) -> int:
    """Bytes that a call takes at its worst moment, besides what was there.

    On a GPU as torch's allocator counts it, with the working memory of the
    kernels; elsewhere by adding up the tensors that are alive, which works
    on the ``meta`` device as well, where nothing is computed at all.
    """
    device = torch.device(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call()
        return torch.cuda.max_memory_allocated(device) - before
    with _Live() as live:
        call()
    return live.peak


@dataclass(frozen=True)
class BatchPlan:
    r"""How many items fit: :math:`\text{fixed} + n \cdot \text{per item}`.

    All in bytes; ``share`` of ``free`` may be used.
    """

    fixed: int
    per_item: int
    free: int
    share: float = 0.8
    most: int = 64

    @property
    def batch(self) -> int:
        """The largest batch that fits, at most ``most``.

        Raises
        ------
        ValueError
            If not even a single item fits.
        """
        room = self.share * self.free - self.fixed
        batch = min(int(room // max(self.per_item, 1)), self.most)
        if batch < 1:
            raise ValueError(
                f"one item takes {self.needed(1):,} bytes and "
                f"{self.share:.0%} of {self.free:,} may be used: free some "
                f"memory, or use half precision or a smaller prior"
            )
        return batch

    def needed(self, items: int) -> int:
        """Bytes that a batch takes by this plan."""
        return self.fixed + items * self.per_item


def plan_batch(
    call: Callable[[int], Any],
    device: torch.device | str,
    free: int | None = None,
    share: float = 0.8,
    most: int = 64,
) -> BatchPlan:
    """Measure a call with one item and with two, and draw the line.

    Parameters
    ----------
    call
        Runs the work on so many items.
    device
        Where it works.
    free
        Bytes that are free; default :func:`free_memory`.
    share
        Part of it that may be used: memory is also lost between blocks.
    most
        Never more items than this.
    """
    call(1)  # what is made once, at the first call, is not of this call
    one = peak_memory(lambda: call(1), device)
    two = peak_memory(lambda: call(2), device)
    free = free_memory(device) if free is None else free
    return BatchPlan(2 * one - two, two - one, free, share, most)
