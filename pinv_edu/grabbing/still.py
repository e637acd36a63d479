"""The picture of a scene where no script runs, by the house's figures."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pinv_edu import figures as draw
from pinv_edu.grabbing.parts import Panel, Scene, Shape, Values, fill

SIDE = 4.4  # inches, of the widest panel


def still_picture(scene: Scene, values: Values) -> Figure:
    """Draw a scene as it stands."""
    heights = [SIDE * _ratio(panel) for panel in scene.panels]
    rows = (len(scene.legend) + 1) // 2
    strip = 0.26 * rows + 0.1 * (rows > 0)
    fig = draw.canvas(SIDE, sum(heights) + strip)
    top, total = sum(heights) + strip, sum(heights) + strip
    panels = []
    for panel, high in zip(scene.panels, heights, strict=True):
        top -= high
        panels.append(_panel(fig, panel, top / total, high / total))
    everything = scene.still() | values
    for shape in scene.shapes:
        given = [everything[name] for name in shape.values]
        if all(v is not None for v in given):
            _draw(panels[shape.panel], shape, given, everything)
    if scene.legend:
        draw.legend(fig, *scene.legend)
    return fig


def _ratio(panel: Panel) -> float:
    if panel.kind == "chart":
        return panel.high
    head = 0.07 if panel.title else 0.0
    return (panel.y[1] - panel.y[0]) / (panel.x[1] - panel.x[0]) + head


def _panel(fig: Figure, panel: Panel, low: float, high: float) -> Axes:
    chart = panel.kind == "chart"
    box = (0.2, low + 0.2 * high, 0.76, 0.72 * high) if chart else (
        0.02, low + 0.01 * high, 0.96, (0.92 if panel.title else 0.97) * high)
    ax = fig.add_axes(box)
    if not chart:
        draw.draw_plane(ax, panel.x, panel.y, panel.names)
    else:
        _chart(ax, panel)
    if panel.title:
        ax.set_title(panel.title, fontsize=draw.FONT, pad=3)
    return ax


def _chart(ax: Axes, panel: Panel) -> None:
    scales = ["log" if log else "linear" for log in panel.log]
    ax.set(xscale=scales[0], yscale=scales[1], xlim=panel.x, ylim=panel.y)
    ax.minorticks_off()
    for axis, ticks in zip((ax.xaxis, ax.yaxis), panel.ticks, strict=True):
        axis.set_ticks([v for v, _ in ticks], [word for _, word in ticks])
    ax.set_xlabel(panel.names[0], fontsize=draw.FONT)
    ax.set_ylabel(panel.names[1], fontsize=draw.FONT)
    ax.spines[["top", "right"]].set_visible(False)


def _draw(ax: Axes, shape: Shape, given: list[Any], values: Values) -> None:
    first, role = given[0], shape.role
    if shape.kind in ("curve", "area"):
        for line in first if _is_bundle(first) else [first]:
            _line(ax, shape, line)
    elif shape.kind == "arrow":
        draw.arrow(ax, first, given[1], role)
    elif shape.kind == "field":
        ax.quiver(*zip(*first, strict=True), angles="xy", units="xy",
                  scale=1, width=0.012, color=_colour(shape))
    elif shape.kind in ("dot", "dots"):
        small = shape.kind == "dots"
        _marks(ax, shape, first if small else [first], 5 if small else 9)
    if shape.label and _inside(ax, first):
        _label(ax, shape, first, fill(shape.label, values))


def _colour(shape: Shape) -> str:
    return shape.colour or draw.ROLES[shape.role].colour


def _line(ax: Axes, shape: Shape, points: list[list[float]]) -> None:
    xy = list(zip(*points, strict=True))
    if shape.kind == "area":
        ax.fill(*xy, alpha=0.2, color=_colour(shape))
        return
    style: dict[str, Any] = {"lw": shape.width or 2, "color": _colour(shape)}
    if shape.solid:
        style["ls"] = "-"
    draw.curve(ax, *xy, shape.role, **style)


def _marks(
    ax: Axes, shape: Shape, points: list[list[float]], size: float
) -> None:
    look = draw.ROLES[shape.role]
    size = 1.6 * size if look.marker == "*" else size
    style = {"color": look.colour, "ms": size, "mec": "white", "zorder": 5}
    shown = [p for p in points if _inside(ax, p)]
    if shown:
        ax.plot(*zip(*shown, strict=True), look.marker, **style)


def _label(ax: Axes, shape: Shape, at: list[float], words: str) -> None:
    dx, dy = shape.offset or (14, -12)
    across = "center" if dx == 0 else "right" if dx < 0 else "left"
    ax.annotate(
        words, at, xytext=(0.75 * dx, -0.75 * dy), va="center", ha=across,
        textcoords="offset points", fontsize=draw.FONT, zorder=7,
        color=draw.ink(shape.role),
    )  # fmt: skip


def _is_bundle(curve: list) -> bool:
    return bool(curve) and bool(curve[0]) and isinstance(curve[0][0], list)


def _inside(ax: Axes, p: list[float]) -> bool:
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    return x0 <= p[0] <= x1 and y0 <= p[1] <= y1
