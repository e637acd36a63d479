"""The scene of two couplings with a turn between them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pinv_edu.bijections import AffineCoupling, CayleyMix
from pinv_edu.chain import Chain
from pinv_edu.grabbing.linear import pair, row
from pinv_edu.grabbing.parts import (
    Handle,
    Panel,
    Parameter,
    Scene,
    Shape,
    Values,
)

RADIUS = 0.3
BOUNDS = torch.linspace(0.1, 3, 30, dtype=torch.float64)


class Waves(nn.Module):
    """A recipe: S and T are one wave each, of size, speed and phase."""

    def __init__(self, *waves: tuple[float, float, float]) -> None:
        super().__init__()
        self.waves = waves

    def forward(self, x0: Tensor) -> Tensor:
        """Return S and T in one."""
        return torch.cat(
            [size * (speed * x0 + phase).sin()
             for size, speed, phase in self.waves], 1,
        )  # fmt: skip


RECIPES = (
    Waves((1.5, 1.1, 0.2), (0.4, 1.5, 0.3)),
    Waves((1.5, 0.8, -0.5), (0.5, 1.0, 1.2)),
)


def network(bound: float) -> Chain:
    """Coupling, turn, coupling, with this bound on the scales."""
    turn = CayleyMix((2,)).double()
    turn.B.data[0, 1] = 0.5
    first, second = (
        AffineCoupling((2,), recipe, scale_bound=bound) for recipe in RECIPES
    )
    return Chain(first, turn, second).requires_grad_(False)


def slopes(G: Chain, x: Tensor) -> Tensor:
    """D G at one point, by autograd."""
    return torch.func.jacrev(lambda v: G(v[None])[0])(x[0])


def log_det(G: Chain, x: Tensor) -> Tensor:
    """The sum of the layers' own terms."""
    total = torch.zeros(len(x), dtype=x.dtype)
    for stage in G.stages:
        total = total + stage.log_det(x)
        x = stage(x)
    return total


def lines(move: Callable[[Tensor], Tensor]) -> Values:
    """Both families of lines of a square grid, moved."""
    at = torch.linspace(-1.2, 1.2, 7, dtype=torch.float64)
    along = torch.linspace(-1.2, 1.2, 33, dtype=torch.float64)
    grid = torch.cartesian_prod(at, along)

    def moved(points: Tensor) -> list:
        return move(points).reshape(7, 33, 2).tolist()

    return {"upright": moved(grid), "level": moved(grid.flip(1))}


def see_coupling(b: float, x1: float, x2: float) -> Values:
    """G and its inverse, and what D G makes of a small circle."""
    G, x = network(b), row(x1, x2)
    y, D = G(x), slopes(G, x)
    angles = torch.linspace(0, 2 * torch.pi, 49, dtype=torch.float64)
    circle = RADIUS * torch.stack([angles.cos(), angles.sin()], 1)
    most, least = torch.linalg.svdvals(D).tolist()
    others = [slopes(network(float(c)), x) for c in BOUNDS]
    grid = lines(G)
    volume = log_det(G, x)
    return {
        "x": pair(x),
        "y": pair(y),
        "back": pair(G.pinv(y)),
        "upright_map": grid["upright"],
        "level_map": grid["level"],
        "circle": (x + circle).tolist(),
        "ellipse": (y + circle @ D.T).tolist(),
        "log_det": float(volume),
        "area": float(volume.exp()),
        "most": most,
        "least": least,
        "kappa": most / least,
        "curve": [
            [float(c), float(torch.linalg.cond(J))]
            for c, J in zip(BOUNDS, others, strict=True)
        ],
        "knob": [b, most / least],
    }


COUPLING = Scene(
    see=see_coupling,
    still=lambda: lines(lambda x: x),
    parameters={
        "b": Parameter(0.7, 0.1, 3),
        "x1": Parameter(0.9, -1.2, 1.2),
        "x2": Parameter(0.9, -1.2, 1.2),
    },
    handles=(
        Handle("x", "point x", "x", ("x1", "x2"), "x = {x}"),
        Handle("y", "its image G(x)", "y", ("x1", "x2"), "G(x) = {y}", 1),
        Handle("b", "bound b of the scales", "knob", ("b",),
               "b = {b}, condition {kappa:1}", 2),
    ),
    panels=(
        Panel((-1.8, 1.8), (-1.5, 1.5), title="the plane of $x$"),
        Panel((-3, 3), (-2.5, 2.5), ("$y_1$", "$y_2$"), "$G(x)$"),
        Panel((0, 3.05), (1, 300), ("bound $b$", "condition number"),
              kind="chart", log=(False, True),
              ticks=(((0, "0"), (1, "1"), (2, "2"), (3, "3")),
                     ((1, "1"), (10, "10"), (100, "100"))), high=0.4),
    ),
    shapes=(
        Shape("curve", "range", ("upright",), width=1, still=True),
        Shape("curve", "null", ("level",), width=1, still=True),
        Shape("curve", "range", ("upright_map",), width=1, panel=1),
        Shape("curve", "null", ("level_map",), width=1, panel=1),
        Shape("area", "prior", ("circle",)),
        Shape("curve", "prior", ("circle",), solid=True),
        Shape("area", "prior", ("ellipse",), panel=1),
        Shape("curve", "prior", ("ellipse",), solid=True, panel=1),
        Shape("dot", "prior", ("x",), "$x$", (16, -16)),
        Shape("dot", "ours", ("y",), "$G(x)$", (16, -16), panel=1),
        Shape("curve", "ours", ("curve",), panel=2),
        Shape("dot", "ours", ("knob",), panel=2),
    ),
    alt="Left, a square grid and a small circle around x = {x}. Right, the "
    "images: the grid is bent and does not fold, and the circle has become "
    "an ellipse around G(x) = {y}, {area} times as large, {most} times as "
    "long and {least} times as wide. G undone gives {back}. Below, the "
    "condition number over the bound b of the scales: {kappa:1} at "
    "b = {b}.",
    read="G(x) = {y}, and back: {back}. Area × {area}, log |det| = "
    "{log_det}. Longest stretch {most}, shortest {least}; κ = {kappa:1} "
    "with b = {b}.",
    legend=(
        ("range", "$x_1$ constant", "line"),
        ("null", "$x_2$ constant", "line"),
        ("prior", "$x$, small circle", "point"),
        ("ours", "$G(x)$", "point"),
    ),
    width=720,
)  # fmt: skip
