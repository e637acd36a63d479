"""Draw the curves of the comparison page, and write what they show.

    python benchmarks/curves.py

PSNR against network calls, and against processor time, from calls.json and
the rows of restoration.json that belong to it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from statistics import median

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from calls import stored
from comparison import NAMES, pivot
from pinv_edu.figures import ROLES, canvas

HERE = Path(__file__).parent
STUDY = HERE / "calls.json"
BOOK = HERE.parent / "book"
PAGE = BOOK / "_curves.md"
FILES = {
    "calls": BOOK / "_static" / "comparison-calls.svg",
    "time": BOOK / "_static" / "comparison-time.svg",
}
AXES = {
    "calls": "network calls",
    "time": "processor time, in network calls",
}
TICKS = {"calls": (5, 10, 20, 50, 100), "time": (5, 10, 20, 50, 100, 200)}
OURS = ROLES["ours"]
SKY = {"color": OURS.colour, "marker": OURS.marker, "lw": 2.5, "zorder": 3}
LOOKS = {  # the rivals in grey: no role of the course is theirs
    "ddnm": SKY,
    "plus": SKY,
    "over": {"color": "#1C6E9E", "marker": "s", "ls": (0, (5, 2))},
    "ddrm": {"color": "#767676", "marker": "^", "ls": ":"},
    "dps": {"color": "#4D4D4D", "marker": "v", "ls": "-."},
    "pigdm": {"color": "#000000", "marker": "D", "ls": "-"},
}
CAPTIONS = {
    "calls": "PSNR against network calls.",
    "time": "The same points against processor time, in units of one "
    "network call: the number of calls, times the median cost of a call of "
    "the method.",
}
BUDGET = 50  # network calls, a time to compare at
DECIBELS = 9  # what a panel shows below its best


def rows() -> list[dict]:
    """Points of all curves, few calls first.

    Their time is the median of the method, which does not move with what
    else the machine does.
    """
    study = json.loads(STUDY.read_text(encoding="utf-8"))["rows"]
    found = sorted(study + stored(), key=lambda row: row["calls"])
    cost = {
        method: median(row["time"] for row in found if row["method"] == method)
        for method in LOOKS
    }
    return [row | {"time": cost[row["method"]]} for row in found]


def digest(rows: list[dict]) -> str:
    """Sum of the data and of this program: changes with either."""
    content = json.dumps(rows).encode() + Path(__file__).read_bytes()
    return hashlib.sha256(content).hexdigest()


def tasks(rows: list[dict]) -> dict[tuple[str, float], dict[str, list[dict]]]:
    """Points by task and method, in the order of the study."""
    found: dict[tuple[str, float], dict[str, list[dict]]] = {}
    for row in rows:
        task = found.setdefault((row["operator"], row["sigma_y"]), {})
        task.setdefault(row["method"], []).append(row)
    return found


def title(task: tuple[str, float], noise: str = r"$\sigma_y$") -> str:
    """Name of a task; ``noise`` is how the letter is written."""
    name = task[0].replace("Walsh-Hadamard", "Walsh–Hadamard")
    return f"{name}, {noise} = {task[1]:g}" if task[1] else f"{name}, no noise"


def draw(rows: list[dict], across: str) -> Figure:
    """One panel a task, one line a method."""
    fig = canvas(7.0, 5.0)
    fig.set_layout_engine("constrained", rect=(0, 0.11, 1, 0.89))
    for i, (task, curves) in enumerate(tasks(rows).items()):
        ax = fig.add_subplot(2, 2, i + 1)
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_title(title(task), fontsize=11)
        ax.set_xlabel(AXES[across], fontsize=11)
        ax.set_ylabel("PSNR (dB)", fontsize=11)
        lines(ax, curves, across)
    names = NAMES | {"ddnm": "DDNM; with noise, DDNM+"}
    handles = [
        Line2D([], [], label=names[method], **look)
        for method, look in LOOKS.items()
        if method != "plus"
    ]
    fig.legend(
        handles=handles, ncols=3, loc="lower center", frameon=False,
        fontsize=11, handlelength=3,
    )  # fmt: skip
    return fig


def lines(ax: Axes, curves: dict[str, list[dict]], across: str) -> None:
    """Draw the curves of one task."""
    for method, points in curves.items():
        x = [row[across] * (row["calls"] if across == "time" else 1)
             for row in points]  # fmt: skip
        ax.plot(x, [row["psnr"] for row in points], ms=6, **LOOKS[method])
    best = max(row["psnr"] for points in curves.values() for row in points)
    ax.set_ylim(max(ax.get_ylim()[0], best - DECIBELS), best + 0.5)
    ax.set_xscale("log")
    ax.set_xticks(TICKS[across], [str(n) for n in TICKS[across]])
    ax.minorticks_off()


def shown_calls(rows: list[dict]) -> str:
    """What a reader who does not see the first figure should know of it."""
    parts = [
        "Four panels, one for each task: PSNR against 5 to 100 network "
        "calls, on a logarithmic axis."
    ]
    for task, curves in tasks(rows).items():
        ends = {
            method: f"{points[0]['psnr']:.1f} to {points[-1]['psnr']:.1f}"
            for method, points in curves.items()
        }
        mine = [row for points in curves.values() for row in points]
        top = max(mine, key=lambda row: row["psnr"])
        parts.append(
            f"{title(task, 'sigma_y')}: from 5 to 100 calls {listed(ends)} "
            f"dB; the best point is {NAMES[top['method']]} with "
            f"{top['calls']} calls, {top['psnr']:.1f} dB."
        )
    return " ".join(parts)


def shown_time(rows: list[dict]) -> str:
    """What a reader who does not see the second figure should know of it."""
    parts = [
        "The same points against processor time, in units of one network "
        "call. A call of DPS or ΠGDM costs about twice as much, so their "
        f"curves lie further right. The best of each method in the time of "
        f"{BUDGET} network calls:"
    ]
    for task, curves in tasks(rows).items():
        best = within(curves, BUDGET)
        values = {method: f"{best[method]:.1f}" for method in best}
        parts.append(f"{title(task, 'sigma_y')}: {listed(values)} dB.")
    return " ".join(parts)


def listed(values: dict[str, str]) -> str:
    return ", ".join(f"{NAMES[m]} {text}" for m, text in values.items())


def within(curves: dict[str, list[dict]], budget: float) -> dict[str, float]:
    """Best PSNR of each method in a time, and a tenth to spare."""
    return {
        method: max(
            row["psnr"]
            for row in points
            if row["time"] * row["calls"] <= 1.1 * budget
        )
        for method, points in curves.items()
    }


def page(rows: list[dict]) -> str:
    """The figures and their numbers, as Markdown."""
    parts = ["<!-- written by benchmarks/curves.py -->"]
    words = {"calls": shown_calls(rows), "time": shown_time(rows)}
    for across, file in FILES.items():
        parts.append(
            f"```{{figure}} _static/{file.name}\n"
            f':alt: "{words[across]}"\n:figclass: pinv-figure\n\n'
            f"{CAPTIONS[across]}\n```"
        )
    told = [
        row | {"operator": f"{title(task)}: {row['calls']} calls"}
        for task, curves in tasks(rows).items()
        for points in curves.values()
        for row in points
    ]
    numbers = pivot(told, lambda row: f"{row['psnr']:.1f}")
    parts.append(
        "```{admonition} The numbers of the curves\n:class: dropdown\n\n"
        f"PSNR in dB.\n\n{numbers}\n```"
    )
    return "\n\n".join(parts) + "\n"


def write() -> None:
    """Write both figures, with the digest inside, and their words."""
    found = rows()
    PAGE.write_text(page(found), encoding="utf-8")
    with matplotlib.rc_context({"svg.hashsalt": "pinv-edu"}):
        for across, file in FILES.items():
            about = {"Date": None, "Description": digest(found)}
            draw(found, across).savefig(file, format="svg", metadata=about)


if __name__ == "__main__":
    write()
