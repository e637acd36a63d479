"""Scenes of what a matrix sees, loses, produces and does not produce."""

from __future__ import annotations

from pinv_edu.grabbing.linear import heading, normal, pair, row, through
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


def see_decomposition(a1: float, a2: float, x1: float, x2: float) -> Values:
    r"""Split :math:`x = A^+Ax + (I - A^+A)x` for one row :math:`a`."""
    A, x, zero = MatrixOperator(row(a1, a2)), row(x1, x2), row(0, 0)
    seen, lost = range_null(A, x)
    far, size = row(a1, a2).norm(), x.norm()
    a = row(a1, a2) / far if far > 0 else None
    return {
        "origin": [0, 0],
        "a": [a1, a2],
        "x": pair(x),
        "seen": pair(seen),
        "lost": pair(lost),
        "y": float(A(x)),
        "row": None if a is None else through(zero, a),
        "null": None if a is None else through(zero, normal(a)),
        "fibre": None if a is None else through(seen, normal(a)),
        "share": float((seen.norm() / size) ** 2) if size > 0 else 0.0,
    }


DECOMPOSITION = Scene(
    see=see_decomposition,
    parameters={
        "a1": Parameter(1.7, -2, 2),
        "a2": Parameter(0.85, -2, 2),
        "x1": Parameter(0.6, -2.2, 2.2),
        "x2": Parameter(1.7, -2, 2),
    },
    handles=(
        Handle("x", "the unknown x", "x", ("x1", "x2"), "x = {x}"),
        Handle("a", "the row a of A", "a", ("a1", "a2"), "a = {a}"),
    ),
    panels=(Panel((-2.3, 2.3), (-2.1, 2.1)),),
    shapes=(
        Shape("curve", "range", ("row",), width=0.9),
        Shape("curve", "null", ("null",), width=0.9),
        Shape("curve", "data", ("fibre",), width=1.4),
        Shape("arrow", "range", ("origin", "seen"), width=4),
        Shape("arrow", "null", ("seen", "x")),
        Shape("arrow", "null", ("origin", "lost")),
        Shape("dot", "range", ("seen",), "$A^+Ax$", (10, 16)),
        Shape("note", "null", ("lost",), "$(I-A^+A)x$", (-10, -10)),
        Shape("dot", "truth", ("x",), "$x$", (18, -12)),
        Shape("note", "range", ("a",), "$a$", (16, 14)),
    ),
    alt="A looks in the direction of its row a = {a}. It splits x = {x} into "
    "the seen part {seen}, along a, and the lost part {lost}, at a right "
    "angle to it. The measurement is y = {y}. Of the squared length of x, "
    "the share {share} is seen.",
    read="x = {x} measures {y}. Seen: {seen}. Lost: {lost}. "
    "Share of |x|² that is seen: {share}.",
    legend=(
        ("range", "row space: what $A$ sees", "line"),
        ("null", "null space: what it loses", "line"),
        ("data", "fibre of this $y$", "line"),
        ("truth", "$x$", "point"),
    ),
)

SIGMA = 1.5


def see_penrose(
    theta: float, phi: float, x1: float, x2: float, y1: float, y2: float
) -> Values:
    r"""The four projectors of :math:`A = \sigma u v^\top`."""
    v, u, x, y = heading(theta), heading(phi), row(x1, x2), row(y1, y2)
    A, zero = MatrixOperator(SIGMA * u.T @ v), row(0, 0)
    seen, lost = range_null(A, x)
    fit = A(A.pinv(y))
    return {
        "origin": [0, 0],
        "v": pair(v),
        "u": pair(u),
        "x": pair(x),
        "y": pair(y),
        "seen": pair(seen),
        "lost": pair(lost),
        "fit": pair(fit),
        "rest": pair(y - fit),
        "row": through(zero, v),
        "null": through(zero, normal(v)),
        "range": through(zero, u),
        "left": through(zero, normal(u)),
        "image": pair(A(x)),
        "back": pair(A.pinv(y)),
    }


PENROSE = Scene(
    see=see_penrose,
    parameters={
        "theta": Parameter(20, -180, 180, step=5, fine=1),
        "phi": Parameter(60, -180, 180, step=5, fine=1),
        "x1": Parameter(0.8, -2, 2),
        "x2": Parameter(1.5, -1.9, 1.9),
        "y1": Parameter(1.6, -2, 2),
        "y2": Parameter(0.6, -1.9, 1.9),
    },
    handles=(
        Handle("x", "the unknown x", "x", ("x1", "x2"), "x = {x}"),
        Handle("v", "direction that A sees", "v", ("theta",),
               "{theta:0} degrees"),
        Handle("y", "the measurement y", "y", ("y1", "y2"), "y = {y}", 1),
        Handle("u", "direction that A produces", "u", ("phi",),
               "{phi:0} degrees", 1),
    ),
    panels=(
        Panel((-2.2, 2.2), (-2, 2), title="unknowns"),
        Panel((-2.2, 2.2), (-2, 2), ("$y_1$", "$y_2$"), "measurements"),
    ),
    shapes=(
        Shape("curve", "range", ("row",), width=0.9),
        Shape("curve", "null", ("null",), width=0.9),
        Shape("arrow", "range", ("origin", "seen"), width=4),
        Shape("arrow", "null", ("seen", "x")),
        Shape("dot", "range", ("seen",), "$A^+Ax$", (8, 18)),
        Shape("dot", "truth", ("x",), "$x$", (18, -12)),
        Shape("dot", "ours", ("back",), "$A^+y$", (-10, -16)),
        Shape("curve", "range", ("range",), width=0.9, panel=1),
        Shape("curve", "null", ("left",), width=0.9, panel=1),
        Shape("arrow", "range", ("origin", "fit"), width=4, panel=1),
        Shape("arrow", "null", ("fit", "y"), panel=1),
        Shape("dot", "range", ("fit",), "$AA^+y$", (-12, -12), panel=1),
        Shape("dot", "data", ("y",), "$y$", (18, -10), panel=1),
        Shape("dot", "truth", ("image",), "$Ax$", (14, 14), panel=1),
    ),
    alt="Left, the unknowns. A+A takes x = {x} to its seen part {seen}, and "
    "I - A+A to its lost part {lost}; they are at a right angle. Right, the "
    "measurements. AA+ takes y = {y} to {fit}, the nearest that A can "
    "produce, and I - AA+ to the rest {rest}, at a right angle too. "
    "A x = {image}, and A+y = {back} is on the line that A sees.",
    read="A⁺A x = {seen}, (I − A⁺A) x = {lost}. AA⁺y = {fit}, "
    "(I − AA⁺) y = {rest}. A⁺y = {back}.",
    legend=(
        ("range", "kept by $A^+A$ and $AA^+$", "line"),
        ("null", "kept by $I-A^+A$ and $I-AA^+$", "line"),
        ("truth", "$x$ and $Ax$", "point"),
        ("data", "$y$", "point"),
        ("ours", "$A^+y$", "point"),
    ),
    width=720,
)  # fmt: skip
