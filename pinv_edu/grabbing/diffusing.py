"""The scene of a diffusion sampler with back-projection inside."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.grabbing.linear import pair, row
from pinv_edu.grabbing.parts import (
    Handle,
    Panel,
    Parameter,
    Scene,
    Shape,
    Values,
)
from pinv_edu.linear import MatrixOperator
from pinv_edu.priors import GaussianMixturePrior
from pinv_edu.sampling import ddnm

STEPS = 20
THIN = [[0.0208, 0.0192], [0.0192, 0.0208]]
ROUND = [[0.01, 0.0], [0.0, 0.01]]


class Watched(GaussianMixturePrior):
    """The mixture of lessons 6 and 7, with a list of where it was asked."""

    def __init__(self, alphas_cumprod: Tensor | None = None) -> None:
        super().__init__(
            torch.tensor(
                [[-0.6, -0.6], [0.6, 0.6], [-0.6, 0.7]], dtype=torch.float64
            ),
            torch.tensor([THIN, THIN, ROUND], dtype=torch.float64),
            torch.tensor([0.4, 0.35, 0.25], dtype=torch.float64),
            alphas_cumprod,
        )
        self.asked: list[Tensor] = []

    def predict_noise(self, x_t: Tensor, t: Tensor | int) -> Tensor:
        """Note the point, and answer."""
        self.asked.append(x_t)
        return super().predict_noise(x_t, t)


def lattice() -> Tensor:
    """Where the arrows of the field start."""
    across = torch.linspace(-2.1, 2.1, 15, dtype=torch.float64)
    up = torch.linspace(-1.5, 1.5, 11, dtype=torch.float64)
    return torch.cartesian_prod(up, across).flip(1)


def field(prior: GaussianMixturePrior, alpha: float) -> list[list[float]]:
    """Arrows of the score, shorter than the lattice is wide."""
    score = prior.score(lattice(), alpha)
    arrows = 0.26 * score / (1 + score.norm(dim=1, keepdim=True))
    return torch.cat([lattice(), arrows], 1).tolist()


def see_ddnm(y: float, k: float, x1: float, x2: float) -> Values:
    """Twenty steps of DDNM without fresh noise, and the field at one."""
    prior, first, count = Watched(), row(x1, x2), int(k)
    estimates: list[Tensor] = []
    end = ddnm(
        prior, MatrixOperator([[1.0, 0.0]]), row(y), steps=STEPS, eta=0.0,
        x_T=first, progress=False,
        callback=lambda step, t, x0, projected: estimates.append(x0),
    )  # fmt: skip
    path, estimates = torch.cat([*prior.asked, end]), [*estimates, end]
    t = 50 * (STEPS - 1 - count)
    alpha = float(prior.alphas_cumprod[t]) if count < STEPS else 1.0
    x0 = estimates[count]
    hidden = [[i, float(x[0, 1])] for i, x in enumerate(estimates)]
    return {
        "x_T": pair(first),
        "state": pair(path[count]),
        "x0": pair(x0),
        "fitted": [y, float(x0[0, 1])],
        "end": pair(end),
        "path": path.tolist(),
        "line": [[y, -9], [y, 9]],
        "grip": [y, -1.45],
        "time": max(0, t),
        "hidden": hidden,
        "at": hidden[count],
        "field": field(prior, alpha),
    }


def still_clouds() -> Values:
    """Each cloud of the prior, two standard deviations wide."""
    prior = Watched()
    angles = torch.linspace(0, 2 * torch.pi, 49, dtype=torch.float64)
    circle = torch.stack([angles.cos(), angles.sin()], 1)
    roots = torch.linalg.cholesky(prior.covariances)
    return {
        "clouds": [
            (mean + 2 * circle @ root.T).tolist()
            for mean, root in zip(prior.means, roots, strict=True)
        ]
    }


DDNM = Scene(
    see=see_ddnm,
    still=still_clouds,
    parameters={
        "y": Parameter(-0.3, -1.2, 1.2),
        "k": Parameter(8, 0, 20, step=1, fine=1),
        "x1": Parameter(1.2, -2.2, 2.2),
        "x2": Parameter(0.9, -1.6, 1.6),
    },
    handles=(
        Handle("x_T", "the start x_T", "x_T", ("x1", "x2"), "x_T = {x_T}"),
        Handle("y", "measurement y", "grip", ("y",), "y = {y}"),
        Handle("k", "step of the walk", "at", ("k",),
               "step {k:0}, time {time:0}", 1),
    ),
    panels=(
        Panel((-2.3, 2.3), (-1.75, 1.75)),
        Panel((-0.5, 20.5), (-1.2, 1.2), ("steps", "hidden number $x_2$"),
              kind="chart",
              ticks=(((0, "0"), (5, "5"), (10, "10"), (15, "15"), (20, "20")),
                     ((-1, "−1"), (0, "0"), (1, "1"))), high=0.68),
    ),
    shapes=(
        Shape("area", "prior", ("clouds",), still=True),
        Shape("field", "prior", ("field",), colour="#d9a9c4"),
        Shape("curve", "data", ("line",)),
        Shape("curve", "prior", ("path",), solid=True),
        Shape("dots", "prior", ("path",)),
        Shape("arrow", "wrong", ("state", "x0")),
        Shape("arrow", "range", ("x0", "fitted")),
        Shape("dot", "wrong", ("x0",), "$x_{0|t}$", (12, -12)),
        Shape("dot", "ours", ("fitted",)),
        Shape("dot", "prior", ("state",), "$x_t$", (-14, 14)),
        Shape("note", "prior", ("x_T",), "$x_T$", (18, -12)),
        Shape("note", "data", ("grip",), "$y$ = {y}", (18, 0)),
        Shape("curve", "ours", ("hidden",), panel=1),
        Shape("dots", "ours", ("hidden",), panel=1),
    ),
    alt="Left, three purple clouds, arrows of the score at time {time:0}, "
    "and the green line x1 = y = {y}. From x_T = {x_T} a purple path of 20 "
    "steps leads to {end} on the line. At step {k:0} it is at x_t = {state}; "
    "the clean estimate is {x0}, and back-projection takes it to {fitted}. "
    "Right, the hidden number of the estimate over the steps.",
    read="Step {k:0}, t = {time:0}: xₜ = {state}, estimate {x0}, projected "
    "{fitted}. The walk ends at {end}.",
    legend=(
        ("prior", "the walk $x_t$", "line"),
        ("wrong", "clean estimate $x_{0|t}$", "point"),
        ("range", "back-projection", "line"),
        ("ours", "projected", "point"),
        ("data", "every $x$ with this $y$", "line"),
    ),
    width=720,
)  # fmt: skip
