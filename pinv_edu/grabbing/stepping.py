"""The scene of relaxed back-projection against gradient steps."""

from __future__ import annotations

from collections.abc import Callable

import torch

from pinv_edu.grabbing.linear import heading, normal, pair, row
from pinv_edu.grabbing.parts import (
    Handle,
    Panel,
    Parameter,
    Scene,
    Shape,
    Values,
)
from pinv_edu.linear import MatrixOperator

GOAL = (1.0, 0.5)
TILT = 30.0


def walk(
    x: torch.Tensor, move: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """The start and the twenty points after it, (21, 2)."""
    path = [x]
    for _ in range(20):
        path.append(move(path[-1]))
    return torch.cat(path)


def see_steps(
    kappa: float, lam: float, tau: float, x1: float, x2: float
) -> Values:
    r"""Twenty gradient steps and twenty relaxed back-projections."""
    v, goal, x = heading(TILT), row(*GOAL), row(x1, x2)
    A = MatrixOperator(torch.cat([v, normal(v) / kappa]))
    y = A(goal)
    gradient = walk(x, lambda here: here + tau * A.adjoint(y - A(here)))
    relaxed = walk(x, lambda here: A.project(here, y, lam))

    def off(path: torch.Tensor) -> list[list[float]]:
        gaps = (A(path) - y).norm(dim=1).clamp(min=1e-6).tolist()
        return [[k, gap] for k, gap in enumerate(gaps)]

    return {
        "goal": list(GOAL),
        "x_0": pair(x),
        "gradient": gradient.tolist(),
        "relaxed": relaxed.tolist(),
        "first": pair(gradient[1]),
        "jump": pair(relaxed[1]),
        "off_gradient": off(gradient),
        "off_relaxed": off(relaxed),
        "rings": rings(kappa),
        "left_gradient": off(gradient)[20][1],
        "left_relaxed": off(relaxed)[20][1],
    }


def rings(kappa: float) -> list[list[list[float]]]:
    """Ellipses of equal residual around the goal."""
    v, goal = heading(TILT), row(*GOAL)
    angles = torch.linspace(0, 2 * torch.pi, 73, dtype=torch.float64)[:, None]
    ring = angles.cos() * v + angles.sin() * kappa * normal(v)
    return [(goal + r * ring).tolist() for r in (0.5, 1, 1.5, 2, 2.5)]


STEPS = Scene(
    see=see_steps,
    parameters={
        "kappa": Parameter(3, 1, 10, step=1.25, log=True),
        "lam": Parameter(0.5, 0, 2.5),
        "tau": Parameter(1, 0, 2.5),
        "x1": Parameter(-1, -1.9, 2.9),
        "x2": Parameter(1.4, -1.5, 2.3),
    },
    handles=(
        Handle("x_0", "the start", "x_0", ("x1", "x2"), "x_0 = {x_0}"),
        Handle("jump", "strength λ of back-projection", "jump", ("lam",),
               "λ = {lam}"),
        Handle("first", "size τ of the gradient step", "first", ("tau",),
               "τ = {tau}"),
    ),
    panels=(
        Panel((-2, 3), (-1.6, 2.4)),
        Panel((-0.5, 20.5), (1e-6, 1e3), ("steps", "residual"), kind="chart",
              log=(False, True),
              ticks=(((0, "0"), (5, "5"), (10, "10"), (15, "15"), (20, "20")),
                     ((1e-6, "$10^{−6}$"), (1e-3, "$10^{−3}$"), (1, "1"),
                      (1e3, "$10^3$"))), high=0.75),
    ),
    shapes=(
        Shape("curve", "data", ("rings",), width=0.9, solid=True,
              colour="#a9cfc0"),
        Shape("curve", "wrong", ("gradient",)),
        Shape("dots", "wrong", ("gradient",)),
        Shape("curve", "range", ("relaxed",)),
        Shape("dots", "range", ("relaxed",)),
        Shape("dot", "ours", ("goal",), "$A^+y$", (14, 14)),
        Shape("note", "range", ("jump",), "$λ$ = {lam}", (-16, 16)),
        Shape("note", "wrong", ("first",), "$τ$ = {tau}", (18, 12)),
        Shape("dot", "prior", ("x_0",), "$x_0$", (-16, -10)),
        Shape("curve", "wrong", ("off_gradient",), panel=1),
        Shape("dots", "wrong", ("off_gradient",), panel=1),
        Shape("curve", "range", ("off_relaxed",), panel=1),
        Shape("dots", "range", ("off_relaxed",), panel=1),
    ),
    alt="Left, the plane with rings of equal residual around the goal "
    "(1, 0.5). From x_0 = {x_0}, back-projection with strength {lam} goes "
    "straight along one line, gradient steps of size {tau} bend towards the "
    "steep direction first. Right, the residuals over 20 steps on a "
    "logarithmic scale; in the end {left_relaxed:3} for back-projection and "
    "{left_gradient:3} for gradient steps.",
    read="Condition {kappa:1}. After 20 steps: back-projection with "
    "λ = {lam} leaves {left_relaxed:3}, gradient steps of τ = {tau} leave "
    "{left_gradient:3}.",
    legend=(
        ("range", "back-projection, strength $λ$", "line"),
        ("wrong", "gradient steps, size $τ$", "line"),
        ("data", "equal residual", "line"),
    ),
    width=720,
)  # fmt: skip
