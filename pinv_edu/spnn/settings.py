"""The settings of a training of an SPNN, checked before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from numbers import Real
from typing import Any

Phases = tuple[int, ...]
PHASES: dict[int | str, Phases] = {1: (1,), 2: (2,), "both": (1, 2)}
FREE = ("seconds", "every", "patience")  # may change when going on


@dataclass(frozen=True)
class Settings:
    """Numbers that decide one phase; see :func:`train_spnn`."""

    phase: int
    steps: int | None
    seconds: float | None
    task: str
    task_weight: float
    reconstruction: float
    inverse: float
    swap: float
    share: float
    dial: float
    batch: int
    lr: float
    warmup: int
    decay: float
    weight_decay: float
    clip: float
    every: int
    patience: int | None
    seed: int

    def __post_init__(self) -> None:
        self._at_least(1, "steps", "batch", "warmup", "every", "patience")
        self._at_least(0, "task_weight", "reconstruction", "inverse", "swap")
        self._at_least(0, "decay", "weight_decay", "seed")
        self._above_zero("seconds", "lr", "clip", "share")
        _number("dial", self.dial)
        if self.steps is None and self.seconds is None:
            raise ValueError("give a budget: steps, seconds or both")
        if self.share > 1 or not 0 <= self.dial <= 1:
            raise ValueError(
                f"share lies in (0, 1] and dial in [0, 1], got "
                f"{self.share} and {self.dial}"
            )
        if not any(self.weights().values()):
            raise ValueError(
                "all weights are zero: nothing would be learned; raise "
                "task_weight, reconstruction, inverse or swap"
            )

    def _at_least(self, low: int, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if _number(name, value) and not value >= low:
                raise ValueError(f"{name} must be at least {low}, got {value}")

    def _above_zero(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if _number(name, value) and not value > 0:
                raise ValueError(f"{name} must be positive, got {value}")

    def weights(self) -> dict[str, float]:
        """Weight of each part of the loss in this phase."""
        if self.phase == 2:
            return {"reconstruction": 1 - self.dial, "natural": self.dial}
        return {
            "task": self.task_weight,
            "reconstruction": self.reconstruction,
            "inverse": self.inverse,
            "swap": self.swap,
        }

    def fixed(self) -> dict[str, Any]:
        """Return the settings that decide the weights."""
        return {k: v for k, v in asdict(self).items() if k not in FREE}

    def progress(self, step: int, seconds: float) -> float:
        """Share of the budget that is used, by steps or by the clock."""
        by_step = step / self.steps if self.steps else 0.0
        return max(by_step, seconds / self.seconds if self.seconds else 0.0)

    def learning_rate(self, step: int, progress: float) -> float:
        """Warm-up, then down to zero: :math:`lr (1 - f)^{decay}`."""
        warm = min(1.0, (step + 1) / self.warmup)
        return self.lr * warm * max(0.0, 1 - progress) ** self.decay


def _number(name: str, value: Any) -> bool:
    """Whether there is a value; raise if it is not a number."""
    if value is not None and not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    return value is not None


def plan(phase: int | str, given: dict[str, Any]) -> list[Settings]:
    """Return the settings of each phase; pairs of values are split up.

    Raises
    ------
    ValueError
        If the phase is unknown, a pair is given to a single phase, or a
        value is out of range.
    """
    if phase not in PHASES:
        raise ValueError(f"phase must be 1, 2 or 'both', got {phase!r}")
    phases = PHASES[phase]
    names = {field.name for field in fields(Settings)} - {"phase"}
    return [
        Settings(
            phase=number,
            **{
                name: _nth(name, given[name], i, len(phases)) for name in names
            },
        )
        for i, number in enumerate(phases)
    ]


def _nth(name: str, value: Any, index: int, count: int) -> Any:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return value
    if len(value) != count:
        raise ValueError(
            f"{name}={value!r} holds {len(value)} values for {count} "
            f"phase(s): give one value, or with phase='both' two"
        )
    return value[index]
