"""Train a bundled prior: ``python -m pinv_edu.train_prior NAME``.

NAME is ``fashion-mnist`` or ``emoji``.  The same command, given again, goes
on from the last checkpoint.  The weights after the last step depend only on
the settings, not on the interruptions: the pictures, times and noises of
step k come from generators seeded with (seed, k).  (``--minutes`` gives this
up: the learning rate then follows the clock.)

The recipe: a U-Net predicts the noise ε in x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε,
weighted by min(SNR_t, 5)/SNR_t (Hang et al. 2023), times stratified over
each batch, AdamW with warm-up and cosine decay, and a running mean (EMA) of
the weights, which is what is shipped.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from pinv_edu.training.data import LOADERS, Pictures, load_pictures
from pinv_edu.training.recipe import (
    Recipe,
    diffuse,
    draw,
    held_out_losses,
    min_snr_weight,
)
from pinv_edu.training.report import write_report
from pinv_edu.training.unet import attend_in_float32, first_unet

CHECKPOINT = "checkpoint.pt"
KEPT = ("step", "seconds", "before", "history")  # beside the tensors


class Run:
    """Weights, their running mean, optimizer and position of a training."""

    def __init__(self, recipe: Recipe, unet: nn.Module) -> None:
        self.recipe = recipe
        self.unet = unet.train()
        self.ema = copy.deepcopy(unet).eval().requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            unet.parameters(), recipe.peak, (0.9, 0.99), weight_decay=1e-4
        )
        if recipe.bf16:
            attend_in_float32(unet)
        self.step, self.seconds = 0, 0.0
        self.before: list[float] = []  # held-out losses of the first weights
        self.history: list[list[float]] = []  # step, loss, held-out loss, s

    @property
    def progress(self) -> float:
        """Share of the schedule that is done, by steps or by the clock."""
        clock = self.recipe.minutes * 60
        share = self.seconds / clock if clock else 0.0
        return max(self.step / self.recipe.steps, share)

    def learning_rate(self) -> float:
        """Return warm-up times cosine, from the peak to 1 % of it."""
        warm = min(1.0, (self.step + 1) / self.recipe.warmup)
        wave = 0.505 + 0.495 * math.cos(math.pi * self.progress)
        return self.recipe.peak * warm * wave

    def advance(self, pictures: Tensor) -> float:
        """Take one step of AdamW and of the mean; return the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        loss = self.loss(*draw(pictures, self.recipe, self.step))
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self.average()
        return loss.item()

    def loss(self, x0: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        """Return mean over the batch of w_t ‖ε_θ(x_t, t) − ε‖²/n."""
        noisy = diffuse(x0, times, noise)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bf16):
            guess = self.unet(noisy, times).sample
        error = (guess.float() - noise).square().mean((1, 2, 3))
        return (min_snr_weight(times) * error).mean()

    @torch.no_grad()
    def average(self) -> None:
        """Move the running mean; early on it spans a fifth of the run."""
        decay = min(self.recipe.ema, (1 + self.step) / (6 + self.step))
        torch._foreach_lerp_(
            list(self.ema.parameters()),
            list(self.unet.parameters()),
            1 - decay,
        )

    def save(self) -> None:
        """Write the checkpoint whole or not at all."""
        path = self.recipe.out / CHECKPOINT
        state = {
            "unet": self.unet.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "settings": self.recipe.fixed(),
            **{key: getattr(self, key) for key in KEPT},
        }
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            torch.save(state, file)
            os.fsync(file.fileno())
        part.replace(path)

    def restore(self) -> bool:
        """Go on from the checkpoint if there is one; return whether."""
        path = self.recipe.out / CHECKPOINT
        if not path.is_file():
            return False
        state = torch.load(path, weights_only=True)
        check_settings(path, state["settings"], self.recipe.fixed())
        self.unet.load_state_dict(state["unet"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        for key in KEPT:
            setattr(self, key, state[key])
        return True


def check_settings(
    path: Path, stored: dict[str, Any], wanted: dict[str, Any]
) -> None:
    """Raise ``ValueError`` if the checkpoint is from other settings."""
    changed = [key for key in wanted if stored.get(key) != wanted[key]]
    if changed:
        was = ", ".join(f"{key}={stored.get(key)}" for key in changed)
        now = ", ".join(f"{key}={wanted[key]}" for key in changed)
        raise ValueError(
            f"{path} was begun with {was}, now {now}: give the same "
            f"settings to go on, or another --out to begin anew"
        )


def train(recipe: Recipe, data: Pictures, unet: nn.Module) -> Run:
    """Train to the end of the schedule, on from a checkpoint if there is one.

    ``recipe.out`` receives a checkpoint every ``recipe.every`` steps and at
    the end.  Returns the finished run; ``run.ema`` is the result.
    """
    recipe.out.mkdir(parents=True, exist_ok=True)
    run = Run(recipe, unet)
    if not run.restore():
        run.before = held_out_losses(run.ema, data.held_out)
    losses: list[float] = []
    with tqdm(total=recipe.steps, initial=run.step, mininterval=10) as bar:
        last = time.monotonic()
        while run.progress < 1:
            losses.append(run.advance(data.train))
            last, begun = time.monotonic(), last
            run.seconds += last - begun
            bar.update()
            if run.step % recipe.every == 0 or run.progress >= 1:
                note(run, losses, data)
    return run


def note(run: Run, losses: list[float], data: Pictures) -> None:
    """Save the run, and note and print where it stands."""
    mean = float(np.mean(losses))
    held = float(np.mean(held_out_losses(run.ema, data.held_out, 400)))
    run.history.append([run.step, mean, held, run.seconds])
    losses.clear()
    run.save()
    tqdm.write(
        f"step {run.step}  {run.seconds / 60:.1f} min  loss {mean:.5f}  "
        f"held-out {held:.5f}  next lr {run.learning_rate():.1e}"
    )


def parse(arguments: Sequence[str] | None = None) -> Recipe:
    """Return the settings given on the command line."""
    parser = argparse.ArgumentParser(
        "python -m pinv_edu.train_prior",
        description="Train a bundled prior, or go on from its checkpoint.",
    )
    add = parser.add_argument
    add("name", choices=sorted(LOADERS))
    add("--out", type=Path, help="folder to write (default: prior-NAME)")
    add("--data", type=Path, help="folder of the IDX files, or the font file")
    add("--init", type=Path, help="diffusers folder to go on from")
    add("--steps", type=int, default=Recipe.steps)
    add("--batch", type=int, default=Recipe.batch)
    add("--lr", type=float, help="peak (default: 8e-4, with --init 3e-4)")
    add("--warmup", type=int, default=Recipe.warmup, help="in steps")
    add("--ema", type=float, default=Recipe.ema, help="largest decay")
    add("--seed", type=int, default=Recipe.seed)
    add("--threads", type=int, default=Recipe.threads)
    add("--every", type=int, default=Recipe.every, help="steps per save")
    add("--flip", action="store_true", help="mirror half of the pictures")
    add("--bf16", action="store_true", help="network in bfloat16, faster")
    add("--minutes", type=float, default=0.0, help="end the cosine by then")
    given = vars(parser.parse_args(arguments))
    given["out"] = given["out"] or Path(f"prior-{given['name']}")
    return Recipe(**given)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, then write weights, model card and samples."""
    try:
        recipe = parse(arguments)
        data = load_pictures(recipe.name, recipe.data)
        unet = first_unet(recipe, data.shape)
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(f"train_prior: {error}") from error
    torch.set_num_threads(recipe.threads)
    write_report(train(recipe, data, unet), data)


if __name__ == "__main__":
    main()
