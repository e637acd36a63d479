"""One phase of a training: steps, looks and checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from pinv_edu.solving import solved_once
from pinv_edu.spnn.batches import Batches
from pinv_edu.spnn.history import History, Row, identities
from pinv_edu.spnn.losses import Objective

LOOK = 16  # items on which the identities are logged
KEPT = ("step", "seconds", "best", "best_weights", "waited")


class Run:
    """Optimiser and position of one phase; see :func:`train_spnn`."""

    def __init__(
        self,
        objective: Objective,
        weights: list[nn.Parameter],
        batches: Batches,
        held_out: Batches | None,
        history: History,
    ) -> None:
        self.g, self.objective = objective.g, objective
        self.settings = settings = objective.settings
        self.batches, self.held_out = batches, held_out
        self.weights, self.history = weights, history
        self.optimizer = torch.optim.AdamW(
            weights, settings.lr, weight_decay=settings.weight_decay
        )
        self.step, self.seconds, self.waited = 0, 0.0, 0
        self.best: float | None = None
        self.best_weights: list[Tensor] = []
        self.losses: list[Row] = []  # since the last look

    def go(self, save: Callable[[Run], None], progress: bool) -> None:
        """Train to the end of the budget, or until patience ends."""
        if not self.step:
            self.look()
        clock = time.monotonic()
        with tqdm(
            desc=f"phase {self.settings.phase}",
            total=self.settings.steps,
            initial=self.step,
            disable=not progress,
        ) as bar:
            while not self.stopped():
                loss = self.advance()
                clock, begun = time.monotonic(), clock
                self.seconds += clock - begun
                bar.update()
                bar.set_postfix(loss=f"{loss:.3g}", refresh=False)
                if self.step % self.settings.every == 0 or self.stopped():
                    self.look()
                    save(self)
        self.history.stopped = self.stopped()
        self.keep_best()

    def advance(self) -> float:
        """Take one step of AdamW; return the loss."""
        rate = self.settings.learning_rate(self.step, self.used())
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        with solved_once():
            loss, parts = self.objective(*self.batches[self.step])
            loss.backward()
        self.losses.append(self._numbers(loss, parts))
        nn.utils.clip_grad_norm_(self.weights, self.settings.clip)
        self.optimizer.step()
        self.step += 1
        return self.losses[-1]["loss"]

    def _numbers(self, loss: Tensor, parts: dict[str, Tensor]) -> Row:
        if not loss.isfinite():
            raise ValueError(
                f"the loss is {loss.item()} at step {self.step}: give a "
                f"lower lr or a smaller scale_bound"
            )
        return {"loss": loss.item()} | {k: v.item() for k, v in parts.items()}

    def used(self) -> float:
        """Share of the budget that is used."""
        return self.settings.progress(self.step, self.seconds)

    def stopped(self) -> str:
        """Why the phase is over, or nothing while it is not."""
        patience = self.settings.patience
        if patience is not None and self.waited >= patience:
            return "patience"
        if self.used() < 1:
            return ""
        by_steps = self.settings.progress(self.step, 0.0) >= 1
        return "steps" if by_steps else "seconds"

    @torch.no_grad()
    def look(self) -> None:
        """Add a row: mean losses, validation, residuals of the laws."""
        batch = self.batches[0]
        rows = self.losses or [self._numbers(*self.objective(*batch))]
        row: Row = {
            "phase": self.settings.phase,
            "step": self.step,
            "seconds": self.seconds,
            **{k: sum(r[k] for r in rows) / len(rows) for k in rows[0]},
        }
        if self.held_out is not None:
            row["validation"] = self.validate()
        self.history.append(row | identities(self.g, batch[0][:LOOK]))
        self.losses.clear()

    def validate(self) -> float:
        """Return the loss on the held-out pairs; keep the best weights."""
        total = 0.0
        for x, y in self.held_out.once():
            total += self.objective(x, y)[0].item() * len(x)
        value = total / self.held_out.count
        self.waited += 1
        if self.best is None or value < self.best:
            self.best, self.waited = value, 0
            self.best_weights = [w.detach().clone() for w in self.weights]
        return value

    @torch.no_grad()
    def keep_best(self) -> None:
        """Put the weights of the best look back, if there were looks."""
        for weight, best in zip(self.weights, self.best_weights):
            weight.copy_(best)

    def state(self) -> dict[str, Any]:
        """Tensors and numbers from which the phase goes on."""
        return {
            "model": self.g.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            **{key: getattr(self, key) for key in KEPT},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state`."""
        self.g.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for key in KEPT:
            setattr(self, key, state[key])
