"""What a figure that can be grabbed is made of, and its words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Values = dict[str, Any]
"""Named numbers, words, points, curves; ``None`` where there is none."""


@dataclass(frozen=True)
class Parameter:
    """A number that a handle moves, or that only ``grab(...)`` sets.

    ``step`` is what an arrow key adds (for ``log``: the factor), ``fine``
    what the pointer rounds to.
    """

    start: float
    low: float
    high: float
    step: float = 0.1
    fine: float = 0.01
    log: bool = False


@dataclass(frozen=True)
class Handle:
    """A point to hold: Left and Right move the first parameter of ``moves``,
    Up and Down the last.

    ``at`` names the value where it stands, ``words`` is its name for those
    who do not see it, ``says`` how its position is read aloud.
    """

    name: str
    words: str
    at: str
    moves: tuple[str, ...]
    says: str
    panel: int = 0


@dataclass(frozen=True)
class Shape:
    """One thing that is drawn; ``values`` names what it needs.

    Kinds: ``dot``, ``dots``, ``curve``, ``area``, ``arrow`` (from, to),
    ``field`` (rows x, y, u, v) and ``note``, which is its label alone.
    A shape without one of its values is left out.
    """

    kind: str
    role: str
    values: tuple[str, ...]
    label: str = ""
    offset: tuple[float, float] | None = None
    panel: int = 0
    width: float | None = None
    colour: str = ""
    solid: bool = False
    still: bool = False


@dataclass(frozen=True)
class Panel:
    """A plane with equal scales, or a chart ``high`` times as high as wide."""

    x: tuple[float, float]
    y: tuple[float, float]
    names: tuple[str, str] = ("$x_1$", "$x_2$")
    title: str = ""
    kind: str = "plane"
    log: tuple[bool, bool] = (False, False)
    ticks: tuple[tuple[tuple[float, str], ...], ...] = ((), ())
    high: float = 0.6


def nothing() -> Values:
    """Nothing stands still."""
    return {}


@dataclass(frozen=True)
class Scene:
    """A scene: its maths by the library, and how it is drawn.

    ``see`` takes all parameters by name; ``still`` gives what never moves.
    ``alt`` and ``read`` are templates: ``{x}`` two decimals, ``{x:1}`` one.
    """

    see: Callable[..., Values]
    parameters: Mapping[str, Parameter]
    handles: Sequence[Handle]
    panels: Sequence[Panel]
    shapes: Sequence[Shape]
    alt: str
    read: str
    legend: Sequence[tuple[str, str, str]] = ()
    still: Callable[[], Values] = nothing
    width: int = 460


def fixed(value: float, digits: int = 2) -> str:
    """Decimals, half rounded away from zero, with a real minus sign."""
    unit = 10**digits
    size = math.floor(abs(value) * unit + 0.5 + 1e-7) / unit
    return ("−" if value < 0 < size else "") + f"{size:.{digits}f}"


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Put values into ``{name}`` or ``{name:digits}``."""

    def one(found: re.Match) -> str:
        value, digits = values[found[1]], int(found[2] or 2)
        if isinstance(value, str):
            return value
        if isinstance(value, Sequence):
            return f"({', '.join(fixed(v, digits) for v in value)})"
        return fixed(value, digits)

    return re.sub(r"\{(\w+)(?::(\d))?\}", one, template)
