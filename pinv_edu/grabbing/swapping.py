"""The scene of the swap with a null code, on both maps."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.grabbing.curved import FOOT, Wavy, grid, still_waves, wave
from pinv_edu.grabbing.linear import pair, row
from pinv_edu.grabbing.parts import (
    Handle,
    Panel,
    Parameter,
    Scene,
    Shape,
    Values,
)


class Coded(Wavy):
    r"""The waves, with answers at :math:`q^*(y) = 0.45 \sin y`."""

    def null_code(self, y: Tensor) -> Tensor:
        """Return z, which now depends on y."""
        return 0.45 * y.sin()


CODED = Coded()
TARGETS = grid(-5.5, 5.5, 89)


def on_map(x: Tensor) -> list[list[float]]:
    """The coordinates (y, z) of points."""
    return torch.cat(CODED.complete(x), 1).tolist()


def see_swap(y: float, x1: float, x2: float, lam: float) -> Values:
    """The swap of any strength, its way, and the old formula."""
    x_r, target = row(x1, x2), row(y)
    y_x, z_x = CODED.complete(x_r)
    kept = z_x - CODED.null_code(y_x)
    x = CODED.project(x_r, target, lam)
    y_new, z_new = CODED.complete(x)
    miss = x_r + CODED.pinv(target - y_x)
    shares = torch.linspace(0, lam, 25, dtype=torch.float64)
    way = CODED.project(x_r.expand(25, 2), target.expand(25, 1), shares)
    answers = CODED.pinv(TARGETS)
    reach = CODED.project(x_r.expand(len(TARGETS), 2), TARGETS)
    return {
        "x_r": pair(x_r),
        "x": pair(x),
        "y_x": float(y_x),
        "z": x2,
        "kept": float(kept),
        "y_new": float(y_new),
        "kept_new": float(z_new - CODED.null_code(y_new)),
        "miss": pair(miss),
        "y_miss": float(CODED(miss)),
        "fibre": wave(y),
        "fibre_map": [[y, -9], [y, 9]],
        "grip": pair(CODED.complete_inverse(target, row(FOOT))),
        "grip_map": [y, FOOT],
        "answers": answers.tolist(),
        "answers_map": on_map(answers),
        "reach": reach.tolist(),
        "reach_map": on_map(reach),
        "way": way.tolist(),
        "way_map": on_map(way),
        "x_r_map": on_map(x_r)[0],
        "x_map": on_map(x)[0],
        "miss_map": on_map(miss)[0],
    }


SWAP = Scene(
    see=see_swap,
    still=still_waves,
    parameters={
        "y": Parameter(1.5, -3.5, 3.5),
        "x1": Parameter(-1.3, -2.4, 2.4),
        "x2": Parameter(0.6, -1.2, 1.2),
        "lam": Parameter(1, 0, 2, step=0.05),
    },
    handles=(
        Handle("x_r", "guess x_r, in the plane", "x_r", ("x1", "x2"),
               "x_r = {x_r}"),
        Handle("y", "target y, in the plane", "grip", ("y",), "y = {y}"),
        Handle("x_r_map", "guess x_r, on the map", "x_r_map", ("x1", "x2"),
               "y = {y_x}, z = {z}", 1),
        Handle("y_map", "target y, on the map", "grip_map", ("y",),
               "y = {y}", 1),
        Handle("lam", "strength, at x' on the map", "x_map", ("lam",),
               "strength {lam}", 1),
    ),
    panels=(
        Panel((-3, 3), (-1.95, 1.95), title="the plane of $x$"),
        Panel((-4.05, 4.05), (-2.63, 2.63), ("$y$", "$z$"),
              "the map $G(x)$"),
    ),
    shapes=(
        Shape("curve", "wrong", ("fibres",), width=1, solid=True, still=True,
              colour="#d4d4d4"),
        Shape("curve", "range", ("answers",), width=1.6),
        Shape("curve", "null", ("reach",), width=1.6),
        Shape("curve", "data", ("fibre",)),
        Shape("curve", "ours", ("way",), width=3),
        Shape("dot", "wrong", ("miss",)),
        Shape("dot", "prior", ("x_r",), "$x_r$", (-16, -12)),
        Shape("dot", "ours", ("x",), "$x'$", (12, 16)),
        Shape("curve", "range", ("answers_map",), width=1.6, panel=1),
        Shape("curve", "null", ("reach_map",), width=1.6, panel=1),
        Shape("curve", "data", ("fibre_map",), panel=1),
        Shape("curve", "ours", ("way_map",), width=3, panel=1),
        Shape("dot", "wrong", ("miss_map",), panel=1),
        Shape("dot", "prior", ("x_r_map",), "$x_r$", (-16, -12), panel=1),
        Shape("dot", "ours", ("x_map",), "$x'$", (12, 16), panel=1),
    ),
    alt="Left, the plane of x: from the guess {x_r} a light blue bent path "
    "leads to x' = {x}; the green wave is the fibre of y = {y}. Right, the "
    "map: the same path is straight, from y = {y_x} to y = {y_new}, at "
    "strength {lam}, and the fibre is vertical. The dashed vermilion curve "
    "through the guess is the blue curve of answers, moved up by {kept}; "
    "x' is {kept_new} above the blue curve. The tempting formula ends at "
    "y = {y_miss}.",
    read="λ = {lam}: the guess measures {y_x}, x′ measures {y_new}. Height "
    "above the answers: guess {kept}, x′ {kept_new}. The tempting formula "
    "ends at y = {y_miss}.",
    legend=(
        ("prior", "$x_r$", "point"),
        ("ours", "$x'$ and its way", "line"),
        ("wrong", "tempting", "point"),
        ("data", "$g = y$", "line"),
        ("range", "answers", "line"),
        ("null", "reachable", "line"),
    ),
    width=720,
)  # fmt: skip
