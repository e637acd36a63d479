"""Scenes of the subspaces of a matrix, and of its smallest singular value."""

from __future__ import annotations

import torch

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

LARGE, WALL = 1.6, (0.008, 2.0)
SIDES = torch.cat([heading(25), heading(115)]).T
BACK = torch.cat([heading(-40), heading(50)])


def see_cliff(small: float, cut: float, y1: float, y2: float) -> Values:
    r""":math:`A^+y` as the smallest singular value goes under the cut."""
    y, edge = row(y1, y2), cut * LARGE

    def matrix(s: float) -> torch.Tensor:
        return SIDES @ torch.diag(row(LARGE, s)[0]) @ BACK

    def length(s: float, rcond: float) -> float:
        return float(MatrixOperator(matrix(s), rcond).pinv(y).norm())

    A = MatrixOperator(matrix(small), cut)
    foot, kept = A(A.pinv(y)), small > edge
    angles = torch.linspace(0, 2 * torch.pi, 73, dtype=torch.float64)
    circle = torch.stack([angles.cos(), angles.sin()])
    ellipse = (SIDES @ torch.diag(row(LARGE, small)[0]) @ circle).T.tolist()
    ends = LARGE * SIDES[:, 0]
    split = min(WALL[1], max(WALL[0], edge))
    low = length(1e-3, 0.1)

    def curve(first: float, last: float) -> list[list[float]]:
        grid = row(first, last).log()[0]
        grid = torch.linspace(*grid.tolist(), 41, dtype=torch.float64).exp()
        c = y @ SIDES
        values = torch.hypot(c[0, 0] / LARGE, c[0, 1] / grid)
        return torch.stack([grid, values], 1).tolist()

    return {
        "y": pair(y),
        "foot": None if kept else pair(foot),
        "round": ellipse if kept else None,
        "ghost": None if kept else ellipse,
        "kept_line": None if kept else [pair(-ends), pair(ends)],
        "miss": None if kept else [pair(y), pair(foot)],
        "misfit": float((y - foot).norm()),
        "length": length(small, cut),
        "rank": str(int((A.singular_values() > 0).sum())),
        "verdict": "kept" if kept else "dropped",
        "long": curve(split, WALL[1]),
        "would": curve(WALL[0], split),
        "short": [[WALL[0], low], [split, low]],
        "edge": edge,
        "wall": [[edge, 0.4], [edge, 120]],
        "cutter": [edge, 0.6],
        "point": [small, length(small, cut)],
    }


CLIFF = Scene(
    see=see_cliff,
    parameters={
        "small": Parameter(0.25, 0.01, 1.5, step=1.25, log=True),
        "cut": Parameter(0.01, 0.006, 0.5, step=1.25, log=True),
        "y1": Parameter(0.92, -1.9, 1.9),
        "y2": Parameter(1.09, -1.9, 1.9),
    },
    handles=(
        Handle("y", "the measurement y", "y", ("y1", "y2"), "y = {y}"),
        Handle("small", "smallest singular value", "point", ("small",),
               "{small:3}, {verdict}", 1),
        Handle("cut", "cut, as a share of the largest", "cutter", ("cut",),
               "{cut:3}", 1),
    ),
    panels=(
        Panel((-2, 2), (-2, 2), ("$y_1$", "$y_2$")),
        Panel(WALL, (0.4, 120), ("smallest singular value $σ_2$",
              "length of $A^+y$"), kind="chart", log=(True, True),
              ticks=(((0.01, "0.01"), (0.1, "0.1"), (1, "1")),
                     ((1, "1"), (10, "10"), (100, "100"))), high=0.8),
    ),
    shapes=(
        Shape("curve", "wrong", ("ghost",), width=1.4),
        Shape("curve", "range", ("round",)),
        Shape("curve", "range", ("kept_line",), width=3),
        Shape("curve", "null", ("miss",)),
        Shape("dot", "range", ("foot",), "$AA^+y$", (-12, 16)),
        Shape("dot", "data", ("y",), "$y$", (18, -10)),
        Shape("curve", "wrong", ("would",), width=1.4, panel=1),
        Shape("curve", "ours", ("long",), panel=1),
        Shape("curve", "ours", ("short",), panel=1),
        Shape("curve", "null", ("wall",), width=1.4, panel=1),
        Shape("note", "null", ("cutter",), "cut", (18, 0), panel=1),
        Shape("dot", "ours", ("point",), "{length:1}", (18, -12), panel=1),
    ),
    alt="Left, the measurements: the ellipse that A makes of the unit circle "
    "and y = {y}. Right, the length of A+y over the smallest singular value. "
    "The largest is 1.6, the smallest {small:3}; with the cut {cut:3} it is "
    "{verdict}, so the rank counts as {rank}. The misfit of y is {misfit}, "
    "the length of A+y is {length}.",
    read="σ₂ = {small:3} is {verdict}: rank {rank}. Misfit {misfit}, "
    "length of A⁺y {length}.",
    legend=(
        ("range", "what $A$ can produce", "line"),
        ("data", "$y$", "point"),
        ("ours", "length of $A^+y$", "line"),
        ("wrong", "without the cut", "line"),
        ("null", "cut, and misfit", "line"),
    ),
    width=720,
)  # fmt: skip

GOAL = (1.0, 0.5)
TILT = 30.0


def see_steps(
    kappa: float, lam: float, tau: float, x1: float, x2: float
) -> Values:
    r"""Twenty gradient steps and twenty relaxed back-projections."""
    v = heading(TILT)
    A = MatrixOperator(torch.cat([v, normal(v) / kappa]))
    x, goal = row(x1, x2), row(*GOAL)
    y = A(goal)
    gradient, relaxed = [x], [x]
    for _ in range(20):
        here = gradient[-1]
        gradient.append(here + tau * A.adjoint(y - A(here)))
        relaxed.append(A.project(relaxed[-1], y, lam))

    def off(path: list[torch.Tensor]) -> list[list[float]]:
        gaps = (A(torch.cat(path)) - y).norm(dim=1).clamp(min=1e-6)
        return [[k, gap] for k, gap in enumerate(gaps.tolist())]

    angles = torch.linspace(0, 2 * torch.pi, 73, dtype=torch.float64)[:, None]
    ring = angles.cos() * v + angles.sin() * kappa * normal(v)
    return {
        "goal": list(GOAL),
        "x_0": pair(x),
        "gradient": torch.cat(gradient).tolist(),
        "relaxed": torch.cat(relaxed).tolist(),
        "first": pair(gradient[1]),
        "jump": pair(relaxed[1]),
        "off_gradient": off(gradient),
        "off_relaxed": off(relaxed),
        "rings": [(goal + r * ring).tolist() for r in (0.5, 1, 1.5, 2, 2.5)],
        "left_gradient": off(gradient)[20][1],
        "left_relaxed": off(relaxed)[20][1],
    }


STEPS = Scene(
    see=see_steps,
    parameters={
        "kappa": Parameter(3, 1, 10, step=1.25, log=True),
        "lam": Parameter(0.5, 0, 2.5),
        "tau": Parameter(1, 0, 2.5),
        "x1": Parameter(-1, -1.9, 2.9),
        "x2": Parameter(1.4, -1.5, 2.3),
    },
    handles=(
        Handle("x_0", "the start", "x_0", ("x1", "x2"), "x_0 = {x_0}"),
        Handle("jump", "strength λ of back-projection", "jump", ("lam",),
               "λ = {lam}"),
        Handle("first", "size τ of the gradient step", "first", ("tau",),
               "τ = {tau}"),
    ),
    panels=(
        Panel((-2, 3), (-1.6, 2.4)),
        Panel((-0.5, 20.5), (1e-6, 1e3), ("steps", "residual"), kind="chart",
              log=(False, True),
              ticks=(((0, "0"), (5, "5"), (10, "10"), (15, "15"), (20, "20")),
                     ((1e-6, "$10^{−6}$"), (1e-3, "$10^{−3}$"), (1, "1"),
                      (1e3, "$10^3$"))), high=0.75),
    ),
    shapes=(
        Shape("curve", "data", ("rings",), width=0.9, solid=True,
              colour="#a9cfc0"),
        Shape("curve", "wrong", ("gradient",)),
        Shape("dots", "wrong", ("gradient",)),
        Shape("curve", "range", ("relaxed",)),
        Shape("dots", "range", ("relaxed",)),
        Shape("dot", "ours", ("goal",), "$A^+y$", (14, 14)),
        Shape("note", "range", ("jump",), "$λ$ = {lam}", (-16, 16)),
        Shape("note", "wrong", ("first",), "$τ$ = {tau}", (18, 12)),
        Shape("dot", "prior", ("x_0",), "$x_0$", (-16, -10)),
        Shape("curve", "wrong", ("off_gradient",), panel=1),
        Shape("dots", "wrong", ("off_gradient",), panel=1),
        Shape("curve", "range", ("off_relaxed",), panel=1),
        Shape("dots", "range", ("off_relaxed",), panel=1),
    ),
    alt="Left, the plane with rings of equal residual around the goal "
    "(1, 0.5). From x_0 = {x_0}, back-projection with strength {lam} goes "
    "straight along one line, gradient steps of size {tau} bend towards the "
    "steep direction first. Right, the residuals over 20 steps on a "
    "logarithmic scale; in the end {left_relaxed:3} for back-projection and "
    "{left_gradient:3} for gradient steps.",
    read="Condition {kappa:1}. After 20 steps: back-projection with "
    "λ = {lam} leaves {left_relaxed:3}, gradient steps of τ = {tau} leave "
    "{left_gradient:3}.",
    legend=(
        ("range", "back-projection, strength $λ$", "line"),
        ("wrong", "gradient steps, size $τ$", "line"),
        ("data", "equal residual", "line"),
    ),
    width=720,
)  # fmt: skip
