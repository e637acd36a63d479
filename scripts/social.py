"""Draw the picture that a link to the book shows elsewhere.

    python scripts/social.py

Held-out emoji, the means of their blocks of 4 x 4 pixels, and what DDNM makes
of these: the first five, none chosen. The file is part of the repository; run
this again when a prior or the words change.
"""

from __future__ import annotations

from pathlib import Path

import torch
from matplotlib import image
from matplotlib.figure import Figure
from torch import Tensor

import pinv_edu as pe

OUT = Path(__file__).parent.parent / "book" / "_static" / "social.png"
SIZE, DPI = (12.8, 6.4), 100  # 1280 x 640 pixels
COUNT = 5
ROWS = ("measured", "restored", "truth")
WORDS = (
    (0.86, "pinv-edu", 54, "bold"),
    (0.70, "From the pseudo-inverse\nto restored pictures", 27, "normal"),
    (0.36, "An open course in nineteen\nnotebooks: figures that move,\n"
     "statements that are checked,\nexercises that answer.", 22, "normal"),
)  # fmt: skip


def pictures() -> tuple[Tensor, ...]:
    """Block means, restorations and truth, in [-1, 1]."""
    prior = pe.load_prior("emoji")
    A = pe.AveragePool(prior.shape, 4)
    x = pe.held_out("emoji", COUNT)
    y = A(x)
    generator = torch.Generator().manual_seed(0)
    ours = pe.ddnm(
        prior, A, y, strength=pe.over_relaxed(prior), generator=generator,
        progress=False,
    )  # fmt: skip
    return y, ours, x


def draw(rows: tuple[Tensor, ...]) -> Figure:
    """Words on the left, one row for each kind of picture on the right."""
    figure = Figure(SIZE, dpi=DPI, facecolor="white")
    for height, text, size, weight in WORDS:
        figure.text(
            0.05, height, text, fontsize=size, fontweight=weight, va="center",
            color="#111111", linespacing=1.4,
        )  # fmt: skip
    for i, (name, row) in enumerate(zip(ROWS, rows)):
        bottom = 0.68 - 0.29 * i
        figure.text(
            0.535, bottom + 0.12, name, fontsize=16, ha="right", va="center",
            color="#111111",
        )  # fmt: skip
        for k, picture in enumerate(row):
            ax = figure.add_axes((0.55 + 0.086 * k, bottom, 0.08, 0.24))
            ax.set_axis_off()
            ax.imshow(((picture + 1) / 2).clamp(0, 1).permute(1, 2, 0))
    return figure


def main() -> None:
    figure = draw(pictures())
    figure.savefig(OUT, pil_kwargs={"optimize": True})
    print(OUT.name, image.imread(OUT).shape, OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
