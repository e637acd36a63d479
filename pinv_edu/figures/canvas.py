"""Roles and their colours, empty figures, words and legends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D


@dataclass(frozen=True)
class Role:
    """How one role is drawn in every figure of the book."""

    colour: str
    marker: str
    dash: str | tuple


ROLES = {
    "range": Role("#0072B2", "s", "-"),  # what the measurement sees
    "null": Role("#D55E00", "^", "--"),  # what it loses
    "data": Role("#009E73", "D", "-."),  # the measurement y
    "prior": Role("#CC79A7", "v", ":"),  # the prior and its samples
    "truth": Role("#000000", "*", "-"),
    "ours": Role("#56B4E9", "o", "-"),  # our estimate
    "wrong": Role("#999999", "X", (0, (4, 3))),  # a tempting construction
}
"""Okabe-Ito colours; markers and dashes differ as well."""

DPI = 144  # rendered; shown at 96 pixels an inch
FONT = 11.0


def canvas(width: float = 6.0, height: float = 4.0) -> Figure:
    """Return an empty figure, sizes in inches (at most 7.2 wide)."""
    fig = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(fig)
    return fig


def axes(
    width: float = 6.0, height: float = 4.0, columns: int = 1
) -> tuple[Figure, list[Axes]]:
    """Return a figure with a row of plain axes."""
    fig = canvas(width, height)
    fig.set_layout_engine("constrained")
    row = [fig.add_subplot(1, columns, i + 1) for i in range(columns)]
    for ax in row:
        _plain(ax)
    return fig, row


def _plain(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=FONT - 1)
    for label in (ax.xaxis.label, ax.yaxis.label, ax.title):
        label.set_fontsize(FONT)


def ink(role: str) -> str:
    """Return the colour of a role for words: dark enough on white."""
    colour = ROLES[role].colour
    dark = {"#56B4E9": "#1C6E9E", "#999999": "#666666", "#CC79A7": "#9C3D72"}
    dark |= {"#009E73": "#00714F", "#D55E00": "#A84A00"}
    return dark.get(colour, colour)


def note(
    ax: Axes,
    words: str,
    at: Sequence[float],
    role: str = "truth",
    **style: object,
) -> None:
    """Write words at a point of the axes, in the ink of a role."""
    options = {"color": ink(role), "fontsize": FONT, "zorder": 6} | style
    ax.text(*(float(v) for v in at), words, **options)


def legend(
    fig: Figure, *entries: tuple[str, str, str], columns: int = 2
) -> None:
    """Write a legend along the lower edge of the figure.

    Parameters
    ----------
    fig
        Keep room for it, for instance ``plane(..., rows=1)``.
    entries
        (role, words, ``"line"`` or ``"point"``).
    columns
        Entries side by side.
    """
    handles = []
    for role, words, kind in entries:
        look = ROLES[role]
        style = {"color": look.colour, "label": words}
        if kind == "line":
            style |= {"ls": look.dash, "lw": 2}
        else:
            style |= {"marker": look.marker, "ls": "", "ms": 9}
        handles.append(Line2D([], [], **style))
    style = {"loc": "lower center", "borderaxespad": 0.1, "frameon": False}
    style |= {"columnspacing": 1.2, "handlelength": 1.7}
    fig.legend(handles=handles, ncols=columns, fontsize=FONT, **style)
