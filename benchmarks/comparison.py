"""Write the tables of the comparison page from the stored results.

python benchmarks/comparison.py
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "restoration.json"
PAGE = HERE.parent / "book" / "_comparison.md"
NAMES = {
    "none": "A⁺y, no prior",
    "ddnm": "DDNM",
    "plus": "DDNM+",
    "fresh": "DDNM, η = 1",
    "over": "over-relaxed",
    "ignored": "DDNM, response ignored",
    "decoded": "DDNM, y decoded first",
    "linear": "DDNM, linear model",
    "tangents": "DDNM, tangent at each step",
    "near": "DDNM, exact and near",
    "ddrm": "DDRM",
    "dps": "DPS",
    "pigdm": "ΠGDM",
    "descent": "gradient descent inside",
}
CHAIN_NAMES = {"none": "g†(y), no prior"}


def pivot(rows: list[dict], cell: Callable[[dict], str]) -> str:
    """Markdown: operators down, methods across."""
    across = [m for m in NAMES if any(r["method"] == m for r in rows)]
    down = list(dict.fromkeys(r["operator"] for r in rows))
    found = {(r["operator"], r["method"]): r for r in rows}
    names = NAMES | (CHAIN_NAMES if rows[0].get("chain") else {})
    lines = ["| | " + " | ".join(names[m] for m in across) + " |"]
    lines.append("| --- |" + " --- |" * len(across))
    for operator in down:
        cells = [
            cell(found[operator, m]) if (operator, m) in found else "–"
            for m in across
        ]
        shown = operator.replace("Walsh-Hadamard", "Walsh–Hadamard")
        lines.append(f"| {shown} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def quality(rows: list[dict]) -> str:
    """PSNR / SSIM; bold: half a standard error or less below the best."""

    def cell(row: dict) -> str:
        rivals = [r for r in rows if r["operator"] == row["operator"]]
        best = max(rivals, key=lambda r: r["psnr"])
        similar = round(row["ssim"], 2) + 0.0  # no minus zero
        text = f"{row['psnr']:.1f} / {similar:.2f}"
        level = row["psnr"] >= best["psnr"] - best["psnr_error"] / 2
        return f"**{text}**" if level else text

    return pivot(rows, cell)


def sizes(row: dict) -> str:
    return f"{row['step_size']:.2g}" if "step_size" in row else "–"


def tables(data: dict) -> str:
    """The tables of the comparison page, as Markdown."""
    parts = ["<!-- written by benchmarks/comparison.py -->"]
    groups: dict[tuple, list[dict]] = {}
    for row in data["rows"]:
        key = (row.get("chain", False), row["prior"], row["sigma_y"])
        groups.setdefault(key, []).append(row)
    for (chain, prior, sigma_y), rows in groups.items():
        noise = f"$\\sigma_y = {sigma_y:g}$" if sigma_y else "no noise"
        kind = "Non-linear, " if chain else ""
        parts += [f"## {kind}`{prior}`, {noise}", told_runs(rows)]
        parts += section(rows, sigma_y)
    parts += ["## Time", cost(data["rows"])]
    parts.append(
        f"Made by `{data['command']}`, with `--seeds` as each table says, "
        "and with " + told_versions(data)
    )
    return "\n\n".join(parts) + "\n"


def section(rows: list[dict], sigma_y: float) -> list[str]:
    """Tables of one prior, one kind of operator and one noise level."""
    parts = [quality(rows)]
    if sigma_y == 0:
        parts.append("Largest relative residual of a picture.")
        parts.append(pivot(rows, lambda r: f"{r['consistency']:.0e}"))
    if any("step_size" in r for r in rows):
        tuned = [r for r in rows if "step_size" in r]
        parts += ["Step sizes found.", pivot(tuned, sizes)]
    return parts


def told_runs(rows: list[dict]) -> str:
    """What the numbers of a table are; all have as many seeds."""
    (seeds,) = {row["seeds"] for row in rows}
    runs = f"means over {seeds} seeds" if seeds > 1 else "one seed"
    return f"PSNR in dB / SSIM, {runs}."


def told_versions(data: dict) -> str:
    return ", ".join(f"{k} {v}" for k, v in data["versions"].items()) + "."


def cost(rows: list[dict]) -> str:
    """Processor time of a run over that of its network calls alone."""
    lines = ["| | time / time of the network alone |", "| --- | --- |"]
    for method, name in NAMES.items():
        ratios = sorted(
            r["time"] for r in rows if r["method"] == method and "time" in r
        )
        if ratios:
            middle = ratios[len(ratios) // 2]
            lines.append(f"| {name} | {middle:.1f} |")
    return "\n".join(lines)


def main() -> None:
    PAGE.write_text(tables(json.loads(RESULTS.read_text())))


if __name__ == "__main__":
    main()
