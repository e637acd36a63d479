"""Scenes of a bent fibre: straightened, and approached by a wrong formula."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.base import PseudoInvertible
from pinv_edu.grabbing.linear import pair, row
from pinv_edu.grabbing.parts import (
    Handle,
    Panel,
    Parameter,
    Scene,
    Shape,
    Values,
)


class Wavy(PseudoInvertible):
    r""":math:`g(x) = \sinh x_1 - \sin 2x_2`, completed by :math:`z = x_2`."""

    def __init__(self) -> None:
        super().__init__((2,), (1,))

    def complete(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return y and z."""
        return x[:, :1].sinh() - (2 * x[:, 1:]).sin(), x[:, 1:]

    def complete_inverse(self, y: Tensor, z: Tensor) -> Tensor:
        """Return x."""
        return torch.cat([(y + (2 * z).sin()).asinh(), z], dim=1)

    def null_code(self, y: Tensor) -> Tensor:
        r"""Return :math:`z = 0`: the answers lie on the first axis."""
        return torch.zeros_like(y)


WAVY = Wavy()
FOOT = -1.6
"""The height at which one holds a fibre."""


def grid(low: float, high: float, n: int) -> Tensor:
    """A column of equal steps."""
    return torch.linspace(low, high, n, dtype=torch.float64)[:, None]


HEIGHTS = grid(-2.2, 2.2, 89)


def wave(y: float) -> list[list[float]]:
    """The points of a fibre, from low to high."""
    level = torch.full_like(HEIGHTS, y)
    return WAVY.complete_inverse(level, HEIGHTS).tolist()


def see_bend(y: float, x1: float, x2: float) -> Values:
    """Back-projection on both maps, and where the old formula lands."""
    x_r, target = row(x1, x2), row(y)
    y_r, z = WAVY.complete(x_r)
    x = WAVY.project(x_r, target)
    miss = x_r + WAVY.pinv(target - y_r)
    ys = grid(float(y_r), y, 25)
    return {
        "x_r": pair(x_r),
        "x": pair(x),
        "z": float(z),
        "y_r": float(y_r),
        "y_x": float(WAVY(x)),
        "miss": pair(miss),
        "y_miss": float(WAVY(miss)),
        "fibre": wave(y),
        "fibre_map": [[y, -2.2], [y, 2.2]],
        "way": WAVY.complete_inverse(ys, z.expand_as(ys)).tolist(),
        "x_r_map": [float(y_r), x2],
        "x_map": [y, x2],
        "miss_map": [float(WAVY(miss)), x2],
        "grip": pair(WAVY.complete_inverse(target, row(FOOT))),
        "grip_map": [y, FOOT],
    }


def still_bend() -> Values:
    """The two grids."""
    levels, rungs = grid(-4, 4, 9), grid(-1.5, 1.5, 7)
    across = grid(-9, 9, 91)
    return {
        "fibres": [wave(float(y)) for y in levels],
        "rungs": [
            WAVY.complete_inverse(across, z.expand_as(across)).tolist()
            for z in rungs
        ],
        "fibres_map": [[[float(y), -2.2], [float(y), 2.2]] for y in levels],
        "rungs_map": [[[-9, float(z)], [9, float(z)]] for z in rungs],
    }


FAINT_DATA, FAINT_NULL = "#a6d5c5", "#efc7aa"

BEND = Scene(
    see=see_bend,
    still=still_bend,
    parameters={
        "y": Parameter(1.5, -3.5, 3.5),
        "x1": Parameter(-1.3, -2.4, 2.4),
        "x2": Parameter(1, -1.5, 1.5),
    },
    handles=(
        Handle("x_r", "guess x_r, in the plane", "x_r", ("x1", "x2"),
               "x_r = {x_r}"),
        Handle("y", "target y, in the plane", "grip", ("y",), "y = {y}"),
        Handle("x_r_map", "guess x_r, on the map", "x_r_map", ("x1", "x2"),
               "y = {y_r}, z = {z}", 1),
        Handle("y_map", "target y, on the map", "grip_map", ("y",),
               "y = {y}", 1),
    ),
    panels=(
        Panel((-3, 3), (-1.95, 1.95), title="the plane of $x$"),
        Panel((-4.05, 4.05), (-2.63, 2.63), ("$y$", "$z$"),
              "the map $G(x)$"),
    ),
    shapes=(
        Shape("curve", "data", ("fibres",), width=1, solid=True, still=True,
              colour=FAINT_DATA),
        Shape("curve", "null", ("rungs",), width=1, solid=True, still=True,
              colour=FAINT_NULL),
        Shape("curve", "data", ("fibres_map",), width=1, solid=True,
              still=True, colour=FAINT_DATA, panel=1),
        Shape("curve", "null", ("rungs_map",), width=1, solid=True,
              still=True, colour=FAINT_NULL, panel=1),
        Shape("curve", "data", ("fibre",)),
        Shape("curve", "range", ("way",), width=3),
        Shape("dot", "wrong", ("miss",)),
        Shape("dot", "prior", ("x_r",), "$x_r$", (-16, -12)),
        Shape("dot", "ours", ("x",), "$x'$", (12, -12)),
        Shape("curve", "data", ("fibre_map",), panel=1),
        Shape("arrow", "range", ("x_r_map", "x_map"), width=3, panel=1),
        Shape("dot", "wrong", ("miss_map",), panel=1),
        Shape("dot", "prior", ("x_r_map",), "$x_r$", (-16, -12), panel=1),
        Shape("dot", "ours", ("x_map",), "$x'$", (12, -12), panel=1),
    ),
    alt="Left, the plane of x: the green wave of y = {y}; the guess {x_r} "
    "moves along a line of constant z to x' = {x} on the wave. Right, the "
    "map: the same wave is a vertical line at {y}, the grid is straight, "
    "and the move is horizontal, at z = {z}. The tempting formula ends at "
    "y = {y_miss} instead.",
    read="The guess measures {y_r}, at z = {z}. x′ = {x} measures {y_x}. "
    "The tempting formula ends at y = {y_miss}.",
    legend=(
        ("prior", "$x_r$", "point"),
        ("ours", "$x'$", "point"),
        ("wrong", "tempting", "point"),
        ("data", "$g = y$", "line"),
        ("range", "the move", "line"),
    ),
    width=720,
)  # fmt: skip


def see_tempting(y: float, x1: float, x2: float) -> Values:
    """Twenty steps of the old formula, and the one that is exact."""
    target, places = row(y), [row(x1, x2)]
    for _ in range(20):
        here = places[-1]
        places.append(here + WAVY.pinv(target - WAVY(here)))
    track = torch.cat(places)
    off = (WAVY(track) - y).abs().clamp(min=1e-8).flatten().tolist()
    angles = torch.linspace(0, torch.pi, 13, dtype=torch.float64)[:, None]
    first, reach = (track[:-1] + track[1:]) / 2, track[1:, 0] - track[:-1, 0]
    arcs = [
        torch.cat([c[0] - r / 2 * angles.cos(), c[1] + r / 4 * angles.sin()],
                  1).tolist()
        for c, r in zip(first, reach, strict=True)
    ]  # fmt: skip
    return {
        "x_r": pair(places[0]),
        "x": pair(WAVY.project(places[0], target)),
        "places": track.tolist(),
        "landed": pair(places[1]),
        "fibre": wave(y),
        "grip": pair(WAVY.complete_inverse(target, row(FOOT))),
        "arcs": arcs,
        "off": [[k, gap] for k, gap in enumerate(off)],
        "first": off[1],
        "last": off[20],
        "exact": [[0, off[0]], [1, 1e-8]],
        "hit": [1, 1e-8],
        "verdict": "they settle" if off[20] < 1e-5 else "they do not settle",
    }


def still_waves() -> Values:
    """Some fibres."""
    return {"fibres": [wave(float(y)) for y in grid(-8, 8, 9)]}


TEMPTING = Scene(
    see=see_tempting,
    still=still_waves,
    parameters={
        "y": Parameter(1.5, -4, 4),
        "x1": Parameter(-1.3, -2.7, 2.7),
        "x2": Parameter(1, -1.5, 1.5),
    },
    handles=(
        Handle("x_r", "guess x_r", "x_r", ("x1", "x2"), "x_r = {x_r}"),
        Handle("y", "target y", "grip", ("y",), "y = {y}"),
    ),
    panels=(
        Panel((-3, 3), (-1.95, 1.95)),
        Panel((-0.5, 20.5), (1e-8, 20), ("steps", "residual"), kind="chart",
              log=(False, True),
              ticks=(((0, "0"), (5, "5"), (10, "10"), (15, "15"), (20, "20")),
                     ((1e-8, "$10^{−8}$"), (1e-4, "$10^{−4}$"), (1, "1"))),
              high=0.65),
    ),
    shapes=(
        Shape("curve", "wrong", ("fibres",), width=1, solid=True, still=True,
              colour="#d4d4d4"),
        Shape("curve", "data", ("fibre",)),
        Shape("curve", "wrong", ("arcs",), width=1, solid=True),
        Shape("dots", "wrong", ("places",)),
        Shape("arrow", "range", ("x_r", "x"), width=3),
        Shape("dot", "prior", ("x_r",), "$x_r$", (-16, -12)),
        Shape("dot", "ours", ("x",), "$x'$", (12, 16)),
        Shape("note", "data", ("grip",), "$y$ = {y:1}", (-18, 0)),
        Shape("curve", "wrong", ("off",), solid=True, panel=1),
        Shape("dots", "wrong", ("off",), panel=1),
        Shape("curve", "range", ("exact",), width=3, panel=1),
        Shape("dot", "ours", ("hit",), panel=1),
    ),
    alt="Left, the fibre of y = {y} and the places that the tempting formula "
    "visits from the guess {x_r}, joined by arcs; the first step lands at "
    "{landed}. Non-linear back-projection goes to x' = {x} on the fibre in "
    "one step. Right, the residuals over 20 steps on a logarithmic scale: "
    "{first:3} after the first tempting step and {last:3} after the last; "
    "{verdict}. Back-projection is at zero after one.",
    read="Tempting steps: residual {first:3} after one, {last:3} after 20; "
    "{verdict}. Back-projection: x′ = {x}, exact after one.",
    legend=(
        ("data", "$g(x) = y$", "line"),
        ("wrong", "tempting steps", "line"),
        ("range", "back-projection", "line"),
        ("prior", "guess $x_r$", "point"),
        ("ours", "$x'$", "point"),
    ),
    width=720,
)  # fmt: skip
