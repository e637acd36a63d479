"""Quality with few and with many network calls: data for the curves.

    python benchmarks/calls.py --out benchmarks/calls.json
    python benchmarks/curves.py

Four of the tasks of restoration.json, with the same pictures, seeds and
noise. Its rows are the points at 50 calls. Step sizes are searched for every
number of calls, from the one that was found for 50.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import torch

import pinv_edu as pe
from comparison import RESULTS
from restoration import (
    Restore,
    line,
    methods,
    operators,
    rows_of,
    save,
)

PRIOR = "fashion-mnist"
TASKS = (
    ("inpainting 50 %", 0.0),
    ("block means x4", 0.1),
    ("blur 5x5", 0.1),
    ("Walsh-Hadamard 25 %", 0.1),
)
METHODS = {
    False: ("ddnm", "over", "ddrm", "dps", "pigdm"),
    True: ("plus", "ddrm", "dps", "pigdm"),
}
"""Methods without and with noise."""
CALLS = (5, 10, 20, 100)


def stored() -> list[dict[str, object]]:
    """Rows of restoration.json that belong to the curves."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    return [
        row
        for row in rows
        if row["prior"] == PRIOR
        and (row["operator"], row["sigma_y"]) in TASKS
        and row["method"] in METHODS[row["sigma_y"] > 0]
    ]


def chosen(
    name: str, sigma_y: float
) -> dict[str, tuple[Restore, float | None]]:
    """Methods of one task, with the step sizes to search from."""
    return {
        row["method"]: (
            methods(sigma_y)[row["method"]][0],
            row.get("step_size"),
        )
        for row in stored()
        if (row["operator"], row["sigma_y"]) == (name, sigma_y)
    }


def study(args: argparse.Namespace) -> Iterator[dict[str, object]]:
    """One row for each number of calls, task and method."""
    known = operators(pe.load_prior(PRIOR).shape)
    for args.steps in CALLS:
        for name, sigma_y in TASKS:
            found = chosen(name, sigma_y)
            task = (PRIOR, sigma_y, name, known[name], found)
            yield from rows_of(*task, args)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--validation", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for row in study(args):
        rows.append(row)
        print(line(row), flush=True)
        if args.out:
            named = ("pictures", "validation", "seeds")
            save(args.out, rows, "calls.py", args, *named)


if __name__ == "__main__":
    main()
