"""Sliders: the same figure live in a kernel and alive in a static page."""

from __future__ import annotations

import html
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from pinv_edu import explore, widgets
from pinv_edu.figures import canvas, data_uri, dot, encode, plane
from pinv_edu.widgets import MAX_FRAMES, live_box, slider_values

COLAB = Path(sys.prefix) / "ipywidgets7"


def scene(a: float, b: int = 0) -> Figure:
    fig, ax = plane(width=2.0)
    dot(ax, (a, b), "ours")
    return fig


def alt_of(a: float, b: int = 0) -> str:
    return f'a point "at" {a} < {b}'


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch):
    """Return a function that gives the HTML of a static explore."""
    shown: list[str] = []
    monkeypatch.setattr(
        "IPython.display.display", lambda item: shown.append(item.data)
    )

    def make(**options: object) -> str:
        explore(scene, mode="static", **{"alt": alt_of} | options)
        return shown[-1]

    return make


def data_of(page: str) -> dict:
    body = re.search(r'<script type="application/json">(.*?)</script>', page)
    return json.loads(body[1])


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        ((0, 4, 2), [0, 2, 4]),
        ((0, 5, 2), [0, 2, 4]),
        ((0.0, 0.3, 0.1), [0.0, 0.1, 0.2, 0.3]),
        ((2, 2, 1), [2]),
        ([0, 4, 2], [0, 4, 2]),
        (["mask", "blur"], ["mask", "blur"]),
    ],
)
def test_slider_values(spec: object, values: list) -> None:
    assert slider_values(spec) == values


@pytest.mark.parametrize("spec", [(0, 4, 0), (4, 0, 1), (0, 1, -1), []])
def test_malformed_sliders(spec: object) -> None:
    with pytest.raises(ValueError, match="slider"):
        slider_values(spec)


def test_every_frame_shows_its_values(page) -> None:
    values = [-1.0, 0.0, 1.0], [0, 1]
    data = data_of(page(a=values[0], b=values[1]))
    assert data["names"] == ["a", "b"]
    assert data["labels"] == [["-1", "0", "1"], ["0", "1"]]
    for i, a in enumerate(values[0]):
        for j, b in enumerate(values[1]):
            k = i * len(values[1]) + j
            frame = data["frames"][data["index"][k]]
            assert frame == data_uri(encode(scene(a, b))[0])
            assert data["alts"][k] == alt_of(a, b)


def test_page_begins_at_the_start_values(page) -> None:
    text = page(a=[-1.0, 0.0, 1.0], b=(0, 1, 1), start={"a": 1.0, "b": 0})
    assert [int(v) for v in re.findall(r' value="(\d+)"', text)] == [2, 0]
    first = re.search(r'<img alt="([^"]*)"[^>]* src="([^"]*)"', text)
    assert html.unescape(first[1]) == alt_of(1.0, 0)
    assert first[2] == data_uri(encode(scene(1.0, 0))[0])


def test_words_are_escaped_and_named(page) -> None:
    text = page(a=[0.0, 1.0], labels={"a": "angle <θ>"})
    assert 'aria-label="angle &lt;θ&gt;"' in text
    assert "</script>" not in json.dumps(data_of(text))
    assert data_of(text)["names"] == ["angle <θ>"]


def test_plain_alt_text_follows_the_slider(page) -> None:
    data = data_of(page(a=[0.0, 0.5], alt="a point", labels={"a": "x₁"}))
    assert data["alts"] == ["a point (x₁ = 0)", "a point (x₁ = 0.5)"]


def test_equal_frames_are_stored_once(page, monkeypatch) -> None:
    monkeypatch.setattr(
        sys.modules[__name__], "dot", lambda *_: None, raising=True
    )
    data = data_of(page(a=[0.0, 1.0, 2.0]))
    assert len(data["frames"]) == 1 and data["index"] == [0, 0, 0]


def test_two_equal_figures_have_two_names(page) -> None:
    names = [re.search(r'id="([^"]+)"', page(a=[0.0]))[1] for _ in range(2)]
    assert names[0] != names[1]


def test_line_art_is_stored_without_visible_loss() -> None:
    fig = scene(1.0)
    webp, (width, height) = encode(fig)
    stored = np.asarray(Image.open(io.BytesIO(webp)).convert("RGB"), int)
    drawn = np.asarray(fig.canvas.buffer_rgba(), int)[..., :3]
    assert np.abs(stored - drawn).max() <= 4
    assert (stored[drawn == 255] == 255).all()
    assert stored.shape[1] == pytest.approx(width * 1.5, abs=1)
    assert height == 160


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "at least one slider"),
        ({"a": [0.0], "alt": " "}, "alt must say"),
        ({"a": [0.0], "start": {"a": 5.0}}, "not on its slider"),
        ({"a": (0, MAX_FRAMES, 1)}, "coarsen"),
    ],
)
def test_bad_calls(page, options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        page(**options)


def test_unknown_mode() -> None:
    with pytest.raises(ValueError, match="'live' or 'static'"):
        explore(scene, alt="x", mode="both", a=[0.0])


def test_too_heavy(page, monkeypatch) -> None:
    monkeypatch.setattr(widgets, "MAX_BYTES", 100)
    with pytest.raises(ValueError, match="the limit is 100"):
        page(a=[0.0])


def test_function_must_return_a_figure() -> None:
    with pytest.raises(TypeError, match="must return a matplotlib Figure"):
        explore(lambda a: None, alt="x", mode="static", a=[0.0])


def test_live_slider_recomputes() -> None:
    box, (slider,) = live_box(explorable(scene, {"a": (0.0, 2.0, 0.5)}))
    picture, words = box.children[-2:]
    before = picture.value
    slider.value = 2.0
    assert picture.value != before
    assert picture.value == encode(scene(2.0), fast=True)[0]
    assert html.escape(alt_of(2.0)) in words.value
    assert 'role="status"' in words.value


def test_live_errors_are_shown() -> None:
    def breaks(a: float) -> Figure:
        if a > 0:
            raise ArithmeticError("too far")
        return canvas(1, 1)

    options = {"a": [0.0, 1.0]}
    box, (slider,) = live_box(explorable(breaks, options, {"a": 0.0}))
    with pytest.raises(ArithmeticError):
        slider.value = 1.0
    assert "too far" in box.children[-1].value


def explorable(function, sliders: dict, start: dict | None = None):
    alt = alt_of if function is scene else "x"
    return widgets._Explorable(function, alt, None, start, False, sliders)


def test_live_branch_with_the_ipywidgets_of_colab() -> None:
    """The core widgets of 7.7.1 suffice: another process imports them."""
    program = (
        "import ipywidgets, test_widgets as t;"
        "assert ipywidgets.__version__ == '7.7.1', ipywidgets.__file__;"
        "t.test_live_slider_recomputes(); t.test_live_errors_are_shown()"
    )
    here = Path(__file__).parent
    path = os.pathsep.join([str(COLAB), str(here), str(here.parent)])
    assert COLAB.is_dir(), "make test installs ipywidgets 7.7.1 there"
    subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": path},
        check=True,
    )


def test_the_arrow_keys_reach_the_slider_in_jupyter(page) -> None:
    told = 'class="pinv-explore" data-lm-suppress-shortcuts="true"'
    assert told in page(a=[0.0, 1.0])
