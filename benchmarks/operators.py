"""Time and memory of every linear operator, and ratios to a dense SVD.

python benchmarks/operators.py [--sizes 64 128 256] [--out FILE.json]
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import pinv_edu as pe
from pinv_edu.linear.spectra import DenseSVD

DENSE_SIZES = (16, 32)
"""Sides of the one-channel pictures that a dense SVD can still do."""


def mask(side: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(side, side, generator=generator) < 0.5


def gaussian(taps: int) -> Tensor:
    line = pe.gaussian_kernel(taps, taps / 5)
    return line[:, None] * line


def old_photo(shape: tuple[int, int, int]) -> pe.LinearOperator:
    gray = (1, *shape[1:])
    return pe.LinearComposition(
        pe.Inpainting(shape, mask(shape[-1])),
        pe.Grayscale(shape, [1 / shape[0]] * shape[0]),
        pe.AveragePool(gray, 4),
    )


def blur_then_pool(shape: tuple[int, int, int]) -> pe.LinearOperator:
    return pe.LinearComposition(
        pe.Blur(shape, gaussian(9)), pe.AveragePool(shape, 4)
    )


OPERATORS: dict[str, Callable[[tuple[int, int, int]], pe.LinearOperator]] = {
    "Identity": pe.Identity,
    "Inpainting 50 %": lambda s: pe.Inpainting(s, mask(s[-1])),
    "AveragePool 4": lambda s: pe.AveragePool(s, 4),
    "BicubicDownsample 4": lambda s: pe.BicubicDownsample(s, 4),
    "Grayscale": lambda s: pe.Grayscale(s, [1 / s[0]] * s[0]),
    "Blur 9 x 9": lambda s: pe.Blur(s, gaussian(9)),
    "SeparableBlur 9 + 9": lambda s: pe.SeparableBlur(
        s, pe.gaussian_kernel(9, 1.8), pe.gaussian_kernel(9, 1.8)
    ),
    "WalshHadamard 25 %": lambda s: pe.WalshHadamard(s, 0.25),
    "BlockSensing 25 %": lambda s: pe.BlockSensing(s, 0.25, 8),
    "mask, gray, pool": old_photo,
    "blur, pool": blur_then_pool,
}


def tikhonov(s: Tensor) -> Tensor:
    return s**2 / (s**2 + 0.01)


def milliseconds(run: Callable[[], object], budget: float = 0.5) -> float:
    """Median time of a processor, other programs not counted.

    Of at least 5 runs, of up to 50 if they fit into the budget in seconds.
    """
    times: list[float] = []
    while len(times) < 5 or (sum(times) < budget and len(times) < 50):
        before = time.thread_time()
        run()
        times.append(time.thread_time() - before)
    return 1e3 * statistics.median(times)


def tensors(part: object, seen: set[int]) -> Iterator[Tensor]:
    """All tensors that an object holds, however deep."""
    if id(part) in seen:
        return
    seen.add(id(part))
    if isinstance(part, Tensor):
        yield part
    elif isinstance(part, (list, tuple, dict)):
        for item in part.values() if isinstance(part, dict) else part:
            yield from tensors(item, seen)
    elif hasattr(part, "__dict__"):
        yield from tensors(vars(part), seen)


def held_bytes(operator: pe.LinearOperator) -> int:
    storages = [t.untyped_storage() for t in tensors(operator, set())]
    return sum({s.data_ptr(): s.nbytes() for s in storages}.values())


class PeakMemory(TorchDispatchMode):
    """Largest number of bytes of new tensors alive at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.alive: set[int] = set()

    def __torch_dispatch__(
        self, func: Callable, types: object, args: tuple = (), kwargs=None
    ) -> object:
        result = func(*args, **(kwargs or {}))
        given = {s.data_ptr() for s in storages((args, kwargs))}
        for storage in storages(result):
            key = storage.data_ptr()
            if key and key not in given | self.alive:
                self._count(storage, key)
        return result

    def _count(self, storage: torch.UntypedStorage, key: int) -> None:
        size = storage.nbytes()
        self.alive.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self.alive.discard(key)
        self.now -= size


def storages(tree: object) -> list[torch.UntypedStorage]:
    leaves = [t for t in tree_leaves(tree) if isinstance(t, Tensor)]
    return [t.untyped_storage() for t in leaves]


def peak_bytes(run: Callable[[], object]) -> int:
    with PeakMemory() as memory:
        run()
    return memory.peak


def measure(name: str, channels: int, side: int) -> dict[str, object]:
    """One line of the table."""
    shape = (channels, side, side)
    make = OPERATORS[name]
    operator = make(shape)
    x = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))
    y = operator(x)
    operator.pinv(y)  # a composition finds its decomposition at first use
    picture = x.numel() * x.element_size()
    calls = {
        "forward": lambda: operator(x),
        "pinv": lambda: operator.pinv(y),
        "filter": lambda: operator.spectral_filter(x, tikhonov),
        "project": lambda: operator.project(x, y),
    }
    row: dict[str, object] = {"operator": name, "shape": list(shape)}

    def build() -> None:
        make(shape).pinv(y)

    pinv = milliseconds(calls["pinv"])
    row["build_ms"] = max(0.0, milliseconds(build) - pinv)
    row |= {f"{call}_ms": milliseconds(run) for call, run in calls.items()}
    row["held_bytes"] = held_bytes(operator)
    row["held_per_picture"] = held_bytes(operator) / picture
    row["peak_per_picture"] = peak_bytes(calls["project"]) / picture
    return row


def compare_with_dense(row: dict[str, object]) -> None:
    """Add ratios dense / ours for a small picture."""
    shape = tuple(row["shape"])
    operator = OPERATORS[row["operator"]](shape)
    device = torch.device("cpu")
    dense = DenseSVD.of(operator, device)
    y = operator(torch.randn(1, *shape))
    build = milliseconds(lambda: DenseSVD.of(operator, device), budget=0)
    pinv = milliseconds(lambda: dense.pinv(y))
    row["dense_build_ratio"] = build / max(row["build_ms"], 1e-3)
    row["dense_pinv_ratio"] = pinv / row["pinv_ms"]
    row["dense_held_ratio"] = held_bytes(dense) / max(row["held_bytes"], 8)


def add_growth(rows: list[dict[str, object]]) -> None:
    """Add the exponent p of time ~ pixels**p over the sizes of a name."""
    pixels = [math.log(math.prod(row["shape"])) for row in rows]
    for call in ("forward", "pinv", "filter"):
        times = [math.log(row[f"{call}_ms"]) for row in rows]
        fit = statistics.linear_regression(pixels, times)
        rows[-1][f"{call}_growth"] = fit.slope


COLUMNS = {
    "build_ms": ("build", "9.2f"),
    "forward_ms": ("forward", "9.3f"),
    "pinv_ms": ("pinv", "9.3f"),
    "filter_ms": ("filter", "9.3f"),
    "project_ms": ("project", "9.3f"),
    "held_per_picture": ("held", "8.2f"),
    "peak_per_picture": ("peak", "8.2f"),
    "pinv_growth": ("growth", "7.2f"),
    "dense_build_ratio": ("SVD:build", "10.0f"),
    "dense_pinv_ratio": ("SVD:pinv", "9.1f"),
    "dense_held_ratio": ("SVD:held", "9.0f"),
}


def line(row: dict[str, object] | None = None) -> str:
    """One line of text; the heading without a row."""
    cells = []
    for key, (heading, form) in COLUMNS.items():
        width = int(form.split(".")[0])
        value = heading if row is None else row.get(key, "")
        plain = isinstance(value, str)
        cells.append(f"{value:>{width}}" if plain else f"{value:{form}}")
    name = "operator" if row is None else row["operator"]
    shape = "shape" if row is None else "x".join(map(str, row["shape"]))
    return f"{name:20s} {shape:>10s} " + " ".join(cells)


def run(sizes: list[int]) -> list[dict[str, object]]:
    """Measure all and print line by line."""
    rows = []
    print(line())
    for name in OPERATORS:
        for side in DENSE_SIZES:
            rows.append(measure(name, 1, side))
            compare_with_dense(rows[-1])
            print(line(rows[-1]), flush=True)
        large = [measure(name, 3, side) for side in sizes]
        if len(large) > 1:
            add_growth(large)
        for row in large:
            print(line(row), flush=True)
        rows += large
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--out", type=Path, help="write the numbers as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = run(sorted(set(options.sizes)))
    versions = {
        "pinv_edu": pe.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
    }
    if options.out:
        report = {"versions": versions, "rows": rows}
        options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(", ".join(f"{k} {v}" for k, v in versions.items()))


if __name__ == "__main__":
    main()
