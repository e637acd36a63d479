"""What the bundled classifiers learn, and from what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from pinv_edu.spnn.batches import Draw
from pinv_edu.training.data import fashion_labelled
from pinv_edu.training.emoji import (
    attribute_loss,
    emoji_labelled,
    emoji_pairs,
)

Load = Callable[[str, Path | None], tuple[Tensor, Tensor]]


def flip(x: Tensor, y: Tensor, generator: torch.Generator) -> tuple:
    """Mirror half of the pictures."""
    mirrored = torch.rand(len(x), generator=generator) < 0.5
    return torch.where(mirrored[:, None, None, None], x.flip(-1), x), y


def smoothed(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy with label smoothing 0.05."""
    return F.cross_entropy(logits, labels, label_smoothing=0.05)


def flipped_pairs(x: Tensor, labels: Tensor) -> Draw:
    """Return a function that draws pairs, half of them mirrored."""

    def draw(generator: torch.Generator, size: int) -> tuple:
        which = torch.randint(len(x), (size,), generator=generator)
        return flip(x[which], labels[which], generator)

    return draw


@dataclass(frozen=True)
class Plan:
    """One network: its data, its training, and the words of its card.

    ``draw`` makes training pairs of pictures and class numbers. Without
    ``options["augment"]`` the network learns from them as its judge does.
    """

    load: Load
    draw: Callable[[Tensor, Tensor], Draw]
    classes: int
    options: dict[str, Any]
    steps: int
    half: bool
    plain: int  # steps of the judge; none if zero
    timed: int  # steps that take the SPNN's time; not trained if zero
    what: str
    source: str
    training: str

    def pairs(self, x: Tensor, labels: Tensor) -> Any:
        """Return what :func:`train_spnn` learns from."""
        augmented = "augment" in self.options
        return (x, labels) if augmented else self.draw(x, labels)

    def settings(self, steps: int) -> dict[str, Any]:
        """Return the options of :func:`train_spnn`; phase 2 is a sixth."""
        both = self.options.get("phase") == "both"
        budget = (steps, max(1, steps // 6)) if both else steps
        return {**self.options, "steps": budget}


CLOTHES = """\
Fashion-MNIST (Zalando SE, MIT licence), 60,000 training pictures,
  half of them mirrored."""
LOGITS = """\
`pinv_edu.spnn_classifier((1, 28, 28), 10, couplings=2)`: pictures of clothes
in [-1, 1] to ten logits, with an exact pseudo-inverse."""
FASHION = Plan(
    load=fashion_labelled,
    draw=flipped_pairs,
    classes=10,
    options={"task": smoothed, "augment": flip, "batch": 128, "swap": 0.3},
    steps=6_000,
    half=False,
    plain=6_000,
    timed=9_000,
    what=LOGITS,
    source=CLOTHES,
    training="""cross-entropy with label smoothing 0.05, plus, on a quarter of
  each batch, 10 times the squared error of g†(g(x)) and 0.3 times the
  logarithm of how far a swap of classes leaves [-1, 1];""",
)
BLIND = Plan(
    load=fashion_labelled,
    draw=flipped_pairs,
    classes=10,
    options=FASHION.options
    | {"phase": "both", "reconstruction": (0.0, 10.0), "swap": 0.0},
    steps=6_000,
    half=True,
    plain=0,
    timed=0,
    what=LOGITS.replace(", couplings=2", "") + "\nA warning, not a model: it "
    "never learned to give the picture back.",
    source=CLOTHES,
    training="""cross-entropy with label smoothing 0.05 and no
  reconstruction; then the networks r alone, a sixth as many steps, to bring
  pictures back;""",
)
EMOJI = Plan(
    load=emoji_labelled,
    draw=emoji_pairs,
    classes=4,
    options={"task": attribute_loss, "batch": 64},
    steps=5_000,
    half=True,
    plain=1_500,
    timed=0,
    what="""\
`pinv_edu.spnn_classifier((3, 32, 32), 8, width=12, hidden=(128, 64))`:
emoji in [-1, 1] to logits of four groups (person, smiley, flag, thing) and
four measures (light, warm, colourful, tall: `pinv_edu.emoji_measures`), with
an exact pseudo-inverse.""",
    source="""Noto Color Emoji (Google; pictures Apache-2.0, font SIL OFL 1.1;
  Debian package fonts-noto-color-emoji), the training families of the
  bundled prior; groups from the Unicode names. Groups drawn equally often,
  half mirrored, a quarter with exchanged colours, a quarter mixed in pairs.
  Tested on families held out and without near doubles, most of them
  persons.""",
    training="""cross-entropy of the groups with label smoothing 0.05, plus the
  squared error of the measures, plus 10 times that of g†(g(x)) on a quarter
  of each batch;""",
)
PLANS = {
    "fashion-classifier": FASHION,
    "fashion-classifier-no-reconstruction": BLIND,
    "emoji-attributes": EMOJI,
}
