"""Scenes of one linear measurement in the plane."""

from __future__ import annotations

import math

import torch

from pinv_edu.grabbing.parts import (
    Handle,
    Panel,
    Parameter,
    Scene,
    Shape,
    Values,
)
from pinv_edu.laws import range_null
from pinv_edu.linear import MatrixOperator

GRIP = -1.8
"""Where on the fibre one holds it: so far from its nearest point to 0."""


def row(*numbers: float) -> torch.Tensor:
    """A batch of one, in float64."""
    return torch.tensor([numbers], dtype=torch.float64)


def pair(x: torch.Tensor) -> list[float]:
    """A point of the plane as two numbers."""
    return x.flatten().tolist()


def through(
    p: torch.Tensor, d: torch.Tensor, far: float = 20
) -> list[list[float]]:
    """Two ends of a line, outside every picture."""
    return [pair(p - far * d), pair(p + far * d)]


def normal(a: torch.Tensor) -> torch.Tensor:
    """A quarter turn to the left."""
    return torch.stack([-a[..., 1], a[..., 0]], -1)


def heading(degrees: float) -> torch.Tensor:
    """The direction at an angle, a batch of one."""
    angle = math.radians(degrees)
    return row(math.cos(angle), math.sin(angle))


def see_fibre(theta: float, y: float, t: float) -> Values:
    r"""Fibre of :math:`a^\top x = y` and a point that walks on it."""
    a, zero = heading(theta), row(0, 0)
    A = MatrixOperator(a)
    along, foot = normal(a), A.pinv(row(y))
    x = foot + t * along
    return {
        "origin": [0, 0],
        "a": pair(a),
        "foot": pair(foot),
        "x": pair(x),
        "fibre": through(foot, along),
        "null": through(zero, along),
        "row": through(zero, a),
        "seen": float(A(x)),
        "far": float(foot.norm()),
    }


FIBRE = Scene(
    see=see_fibre,
    parameters={
        "theta": Parameter(30, -180, 180, step=5, fine=1),
        "y": Parameter(1.5, -2, 2),
        "t": Parameter(-1.2, -3, 3),
    },
    handles=(
        Handle("a", "direction of the measurement", "a", ("theta",),
               "{theta:0} degrees"),
        Handle("y", "measured value y", "foot", ("y",), "y = {y}"),
        Handle("x", "a point of the fibre", "x", ("t",), "x = {x}"),
    ),
    panels=(Panel((-2.3, 2.3), (-2.1, 2.1)),),
    shapes=(
        Shape("curve", "range", ("row",), width=0.9),
        Shape("curve", "null", ("null",)),
        Shape("curve", "data", ("fibre",)),
        Shape("arrow", "range", ("origin", "a"), "$a$", (16, 16)),
        Shape("dot", "range", ("foot",)),
        Shape("dot", "ours", ("x",), "$x$", (18, -12)),
    ),
    alt="The measurement looks at {theta:0} degrees. The fibre over y = {y} "
    "is a line perpendicular to that direction, parallel to the null space. "
    "Its point nearest to the origin is {foot}. Another point of the fibre, "
    "x = {x}, measures {seen} too.",
    read="θ = {theta:0}°, y = {y}. Nearest to the origin: {foot}. "
    "x = {x} measures {seen}.",
    legend=(
        ("data", "fibre over $y$", "line"),
        ("null", "null space", "line"),
        ("range", "$a$ and the row space", "line"),
        ("range", "nearest to the origin", "point"),
        ("ours", "another $x$ with this $y$", "point"),
    ),
)  # fmt: skip


def see_projection(
    a1: float, a2: float, y: float, x1: float, x2: float
) -> Values:
    r"""Back-projection :math:`x' = x_r + A^+(y - Ax_r)`, and its two legs."""
    A, x_r = MatrixOperator(row(a1, a2)), row(x1, x2)
    a = row(a1, a2) / row(a1, a2).norm()
    seen, lost = range_null(A, x_r)
    start, x = A.pinv(row(y)), A.project(x_r, row(y))
    return {
        "origin": [0, 0],
        "x_r": pair(x_r),
        "start": pair(start),
        "seen": pair(seen),
        "lost": pair(lost),
        "x": pair(x),
        "fibre": through(start, normal(a)),
        "row": through(row(0, 0), a),
        "y_r": float(A(x_r)),
        "y_x": float(A(x)),
        "moved": float((x - x_r).norm()),
        "grip": pair(start + GRIP * normal(a)),
    }


PROJECTION = Scene(
    see=see_projection,
    parameters={
        "a1": Parameter(2, 0.5, 3),
        "a2": Parameter(1, 0.5, 3),
        "y": Parameter(4, -1, 7),
        "x1": Parameter(2.5, -0.8, 4.4),
        "x2": Parameter(3, -1.1, 4.4),
    },
    handles=(
        Handle("x_r", "guess x_r", "x_r", ("x1", "x2"), "x_r = {x_r}"),
        Handle("y", "measurement y, moves the fibre", "grip", ("y",),
               "y = {y}"),
    ),
    panels=(Panel((-0.9, 4.5), (-1.2, 4.5)),),
    shapes=(
        Shape("curve", "range", ("row",), width=0.9),
        Shape("curve", "data", ("fibre",)),
        Shape("note", "data", ("grip",), "$y$ = {y:1}", (18, 0)),
        Shape("arrow", "range", ("origin", "start")),
        Shape("arrow", "null", ("seen", "x_r")),
        Shape("arrow", "null", ("start", "x"), width=4),
        Shape("arrow", "range", ("x_r", "x")),
        Shape("dot", "range", ("seen",), "$A^+Ax_r$", (10, 16)),
        Shape("dot", "range", ("start",), "$A^+y$", (10, 16)),
        Shape("dot", "prior", ("x_r",), "$x_r$", (18, -14)),
        Shape("dot", "ours", ("x",), "$x'$", (-12, -12)),
    ),
    alt="The guess x_r = {x_r} measures {y_r}. Its null part is {lost}, "
    "drawn as a vermilion dashed arrow. The same arrow, started at A+y = "
    "{start}, ends at x' = {x} on the green line of all x with y = {y}; "
    "x' measures {y_x}.",
    read="The guess measures {y_r}, its null part is {lost}. "
    "x′ = {x} measures {y_x}; it was moved by {moved}.",
    legend=(
        ("data", "every $x$ with this $y$", "line"),
        ("range", "fixed by the measurement", "line"),
        ("null", "from the guess", "line"),
        ("prior", "guess $x_r$", "point"),
        ("ours", "closest point $x'$", "point"),
    ),
)  # fmt: skip
