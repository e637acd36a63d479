"""Our operators beside those of the published DDNM code, in one run.

python benchmarks/against_ddnm.py DDNM/functions/svd_operators.py

The file is that of github.com/wyhuai/DDNM (MIT); it is not part of this
repository.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch

import pinv_edu as pe

SIDE = 256
SHAPE = (3, SIDE, SIDE)
Pair = tuple[Callable[[], object], Callable[[], pe.LinearOperator]]


def load(path: Path) -> ModuleType:
    sys.modules.setdefault("cv2", ModuleType("cv2"))  # imported, not used
    spec = importlib.util.spec_from_file_location("svd_operators", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bicubic_taps(factor: int) -> torch.Tensor:
    t = (torch.arange(4 * factor) + 0.5).abs().sub(2 * factor).abs() / factor
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    taps = torch.where(t <= 1, near, far)
    return taps / taps.sum()


def pairs(theirs: ModuleType) -> dict[str, Pair]:
    """Makers of the same degradation, theirs and ours."""
    n, cpu = SIDE, "cpu"
    seen = torch.rand(n, n) < 0.5
    hidden = (~seen).flatten().nonzero().flatten()
    hidden = torch.cat([3 * hidden + c for c in range(3)])
    five, nine = pe.gaussian_kernel(5, 10.0), pe.box_kernel(9)
    order = torch.randperm(n * n)
    return {
        "mean pooling x4": (
            lambda: theirs.SuperResolution(3, n, 4, cpu),
            lambda: pe.AveragePool(SHAPE, 4),
        ),
        "inpainting 50 %": (
            lambda: theirs.Inpainting(3, n, hidden, cpu),
            lambda: pe.Inpainting(SHAPE, seen),
        ),
        "colorization": (
            lambda: theirs.Colorization(n, cpu),
            lambda: pe.Grayscale(SHAPE),
        ),
        "Walsh-Hadamard 25 %": (
            lambda: theirs.WalshHadamardCS(3, n, 4, order, cpu),
            lambda: pe.WalshHadamard(SHAPE, 0.25),
        ),
        "bicubic x4": (
            lambda: theirs.SRConv(bicubic_taps(4), 3, n, cpu, stride=4),
            lambda: pe.BicubicDownsample(SHAPE, 4),
        ),
        "deblurring, 5 taps": (
            lambda: theirs.Deblurring(five.float(), 3, n, cpu),
            lambda: pe.SeparableBlur(SHAPE, five, five),
        ),
        "deblurring, 9 taps": (
            lambda: theirs.Deblurring(nine.float(), 3, n, cpu),
            lambda: pe.SeparableBlur(SHAPE, nine, nine),
        ),
        "the same by FFT": (
            lambda: theirs.Deblurring(nine.float(), 3, n, cpu),
            lambda: pe.Blur(SHAPE, nine[:, None] * nine),
        ),
        "blocks of 32, 25 %": (
            lambda: theirs.CS(3, n, 0.25, cpu),
            lambda: pe.BlockSensing(SHAPE, 0.25, 32),
        ),
    }


def compare(
    one: Callable, other: Callable, runs: int
) -> tuple[float, float, float]:
    """Median times in ms, runs taking turns, and their ratio."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for call, taken in zip((one, other), times):
            before = time.thread_time()
            call()
            taken.append(time.thread_time() - before)
    a, b = (1e3 * statistics.median(taken) for taken in times)
    return a, b, a / b


def rows(theirs: Callable, ours: Callable, runs: int) -> list[tuple]:
    """Compare forward, pseudo-inverse and back-projection."""
    a, b = theirs(), ours()
    x = torch.randn(1, *SHAPE)
    flat, y = x.flatten(1), b(x)
    y_flat = a.A(flat)
    calls = [
        (lambda: a.A(flat), lambda: b(x)),
        (lambda: a.A_pinv(y_flat.clone()), lambda: b.pinv(y)),
        (
            lambda: flat - a.A_pinv(a.A(flat) - y_flat),
            lambda: b.project(x, y),
        ),
    ]
    return [compare(one, other, runs) for one, other in calls]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--runs", type=int, default=31)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"3 x {SIDE} x {SIDE}, float32: theirs ms, ours ms, theirs / ours")
    heads = ("forward", "pseudo-inverse", "back-projection")
    print(" " * 20 + "".join(f"{head:>27s}" for head in heads))
    for name, pair in pairs(load(options.file)).items():
        times = rows(*pair, options.runs)
        cells = [f"{p:10.2f} {q:8.2f} {r:7.1f}" for p, q, r in times]
        print(f"{name:20s}" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
