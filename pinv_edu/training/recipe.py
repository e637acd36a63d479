"""The settings of a training, and all that they fix before it begins.

Pictures, times and noises of step k depend on the settings and k alone, and
so do the noisy pictures on which held-out losses are measured.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pinv_edu.priors.schedule import linear_alphas_cumprod
from pinv_edu.training.data import to_unit

TIMES = 1_000
BINS = 10
DRAWS = 2_000  # held-out noisy pictures, 200 in each bin
FREE = ("out", "data", "threads", "every", "minutes")  # may change on resume


@dataclass(frozen=True)
class Recipe:
    """Settings of one training; the command line has the same names."""

    name: str
    out: Path
    data: Path | None = None
    init: Path | None = None
    steps: int = 20_000
    batch: int = 64
    lr: float | None = None
    warmup: int = 200
    ema: float = 0.9998
    seed: int = 0
    flip: bool = False
    bf16: bool = False
    threads: int = 1
    every: int = 250
    minutes: float = 0.0

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "threads", "every", "warmup"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be at least 1, got {getattr(self, name)}"
                )
        if self.lr is not None and not self.lr > 0:
            raise ValueError(f"lr must be positive, got {self.lr}")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema must be in [0, 1), got {self.ema}")
        if self.seed < 0 or self.minutes < 0:
            raise ValueError(
                f"seed and minutes must not be negative, got {self.seed} "
                f"and {self.minutes}"
            )

    @property
    def peak(self) -> float:
        """Largest learning rate: 3e-4 going on from weights, 8e-4 anew."""
        return self.lr or (3e-4 if self.init else 8e-4)

    def fixed(self) -> dict[str, Any]:
        """Return the settings that decide the weights."""
        return {
            key: str(value) if isinstance(value, Path) else value
            for key, value in asdict(self).items()
            if key not in FREE
        }


def seeded(*key: int) -> torch.Generator:
    """Return a generator whose seed mixes all numbers of ``key``."""
    seed = int(np.random.SeedSequence(key).generate_state(1)[0])
    return torch.Generator().manual_seed(seed)


@lru_cache(maxsize=2)
def epoch_order(count: int, seed: int, epoch: int) -> Tensor:
    """Return the order of ``count`` pictures in one epoch."""
    return torch.randperm(count, generator=seeded(seed, 0, epoch))


def picture_indices(count: int, recipe: Recipe, step: int) -> Tensor:
    """Return which pictures step ``step`` sees: each once per epoch."""
    first = step * recipe.batch
    epochs = range(first // count, (first + recipe.batch - 1) // count + 1)
    order = torch.cat([epoch_order(count, recipe.seed, e) for e in epochs])
    start = first - epochs[0] * count
    return order[start : start + recipe.batch]


def draw(
    pictures: Tensor, recipe: Recipe, step: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return pictures x_0, times t (one per stratum) and noises ε."""
    generator = seeded(recipe.seed, 1, step)
    x0 = to_unit(pictures[picture_indices(len(pictures), recipe, step)])
    size = recipe.batch
    times = (torch.arange(size) + torch.rand(size, generator=generator)) / size
    noise = torch.randn(x0.shape, generator=generator)
    if recipe.flip:
        mirrored = torch.rand(size, generator=generator) < 0.5
        x0 = torch.where(mirrored[:, None, None, None], x0.flip(-1), x0)
    return x0, (times * TIMES).long().clamp(max=TIMES - 1), noise


def signal_shares() -> Tensor:
    """Return ᾱ_t for linear β from 1e-4 to 0.02, float32 ``(1000,)``."""
    return linear_alphas_cumprod(TIMES).float()


def diffuse(x0: Tensor, times: Tensor, noise: Tensor) -> Tensor:
    """Return x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε."""
    share = signal_shares()[times].view(-1, 1, 1, 1)
    return share.sqrt() * x0 + (1 - share).sqrt() * noise


def min_snr_weight(times: Tensor, ceiling: float = 5.0) -> Tensor:
    """Return min(SNR, 5)/SNR with SNR = ᾱ/(1−ᾱ) (Hang et al. 2023)."""
    share = signal_shares()[times]
    snr = share / (1 - share)
    return snr.clamp(max=ceiling) / snr


@torch.no_grad()
def held_out_losses(
    unet: nn.Module, pictures: Tensor, draws: int = DRAWS
) -> list[float]:
    """Return the mean squared error of ε_θ in ten equal bins of t.

    The ``draws`` times are spread evenly, pictures are taken in turn, and
    the noise comes from a fixed seed: two calls compare two networks on the
    same noisy pictures.
    """
    times = (torch.arange(draws) * TIMES) // draws
    # 7919 is prime: every bin gets pictures from the whole set.
    which = (torch.arange(draws) * 7919) % len(pictures)
    generator = seeded(20_26, 2)
    errors = []
    for part in torch.arange(draws).split(64):
        x0 = to_unit(pictures[which[part]])
        noise = torch.randn(x0.shape, generator=generator)
        guess = unet(diffuse(x0, times[part], noise), times[part]).sample
        errors.append((guess - noise).square().mean((1, 2, 3)))
    error, bins = torch.cat(errors), times * BINS // TIMES
    return [error[bins == k].mean().item() for k in range(BINS)]
