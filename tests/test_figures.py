"""Figures: roles, alt text, pictures in their right place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from pinv_edu import held_out, load_prior, photograph, show
from pinv_edu.figures import (
    ROLES,
    arrow,
    axes,
    cloud,
    curve,
    infinite_line,
    ink,
    legend,
    picture_grid,
    picture_row,
    plane,
    planes,
)
from pinv_edu.pictures import to_unit
from pinv_edu.training.data import FASHION, read_idx


def test_roles_differ_without_colour() -> None:
    kinds = list(ROLES.values())
    assert len({k.colour for k in kinds}) == len(kinds)
    assert len({k.marker for k in kinds}) == len(kinds)


def test_every_helper_draws() -> None:
    fig, ax = plane()
    arrow(ax, (0, 0), torch.tensor([1.0, 1.0]), "range", "A")
    infinite_line(ax, (1, 2), 1.0, "data")
    curve(ax, torch.linspace(0, 1, 5), torch.zeros(5), "ours")
    _, row = axes(columns=2)
    assert len(row) == 2
    fig.canvas.draw()


def test_infinite_line_is_the_fibre() -> None:
    _, ax = plane()
    infinite_line(ax, (3.0, 4.0), 5.0, "data")
    line = ax.lines[-1]
    for point in (line.get_xy1(), line.get_xy2()):
        assert np.dot(point, (3, 4)) == pytest.approx(5)


def test_pictures_stand_in_order_with_their_grey_values() -> None:
    black, white = -torch.ones(1, 4, 4), torch.ones(3, 4, 4)
    fig = picture_row([black, white, torch.zeros(2, 2)], ["a", "b", "c"])
    shown = [ax.images[0].get_array() for ax in fig.axes]
    assert [float(im.mean()) for im in shown] == [0.0, 1.0, 0.5]
    assert [ax.get_title() for ax in fig.axes] == ["a", "b", "c"]


def test_show_emits_alt_and_caption(monkeypatch) -> None:
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    fig, _ = plane(width=1.0)
    show(fig, alt='a "plane" & axes', caption="An <empty> plane")
    text = shown[0].data
    assert 'alt="a &quot;plane&quot; &amp; axes"' in text
    assert "<figcaption>An &lt;empty&gt; plane</figcaption>" in text
    with pytest.raises(ValueError, match="alt must say"):
        show(fig, alt="  ")


def test_a_cloud_has_all_its_points_and_a_legend_its_words() -> None:
    points = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    fig, row = planes((-1, 5), (-1, 6), ["left", "right"], rows=1)
    cloud(row[0], points, "prior")
    assert np.array_equal(row[0].lines[-1].get_xydata(), points)
    legend(fig, ("prior", "a prior", "point"), ("data", "the line", "line"))
    words = [text.get_text() for text in fig.legends[0].get_texts()]
    assert words == ["a prior", "the line"]
    assert [ax.get_title() for ax in fig.axes] == ["left", "right"]
    assert row[0].get_position().y0 > 0.02  # room for the legend


@pytest.mark.parametrize("role", ROLES)
def test_ink_is_readable_on_white(role: str) -> None:
    colour = torch.tensor(to_rgb(ink(role)))
    linear = torch.where(
        colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4
    )
    light = linear @ torch.tensor([0.2126, 0.7152, 0.0722])
    assert 1.05 / (light + 0.05) >= 4.5  # WCAG 2, level AA


def test_pictures_of_a_grid_stand_in_rows() -> None:
    grey = {v: torch.full((1, 4, 4), v) for v in (-1.0, 0.0, 1.0)}
    rows = {"first": [grey[-1.0], grey[1.0]], "second": [grey[0.0]] * 2}
    fig = picture_grid(rows, ["a", "b"])
    means = [float(ax.images[0].get_array().mean()) for ax in fig.axes]
    assert means == [0.0, 1.0, 0.5, 0.5]
    assert [text.get_text() for text in fig.texts] == ["first", "second"]
    high = [ax.get_position().y0 for ax in fig.axes]
    assert high == pytest.approx([high[0]] * 2 + [high[2]] * 2)
    assert high[0] > high[2]


@pytest.mark.parametrize("name", ["fashion-mnist", "emoji"])
def test_held_out_pictures(name: str) -> None:
    test, other = held_out(name, 64), held_out(name, 64, part="validation")
    assert test.shape == (64, *load_prior(name).shape)
    every = torch.cat([test, other])
    assert len(every.flatten(1).unique(dim=0)) == 128
    assert every.min() == -1 and every.max() == 1
    double = held_out(name, 3, dtype=torch.float64)
    assert torch.allclose(double, test[:3].double(), atol=1e-6)
    # smooth along both axes: neither rows nor channels are shuffled
    for axis in (-1, -2):
        assert every.diff(dim=axis).square().mean() < 0.6 * every.var()


def test_held_out_pictures_are_those_of_the_data_sets() -> None:
    files = FASHION / "t10k-images-idx3-ubyte.gz"
    if not files.is_file():
        pytest.skip("Fashion-MNIST is not installed")
    pixels = read_idx(files)[0][:128].float() / 127.5 - 1
    every = [held_out("fashion-mnist", 64, p) for p in ("test", "validation")]
    assert torch.equal(torch.cat(every), pixels)


def test_held_out_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="not one of"):
        held_out("cats")
    with pytest.raises(ValueError, match="1 to 64"):
        held_out("emoji", 65)
    with pytest.raises(ValueError, match="'test' or 'validation'"):
        held_out("emoji", 2, part="train")


def test_photograph() -> None:
    x = photograph()
    assert x.shape == (1, 3, 256, 256) and x.dtype == torch.float32
    assert x.min() >= -1 and x.max() <= 1 and x.std() > 0.3
    small = photograph(size=64, dtype=torch.float64)
    assert small.shape == (1, 3, 64, 64)
    means = x.double().reshape(1, 3, 64, 4, 64, 4).mean((3, 5))
    torch.testing.assert_close(small, means, atol=1e-6, rtol=0)
    assert to_unit(x).min() >= 0
    with pytest.raises(ValueError, match="does not divide 256"):
        photograph(size=100)
    with pytest.raises(ValueError, match="not one of"):
        photograph("cat")
