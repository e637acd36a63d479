"""One visual language: colours by role, figures with alt text."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from pinv_edu.pictures import to_unit


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


def plane(
    x: tuple[float, float] = (-3, 3),
    y: tuple[float, float] = (-2, 3),
    width: float = 5.4,
    names: tuple[str, str] = ("$x_1$", "$x_2$"),
) -> tuple[Figure, Axes]:
    """Return a figure with one plane: equal scales, axes through zero."""
    height = width * (y[1] - y[0]) / (x[1] - x[0])
    fig = canvas(width, height)
    ax = fig.add_axes((0.02, 0.02, 0.96, 0.96))
    draw_plane(ax, x, y, names)
    return fig, ax


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
    style = {"color": "#555555", "fontsize": FONT}
    ax.text(x[1], 0.06, names[0], ha="right", va="bottom", **style)
    ax.text(0.06, y[1], names[1], ha="left", va="top", **style)


def _plain(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=FONT - 1)
    for label in (ax.xaxis.label, ax.yaxis.label, ax.title):
        label.set_fontsize(FONT)


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
        _note(ax, label, (x, y), kind.colour, offset)


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
        _note(ax, label, middle, kind.colour, offset)


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
    colour: str,
    offset: tuple[float, float],
) -> None:
    ax.annotate(
        text,
        at,
        xytext=offset,
        textcoords="offset points",
        fontsize=FONT,
        color=_readable(colour),
        zorder=6,
    )


def _readable(colour: str) -> str:
    """Darken the light colours for text (contrast on white)."""
    dark = {"#56B4E9": "#1C6E9E", "#999999": "#666666", "#CC79A7": "#9C3D72"}
    dark |= {"#009E73": "#00714F", "#D55E00": "#A84A00"}
    return dark.get(colour, colour)


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
        Tensors (1, C, H, W), (C, H, W) or (H, W) in [-1, 1]; grey or
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


def _pair(point: Sequence[float] | Tensor) -> tuple[float, float]:
    x, y = torch.as_tensor(point).detach().flatten().tolist()
    return x, y


def _array(values: Tensor | np.ndarray) -> np.ndarray:
    if isinstance(values, Tensor):
        return values.detach().cpu().numpy()
    return np.asarray(values)


def encode(
    fig: Figure, photo: bool = False, fast: bool = False
) -> tuple[bytes, tuple[int, int]]:
    """Render a figure as WebP; return it with its size in CSS pixels.

    Line art is stored without loss, its colours rounded to multiples of 8
    (black and white stay); photographs with quality 85. ``fast`` is for
    live sliders: without loss, in a twentieth of the time, three times
    larger.
    """
    if not isinstance(fig.canvas, FigureCanvasAgg):
        FigureCanvasAgg(fig)
    fig.set_dpi(DPI)
    fig.canvas.draw()
    rgb = np.ascontiguousarray(np.asarray(fig.canvas.buffer_rgba())[..., :3])
    width, height = (round(v * 96) for v in fig.get_size_inches())
    options: dict = {"lossless": True, "quality": 100, "method": 4}
    if fast:
        options = {"lossless": True, "quality": 0, "method": 0}
    elif photo:
        options = {"quality": 85, "method": 4}
    else:
        rgb = np.minimum(255, (rgb.astype("uint16") + 4) // 8 * 8)
    file = io.BytesIO()
    Image.fromarray(rgb.astype("uint8")).save(file, "WEBP", **options)
    return file.getvalue(), (width, height)


def data_uri(webp: bytes) -> str:
    """Return a picture as a ``data:`` address."""
    return "data:image/webp;base64," + base64.b64encode(webp).decode()


def show(
    fig: Figure, *, alt: str, caption: str = "", photo: bool = False
) -> None:
    """Display a figure with alt text, in notebooks and in the book alike.

    Parameters
    ----------
    fig
        The figure.
    alt
        What the figure shows, for readers who do not see it; may contain
        computed values.
    caption
        Text below the figure.
    photo
        True for photographs: stored with slight loss, much smaller.

    Raises
    ------
    ValueError
        If ``alt`` is empty.
    """
    from IPython.display import HTML, display

    if not alt.strip():
        raise ValueError("alt must say what the figure shows")
    webp, (width, height) = encode(fig, photo)
    below = f"<figcaption>{html.escape(caption)}</figcaption>"
    display(
        HTML(
            f'<figure class="pinv-figure"><img alt="{html.escape(alt)}" '
            f'width="{width}" height="{height}" style="max-width:100%;'
            f'height:auto" src="{data_uri(webp)}">'
            f"{below if caption else ''}</figure>"
        )
    )
