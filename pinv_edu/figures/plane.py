"""Points, arrows, curves and clouds in a plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from pinv_edu.figures.canvas import FONT, ROLES, canvas, ink


def plane(
    x: tuple[float, float] = (-3, 3),
    y: tuple[float, float] = (-2, 3),
    width: float = 5.4,
    names: tuple[str, str] = ("$x_1$", "$x_2$"),
    rows: int = 0,
) -> tuple[Figure, Axes]:
    """Return a figure with one plane: equal scales, axes through zero.

    ``rows`` keeps room below it for so many rows of a :func:`legend`.
    """
    high = width * (y[1] - y[0]) / (x[1] - x[0])
    strip = 0.26 * rows + 0.1 * (rows > 0)
    fig = canvas(width, high + strip)
    low = (0.02 * high + strip) / (high + strip)
    ax = fig.add_axes((0.02, low, 0.96, 0.96 * high / (high + strip)))
    draw_plane(ax, x, y, names)
    return fig, ax


def planes(
    x: tuple[float, float],
    y: tuple[float, float],
    titles: Sequence[str],
    width: float = 7.0,
    rows: int = 0,
    names: tuple[str, str] = ("$x_1$", "$x_2$"),
) -> tuple[Figure, list[Axes]]:
    """Return equal planes side by side, each with a title above it."""
    side = width / len(titles)
    high = 0.96 * side * (y[1] - y[0]) / (x[1] - x[0])
    strip = 0.26 * rows + 0.1 * (rows > 0)
    top = 0.08 + 0.21 * max(title.count("\n") + 1 for title in titles)
    fig = canvas(width, high + strip + top)
    height = high + strip + top
    row = []
    for i, title in enumerate(titles):
        left = (i + 0.02) / len(titles)
        ax = fig.add_axes(
            (left, strip / height, 0.96 / len(titles), high / height)
        )
        draw_plane(ax, x, y, names)
        ax.set_title(title, fontsize=FONT, pad=4)
        row.append(ax)
    return fig, row


def draw_plane(
    ax: Axes,
    x: tuple[float, float],
    y: tuple[float, float],
    names: tuple[str, str] = ("$x_1$", "$x_2$"),
) -> None:
    """Make ``ax`` a plane with axes through zero and their names."""
    ax.set(xlim=x, ylim=y, aspect="equal")
    ax.axis("off")
    for line in (ax.axhline, ax.axvline):
        line(0, color="#cccccc", lw=1, zorder=0)
    for i in range(int(np.ceil(x[0])), int(x[1]) + 1):
        ax.plot(i, 0, "|", color="#bbbbbb", ms=6, zorder=0)
    for i in range(int(np.ceil(y[0])), int(y[1]) + 1):
        ax.plot(0, i, "_", color="#bbbbbb", ms=6, zorder=0)
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    style = {"color": "#555555", "fontsize": FONT, "bbox": behind}
    ax.text(x[1], 0.06, names[0], ha="right", va="bottom", **style)
    ax.text(0.06, y[1], names[1], ha="left", va="top", **style)


def dot(
    ax: Axes,
    point: Sequence[float] | Tensor,
    role: str,
    label: str = "",
    offset: tuple[float, float] = (7, 6),
) -> None:
    """Mark a point in the colour and shape of its role."""
    x, y = _pair(point)
    kind = ROLES[role]
    size = 15 if kind.marker == "*" else 9
    style = {"color": kind.colour, "ms": size, "mec": "white", "zorder": 5}
    ax.plot(x, y, kind.marker, **style)
    if label:
        _note(ax, label, (x, y), role, offset)


def cloud(
    ax: Axes,
    points: Tensor | np.ndarray,
    role: str,
    size: float = 2.5,
    alpha: float = 0.5,
) -> None:
    """Draw many points (n, 2) in the colour of a role."""
    x, y = _array(points).T
    style = {"color": ROLES[role].colour, "ms": size, "mew": 0}
    ax.plot(x, y, "o", alpha=alpha, **style)


def arrow(
    ax: Axes,
    start: Sequence[float] | Tensor,
    end: Sequence[float] | Tensor,
    role: str,
    label: str = "",
    offset: tuple[float, float] = (6, 6),
) -> None:
    """Draw an arrow; the label stands beside its middle."""
    a, b, kind = _pair(start), _pair(end), ROLES[role]
    style = {"arrowstyle": "-|>", "color": kind.colour, "lw": 2.2}
    style |= {"shrinkA": 0, "shrinkB": 0, "linestyle": kind.dash}
    style["mutation_scale"] = 14
    ax.annotate("", b, a, arrowprops=style, zorder=4)
    if label:
        middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
        _note(ax, label, middle, role, offset)


def curve(
    ax: Axes,
    x: Tensor | np.ndarray,
    y: Tensor | np.ndarray,
    role: str,
    label: str = "",
    **style: object,
) -> None:
    """Draw a curve in the colour and dash of its role."""
    kind = ROLES[role]
    options = {"color": kind.colour, "ls": kind.dash, "lw": 2} | style
    ax.plot(_array(x), _array(y), label=label or None, **options)


def infinite_line(
    ax: Axes, normal: Sequence[float] | Tensor, value: float, role: str
) -> None:
    r"""Draw the line of all points with :math:`n \cdot x = value`."""
    n = np.asarray(_pair(normal))
    foot = n * value / (n @ n)
    along = np.array([-n[1], n[0]])
    kind = ROLES[role]
    ax.axline(
        tuple(foot), tuple(foot + along), color=kind.colour, ls=kind.dash, lw=2
    )


def _note(
    ax: Axes,
    text: str,
    at: tuple[float, float],
    role: str,
    offset: tuple[float, float],
) -> None:
    ax.annotate(
        text,
        at,
        xytext=offset,
        textcoords="offset points",
        fontsize=FONT,
        color=ink(role),
        zorder=6,
    )


def _pair(point: Sequence[float] | Tensor) -> tuple[float, float]:
    x, y = torch.as_tensor(point).detach().flatten().tolist()
    return x, y


def _array(values: Tensor | np.ndarray) -> np.ndarray:
    if isinstance(values, Tensor):
        return values.detach().cpu().numpy()
    return np.asarray(values)
