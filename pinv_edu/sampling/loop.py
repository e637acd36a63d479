"""The loop that all samplers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from tqdm import tqdm

from pinv_edu.checks import check_batch
from pinv_edu.priors.schedule import Prior, add_noise, normal
from pinv_edu.sampling.schedule import Move, check_schedule, moves

Callback = Callable[[int, int, Tensor, Tensor], None]
"""Called as ``callback(step, t, x0, x0_projected)`` after each estimate."""

Update = Callable[[Tensor, Move], tuple[Tensor, Tensor, Tensor]]
"""``(x_t, move) -> (x_next, x0, x0_projected)``: one step of a method."""

NOISE_RULES = ("published", "ddim")


@dataclass(frozen=True)
class Run:
    """Settings of one run of a sampler."""

    steps: int = 100
    travel_length: int = 1
    travel_repeat: int = 1
    generator: torch.Generator | None = None
    callback: Callback | None = None
    progress: bool = True

    def check(self, times: int) -> Run:
        """Return the settings if the schedule exists, else raise."""
        check_schedule(
            times, self.steps, self.travel_length, self.travel_repeat
        )
        return self

    def quiet(self) -> Run:
        """Return the same settings without a progress bar."""
        return replace(self, progress=False)


def reverse(prior: Prior, x: Tensor, update: Update, run: Run) -> Tensor:
    """Walk from noise to a picture; ``update`` is the method."""
    schedule = list(
        moves(
            prior.alphas_cumprod,
            run.steps,
            run.travel_length,
            run.travel_repeat,
        )
    )
    calls, x0 = 0, x
    bar = tqdm(schedule, disable=not run.progress, leave=False)
    for move in bar:
        if not move.down:
            x = add_noise(x0, normal(x0, run.generator), move.alpha_next)
            continue
        x, x0, projected = update(x, move)
        if run.callback is not None:
            run.callback(calls, move.t, x0, projected)
        calls += 1
    return x


def fresh_noise(
    noise: Tensor,
    move: Move,
    eta: float,
    rule: str,
    generator: torch.Generator | None,
) -> Tensor:
    r"""Noise for the next time, partly fresh, of variance
    :math:`1 - \bar\alpha'`.

    ``"published"``: :math:`\sqrt{1 - \bar\alpha'}\,(\eta z +
    \sqrt{1 - \eta^2}\,\varepsilon)`: the share of fresh noise is
    :math:`\eta^2` at every step.
    ``"ddim"``: fresh variance :math:`\sigma^2 = \eta^2
    \frac{1 - \bar\alpha'}{1 - \bar\alpha}
    (1 - \bar\alpha / \bar\alpha')`, which shrinks with the step
    (Song, Meng, Ermon 2021, Eq. 16; :math:`\eta = 1` is DDPM).
    """
    total = 1 - move.alpha_next
    fresh = eta**2 * total
    if rule == "ddim":
        fresh = fresh / (1 - move.alpha) * (1 - move.alpha / move.alpha_next)
    kept = max(total - fresh, 0.0) ** 0.5 * noise
    if fresh == 0:
        return kept
    return kept + fresh**0.5 * normal(noise, generator)


def check_noise(eta: float, rule: str) -> None:
    """Raise unless eta and the rule are known."""
    if not 0 <= eta <= 1:
        raise ValueError(f"eta must lie in [0, 1], got {eta!r}")
    if rule not in NOISE_RULES:
        raise ValueError(
            f"noise_rule must be one of {NOISE_RULES}, got {rule!r}"
        )


def start(
    prior: Prior,
    like: Tensor,
    x_T: Tensor | None,
    generator: torch.Generator | None,
) -> Tensor:
    """First state: given, or pure noise in the type of ``like``."""
    shape = tuple(prior.shape)
    if x_T is None:
        return normal(like.new_empty(len(like), *shape), generator)
    check_batch(x_T, shape, like.device, "x_T")
    if len(x_T) != len(like):
        raise ValueError(
            f"x_T holds {len(x_T)} items and y {len(like)}: give one for each"
        )
    return x_T.to(like.dtype)


def clamp(x: Tensor, clip: tuple[float, float] | None) -> Tensor:
    """Clamp to the given range; None leaves ``x`` as it is."""
    return x if clip is None else x.clamp(*clip)
