"""Figures as pictures with alt text, in notebooks and in the book."""

from __future__ import annotations

import base64
import html
import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from pinv_edu.figures.canvas import DPI


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
