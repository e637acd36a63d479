"""The scene of the best guess of the clean point, and of the walk back."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.grabbing.diffusing import Watched, field, still_clouds
from pinv_edu.grabbing.linear import pair, row
from pinv_edu.grabbing.parts import (
    Handle,
    Panel,
    Parameter,
    Scene,
    Shape,
    Values,
)
from pinv_edu.priors import GaussianMixturePrior
from pinv_edu.sampling import sample

SKIP = 20


def walk_back(x_t: Tensor, time: int) -> tuple[Tensor, list[Tensor]]:
    """The places of the sampler without fresh noise, and its guesses.

    It starts at ``time``: the schedule is cut off after it.
    """
    prior = Watched(Watched().alphas_cumprod[: time + SKIP])
    guesses: list[Tensor] = []
    end = sample(
        prior, 1, (time + SKIP) // SKIP, eta=0.0, x_T=x_t,
        dtype=torch.float64, progress=False,
        callback=lambda step, t, x0, projected: guesses.append(x0),
    )  # fmt: skip
    return torch.cat([*prior.asked, end]), guesses


def starts(
    prior: GaussianMixturePrior, x_t: Tensor, alpha: float
) -> GaussianMixturePrior:
    """The clean points that may have led to a place, by Bayes' rule."""
    shrink = alpha**0.5 * torch.eye(2, dtype=torch.float64)
    return prior.posterior(shrink, x_t, (1 - alpha) ** 0.5)


def see_diffusion(t: float, x1: float, x2: float) -> Values:
    """The mean of the possible starts, and the walk from here."""
    prior, here = Watched(), row(x1, x2)
    time = SKIP * round(t / SKIP)
    alphas = prior.alphas_cumprod.tolist()
    path, guesses = walk_back(here, time)
    clouds = [
        GaussianMixturePrior(mean[None], covariance[None])
        for mean, covariance in zip(
            prior.means, prior.covariances, strict=True
        )
    ]
    means = [pair(starts(c, here, alphas[time]).mean()) for c in clouds]
    errors = [
        [at, float(starts(prior, x, alphas[at]).covariance().trace().sqrt())]
        for at, x in zip(range(time, -1, -SKIP), path, strict=False)
    ]
    shares = 100 * prior.responsibilities(here, alphas[time])[0]
    return {
        "x_t": pair(here),
        "x0": pair(guesses[0]),
        "path": path.tolist(),
        "end": pair(path[-1]),
        "time": time,
        "alpha": alphas[time],
        "means": means,
        "rays": [[mean, pair(guesses[0])] for mean in means],
        **{f"w{k}": float(w) for k, w in enumerate(shares, 1)},
        "at_1": [-0.8, -1],
        "at_2": [0.95, 0.9],
        "at_3": [-0.8, 0.8],
        "errors": errors,
        "level": errors[0],
        "error": errors[0][1],
        "field": field(prior, alphas[time]),
    }


DIFFUSION = Scene(
    see=see_diffusion,
    still=still_clouds,
    parameters={
        "t": Parameter(500, 20, 980, step=40, fine=20),
        "x1": Parameter(1.2, -2.2, 2.2),
        "x2": Parameter(-0.6, -1.6, 1.6),
    },
    handles=(
        Handle("x_t", "place x_t", "x_t", ("x1", "x2"), "x_t = {x_t}"),
        Handle("t", "time t", "level", ("t",),
               "time {time:0}, typical error {error}", 1),
    ),
    panels=(
        Panel((-2.3, 2.3), (-1.75, 1.75)),
        Panel((0, 1060), (0, 1), ("time $t$", "typical error of $x_{0|t}$"),
              kind="chart",
              ticks=(((0, "0"), (250, "250"), (500, "500"), (750, "750"),
                      (1000, "1000")),
                     ((0, "0"), (0.5, "0.5"), (1, "1"))), high=0.68),
    ),
    shapes=(
        Shape("area", "prior", ("clouds",), still=True),
        Shape("field", "prior", ("field",), colour="#d9a9c4"),
        Shape("curve", "wrong", ("rays",), width=1, solid=True),
        Shape("arrow", "ours", ("x_t", "x0")),
        Shape("curve", "prior", ("path",), solid=True),
        Shape("dots", "truth", ("means",)),
        Shape("dot", "prior", ("end",)),
        Shape("dot", "ours", ("x0",)),
        Shape("dot", "prior", ("x_t",), "$x_t$", (18, -12)),
        Shape("note", "truth", ("at_1",), "{w1:0} %", (-6, 0)),
        Shape("note", "truth", ("at_2",), "{w2:0} %", (6, 0)),
        Shape("note", "truth", ("at_3",), "{w3:0} %", (-6, 0)),
        Shape("curve", "ours", ("errors",), panel=1),
        Shape("dot", "ours", ("level",), panel=1),
    ),
    alt="Left, three purple clouds and arrows of the score at time "
    "{time:0}. At x_t = {x_t} the possible starts lie in the lower left "
    "cloud with {w1:0} percent, in the upper right one with {w2:0}, in the "
    "round one with {w3:0}; their mean is x_0|t = {x0}. A purple path leads "
    "from x_t to {end}. Right, the typical error of the guess on the way, "
    "from {error} at time {time:0}, at the left end at time 0.",
    read="t = {time:0}, ᾱ = {alpha:4}: xₜ = {x_t}, its guess {x0}, typical "
    "error {error}. The walk from here ends at {end}.",
    legend=(
        ("ours", "mean start $x_{0|t}$", "point"),
        ("truth", "the same, per cloud", "point"),
        ("prior", "walk: start, end", "point"),
    ),
    width=720,
)  # fmt: skip
