"""Sliders that recompute in a kernel and still move in the static book.

``live``
    JupyterLab, Notebook, VS Code, Colab: ipywidgets and real computation.
``static``
    The published book: every picture is rendered at build time and plain
    HTML range inputs choose among them; no kernel, server or network.

The environment variable ``PINV_EDU_WIDGETS`` chooses; the book's build
sets it to ``static``.
"""

from __future__ import annotations

import hashlib
import html
import itertools
import json
import math
import os
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

from matplotlib.figure import Figure

from pinv_edu.figures import data_uri, encode

MAX_FRAMES, MAX_BYTES = 150, 1_500_000
Alt = str | Callable[..., str]
_shown: dict[str, int] = {}
live_boxes: list[Any] = []
"""The boxes of this kernel's live sliders, in order; for tests."""


def explore(
    figure_function: Callable[..., Figure],
    *,
    alt: Alt,
    labels: dict[str, str] | None = None,
    start: dict[str, Any] | None = None,
    photo: bool = False,
    mode: str | None = None,
    **sliders: tuple | Sequence,
) -> None:
    """Show ``figure_function(**values)`` under one slider a keyword.

    Parameters
    ----------
    figure_function
        Takes one value a slider by name and returns a matplotlib Figure.
    alt
        What the picture shows, for readers who do not see it: a text, or a
        function of the slider values that returns one.
    labels
        Words for the sliders' names, with units.
    start
        First values; default: the middle of each slider.
    photo
        True if the pictures are photographs (smaller files).
    mode
        ``"live"`` or ``"static"``; default from ``PINV_EDU_WIDGETS``.
    sliders
        ``name=(low, high, step)`` with both ends, or a list of values.
        At most 150 combinations.

    Raises
    ------
    ValueError
        If alt is empty, a slider is malformed, a start value is not on its
        slider, or the frames are too many or too heavy.
    TypeError
        If the function does not return a Figure.
    """
    figure = _Explorable(figure_function, alt, labels, start, photo, sliders)
    mode = mode or os.environ.get("PINV_EDU_WIDGETS", "live")
    if mode not in ("live", "static"):
        raise ValueError(f"mode must be 'live' or 'static', got {mode!r}")
    figure.show_static() if mode == "static" else figure.show_live()


def slider_values(spec: tuple | Sequence) -> list:
    """Values of a slider: ``(low, high, step)`` or the values themselves."""
    if not (isinstance(spec, tuple) and len(spec) == 3):
        if not len(spec):
            raise ValueError("a slider needs at least one value")
        return list(spec)
    low, high, step = spec
    if step <= 0 or high < low:
        raise ValueError(
            f"a slider is (low, high, step) with low <= high and step > 0, "
            f"got {spec}; for three given values use a list"
        )
    count = math.floor((high - low) / step + 1e-9) + 1
    values = [low + i * step for i in range(count)]
    if all(isinstance(v, int) for v in spec):
        return values
    return [round(v, 10) for v in values]


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


class _Explorable:
    """The values, words and pictures of one call of :func:`explore`."""

    def __init__(
        self,
        function: Callable[..., Figure],
        alt: Alt,
        labels: dict[str, str] | None,
        start: dict[str, Any] | None,
        photo: bool,
        sliders: dict[str, tuple | Sequence],
    ) -> None:
        if not sliders:
            raise ValueError("give at least one slider: angle=(0, 180, 5)")
        if not callable(alt) and not alt.strip():
            raise ValueError("alt must say what the picture shows")
        self.function, self.alt, self.photo = function, alt, photo
        self.names = list(sliders)
        self.values = [slider_values(s) for s in sliders.values()]
        self.words = [(labels or {}).get(n, n) for n in self.names]
        self.begin = [
            _begin(n, v, start or {})
            for n, v in zip(self.names, self.values, strict=True)
        ]

    def figure(self, combination: Sequence) -> Figure:
        values = dict(zip(self.names, combination, strict=True))
        fig = self.function(**values)
        if not isinstance(fig, Figure):
            raise TypeError(
                f"the figure function must return a matplotlib Figure, it "
                f"returned {type(fig).__name__}"
            )
        return fig

    def describe(self, combination: Sequence) -> str:
        """Alt text of one picture."""
        values = dict(zip(self.names, combination, strict=True))
        if callable(self.alt):
            return self.alt(**values)
        state = ", ".join(
            f"{w} = {_text(v)}"
            for w, v in zip(self.words, combination, strict=True)
        )
        return f"{self.alt} ({state})"

    def show_static(self) -> None:
        from IPython.display import HTML, display

        combinations = list(itertools.product(*self.values))
        if len(combinations) > MAX_FRAMES:
            raise ValueError(
                f"{len(combinations)} pictures for the book: coarsen the "
                f"sliders to at most {MAX_FRAMES}"
            )
        frames = [encode(self.figure(c), self.photo) for c in combinations]
        uris = [data_uri(webp) for webp, _ in frames]
        weight = sum(map(len, set(uris)))
        if weight > MAX_BYTES:
            raise ValueError(
                f"the pictures weigh {weight} bytes, the limit is "
                f"{MAX_BYTES}: use fewer or smaller ones, or photo=True"
            )
        alts = [self.describe(c) for c in combinations]
        display(HTML(self._page(uris, alts, frames[0][1])))

    def _page(
        self, uris: list[str], alts: list[str], size: tuple[int, int]
    ) -> str:
        unique = list(dict.fromkeys(uris))
        first = 0
        for values, i in zip(self.values, self.begin, strict=True):
            first = first * len(values) + i
        labels = [[_text(v) for v in values] for values in self.values]
        data = {"names": self.words, "labels": labels, "alts": alts}
        data["index"] = [unique.index(u) for u in uris]
        data["frames"] = unique
        body = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        name = _unique_name(body)
        rows = "".join(
            _ROW.format(
                word=html.escape(w), last=len(ls) - 1, at=i, text=ls[i]
            )
            for w, ls, i in zip(self.words, labels, self.begin, strict=True)
        )
        script = resources.files("pinv_edu").joinpath("explore.js")
        return _PAGE.format(
            name=name,
            rows=rows,
            alt=html.escape(alts[first]),
            width=size[0],
            height=size[1],
            src=uris[first],
            data=body.replace("</", "<\\/"),
            script=script.read_text().replace("NAME", name),
        )

    def show_live(self) -> None:
        from IPython.display import display

        box, _ = live_box(self)
        live_boxes.append(box)
        display(box)


def _begin(name: str, values: list, start: dict[str, Any]) -> int:
    if name not in start:
        return len(values) // 2
    for i, value in enumerate(values):
        near = isinstance(value, float) and math.isclose(value, start[name])
        if near or value == start[name]:
            return i
    raise ValueError(f"start {name}={start[name]!r} is not on its slider")


def _unique_name(body: str) -> str:
    key = hashlib.sha1(body.encode()).hexdigest()[:10]
    _shown[key] = _shown.get(key, -1) + 1
    return f"pinv-{key}-{_shown[key]}"


_ROW = (
    '<label class="pinv-row"><span>{word}</span>'
    '<input type="range" min="0" max="{last}" value="{at}" '
    'aria-label="{word}"><output>{text}</output></label>'
)
_PAGE = (
    # The attribute keeps the arrow keys from Jupyter's own shortcuts.
    '<div class="pinv-explore" data-lm-suppress-shortcuts="true" id="{name}">'
    "{rows}"
    '<img alt="{alt}" width="{width}" height="{height}" '
    'style="max-width:100%;height:auto" src="{src}">'
    '<script type="application/json">{data}</script>'
    "<script>{script}</script></div>"
)


def live_box(figure: _Explorable) -> tuple[Any, list[Any]]:
    """Sliders, picture and description as core ipywidgets (7 and 8)."""
    try:
        import ipywidgets as w
    except ImportError as error:
        raise ImportError(
            "live sliders need ipywidgets: pip install 'pinv-edu[widgets]'"
        ) from error
    controls = [
        w.SelectionSlider(
            options=[(_text(v), v) for v in values],
            index=i,
            description=word,
            style={"description_width": "initial"},
            layout=w.Layout(width="34em", max_width="100%"),
        )
        for word, values, i in zip(
            figure.words, figure.values, figure.begin, strict=True
        )
    ]
    picture = w.Image(format="webp", layout=w.Layout(max_width="100%"))
    words = w.HTML()

    def update(_change: object = None) -> None:
        state = [c.value for c in controls]
        try:
            webp, (width, _) = encode(figure.figure(state), fast=True)
        except Exception as error:  # shown where the reader looks
            words.value = f"<pre>{html.escape(repr(error))}</pre>"
            raise
        picture.width, picture.value = str(width), webp
        words.value = _SPOKEN.format(html.escape(figure.describe(state)))

    update()
    for control in controls:
        control.observe(update, names="value")
    layout = w.Layout(align_items="flex-start")
    return w.VBox([*controls, picture, words], layout=layout), controls


_SPOKEN = (
    '<span role="status" style="position:absolute;width:1px;height:1px;'
    'overflow:hidden;clip-path:inset(50%)">{}</span>'
)
