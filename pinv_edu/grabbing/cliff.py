"""The scene of the smallest singular value, where the rank jumps."""

from __future__ import annotations

import torch

from pinv_edu.grabbing.linear import heading, pair, row
from pinv_edu.grabbing.parts import (
    Handle,
    Panel,
    Parameter,
    Scene,
    Shape,
    Values,
)
from pinv_edu.linear import MatrixOperator

LARGE, WALL = 1.6, (0.008, 2.0)
SIDES = torch.cat([heading(25), heading(115)]).T
BACK = torch.cat([heading(-40), heading(50)])


def operator(small: float, cut: float) -> MatrixOperator:
    """Singular values 1.6 and ``small``; those under the cut are zero."""
    middle = torch.diag(row(LARGE, small)[0])
    return MatrixOperator(SIDES @ middle @ BACK, cut)


def ellipse(small: float) -> list[list[float]]:
    """What the operator makes of the unit circle, before the cut."""
    angles = torch.linspace(0, 2 * torch.pi, 73, dtype=torch.float64)
    circle = torch.stack([angles.cos(), angles.sin()])
    return (SIDES @ torch.diag(row(LARGE, small)[0]) @ circle).T.tolist()


def lengths(y: torch.Tensor, low: float, high: float) -> list[list[float]]:
    """Length of the answer over the small singular value, without a cut."""
    logs = row(low, high).log()[0].tolist()
    grid = torch.linspace(*logs, 41, dtype=torch.float64).exp()
    c = (y @ SIDES)[0]
    sizes = torch.hypot(c[0] / LARGE, c[1] / grid)
    return torch.stack([grid, sizes], 1).tolist()


def see_cliff(small: float, cut: float, y1: float, y2: float) -> Values:
    r""":math:`A^+y` as the smallest singular value goes under the cut."""
    y, edge, A = row(y1, y2), cut * LARGE, operator(small, cut)
    answer, kept = A.pinv(y), small > edge
    foot, size = A(answer), float(answer.norm())
    split = min(WALL[1], max(WALL[0], edge))
    low = float(operator(WALL[0], 0.1).pinv(y).norm())
    return dropped(kept, y, foot, ellipse(small)) | {
        "y": pair(y),
        "misfit": float((y - foot).norm()),
        "length": size,
        "rank": str(int((A.singular_values() > 0).sum())),
        "verdict": "kept" if kept else "dropped",
        "long": lengths(y, split, WALL[1]),
        "would": lengths(y, WALL[0], split),
        "short": [[WALL[0], low], [split, low]],
        "edge": edge,
        "wall": [[edge, 0.4], [edge, 120]],
        "cutter": [edge, 0.6],
        "point": [small, size],
    }


def dropped(
    kept: bool, y: torch.Tensor, foot: torch.Tensor, oval: list[list[float]]
) -> Values:
    """What is drawn only while the small singular value counts, or not."""
    end = LARGE * SIDES[:, 0]
    return {
        "round": oval if kept else None,
        "ghost": None if kept else oval,
        "foot": None if kept else pair(foot),
        "kept_line": None if kept else [pair(-end), pair(end)],
        "miss": None if kept else [pair(y), pair(foot)],
    }


CLIFF = Scene(
    see=see_cliff,
    parameters={
        "small": Parameter(0.25, 0.01, 1.5, step=1.25, log=True),
        "cut": Parameter(0.01, 0.006, 0.5, step=1.25, log=True),
        "y1": Parameter(0.92, -1.9, 1.9),
        "y2": Parameter(1.09, -1.9, 1.9),
    },
    handles=(
        Handle("y", "the measurement y", "y", ("y1", "y2"), "y = {y}"),
        Handle("small", "smallest singular value", "point", ("small",),
               "{small:3}, {verdict}", 1),
        Handle("cut", "cut, as a share of the largest", "cutter", ("cut",),
               "{cut:3}", 1),
    ),
    panels=(
        Panel((-2, 2), (-2, 2), ("$y_1$", "$y_2$")),
        Panel(WALL, (0.4, 120), ("smallest singular value $σ_2$",
              "length of $A^+y$"), kind="chart", log=(True, True),
              ticks=(((0.01, "0.01"), (0.1, "0.1"), (1, "1")),
                     ((1, "1"), (10, "10"), (100, "100"))), high=0.8),
    ),
    shapes=(
        Shape("curve", "wrong", ("ghost",), width=1.4),
        Shape("curve", "range", ("round",)),
        Shape("curve", "range", ("kept_line",), width=3),
        Shape("curve", "null", ("miss",)),
        Shape("dot", "range", ("foot",), "$AA^+y$", (-12, 16)),
        Shape("dot", "data", ("y",), "$y$", (18, -10)),
        Shape("curve", "wrong", ("would",), width=1.4, panel=1),
        Shape("curve", "ours", ("long",), panel=1),
        Shape("curve", "ours", ("short",), panel=1),
        Shape("curve", "null", ("wall",), width=1.4, panel=1),
        Shape("note", "null", ("cutter",), "cut", (18, 0), panel=1),
        Shape("dot", "ours", ("point",), "{length:1}", (18, -12), panel=1),
    ),
    alt="Left, the measurements: the ellipse that A makes of the unit circle "
    "and y = {y}. Right, the length of A+y over the smallest singular value. "
    "The largest is 1.6, the smallest {small:3}; with the cut {cut:3} it is "
    "{verdict}, so the rank counts as {rank}. The misfit of y is {misfit}, "
    "the length of A+y is {length}.",
    read="σ₂ = {small:3} is {verdict}: rank {rank}. Misfit {misfit}, "
    "length of A⁺y {length}.",
    legend=(
        ("range", "what $A$ can produce", "line"),
        ("data", "$y$", "point"),
        ("ours", "length of $A^+y$", "line"),
        ("wrong", "without the cut", "line"),
        ("null", "cut, and misfit", "line"),
    ),
    width=720,
)  # fmt: skip
