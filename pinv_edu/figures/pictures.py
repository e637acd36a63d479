"""Rows and grids of pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from pinv_edu.figures.canvas import FONT, canvas
from pinv_edu.pictures import to_unit


def picture_row(
    pictures: Sequence[Tensor],
    titles: Sequence[str],
    width: float = 7.0,
    signed: Sequence[int] = (),
) -> Figure:
    """Return a row of pictures with short titles above them.

    Parameters
    ----------
    pictures
        Tensors (1, C, H, W), (C, H, W) or (H, W) in [-1, 1]; gray or
        colour.
    titles
        One for each.
    width
        Of the figure, in inches.
    signed
        Positions of pictures that are differences: zero is drawn mid-gray.
    """
    images = [_image(p) for p in pictures]
    shares = [im.shape[1] / im.shape[0] for im in images]
    height = width / sum(shares) * 0.96 + 0.36
    fig = canvas(width, height)
    grid = fig.add_gridspec(
        1,
        len(images),
        width_ratios=shares,
        wspace=0.04,
        left=0.005,
        right=0.995,
        bottom=0.01,
        top=1 - 0.34 / height,
    )
    for i, (image, title) in enumerate(zip(images, titles, strict=True)):
        ax = fig.add_subplot(grid[i])
        draw_picture(ax, image if i not in signed else _half(pictures[i]))
        ax.set_title(title, fontsize=FONT, pad=4)
    return fig


def picture_grid(
    rows: Mapping[str, Sequence[Tensor]],
    titles: Sequence[str],
    width: float = 7.0,
    label: float = 0.3,
) -> Figure:
    """Return rows of square pictures, each with its name on the left.

    Parameters
    ----------
    rows
        Name and pictures in [-1, 1], as in :func:`picture_row`; the name
        stands upright beside the row.
    titles
        Words above the columns; all may be empty.
    width, label
        Of the figure and of the names, in inches.
    """
    side = (width - label) / len(titles)
    top = 0.3 if any(titles) else 0.04
    height = len(rows) * side + top
    fig = canvas(width, height)
    for i, (name, pictures) in enumerate(rows.items()):
        low = (height - top - (i + 1) * side) / height
        words = {"rotation": 90, "ha": "left", "va": "center"}
        words["fontsize"] = FONT - 1
        fig.text(0.01, low + side / height / 2, name, **words)
        for j, (picture, title) in enumerate(
            zip(pictures, titles, strict=True)
        ):
            place = ((label + j * side) / width, low)
            span = ((side - 0.05) / width, (side - 0.05) / height)
            ax = fig.add_axes((*place, *span))
            draw_picture(ax, picture)
            if i == 0:
                ax.set_title(title, fontsize=FONT, pad=4)
    return fig


def draw_picture(ax: Axes, image: np.ndarray | Tensor) -> None:
    """Draw one picture without axes; tensors are in [-1, 1]."""
    image = _image(image) if isinstance(image, Tensor) else image
    ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.axis("off")


def _image(picture: Tensor) -> np.ndarray:
    """(H, W) or (H, W, 3) array in [0, 1]."""
    x = to_unit(picture)
    x = x[0] if x.dim() == 4 else x
    x = x.permute(1, 2, 0) if x.dim() == 3 else x
    return (x[..., 0] if x.shape[-1] == 1 and x.dim() == 3 else x).numpy()


def _half(picture: Tensor) -> np.ndarray:
    """Halve a difference picture, around mid-gray."""
    return _image(picture / 2)
