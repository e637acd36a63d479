"""Figures: roles, alt text, pictures in their right place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pinv_edu import photograph, show
from pinv_edu.figures import (
    ROLES,
    arrow,
    axes,
    curve,
    infinite_line,
    picture_row,
    plane,
)
from pinv_edu.pictures import to_unit


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
