"""Script time of one move in each figure that can be grabbed.

    python benchmarks/grab_moves.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

MOVES = """() => [...document.querySelectorAll("[data-handle]")].flatMap(
node => {
  const rect = node.getBoundingClientRect();
  const x = rect.x + 22, y = rect.y + 22, times = [];
  const send = (target, type, dx) => target.dispatchEvent(new PointerEvent(
    type, {clientX: x + dx, clientY: y + dx / 2, bubbles: true,
           cancelable: true, pointerId: 7}));
  send(node, "pointerdown", 0);
  for (let i = 0; i < 60; i++) {
    const before = performance.now();
    send(document, "pointermove", 40 * Math.sin(i / 5));
    times.push(performance.now() - before);
  }
  send(document, "pointerup", 0);
  return times;
})"""
"""Sixty moves of every handle of the page; milliseconds of each."""


def main() -> None:
    """Print median and 95th percentile for every scene."""
    from playwright.sync_api import sync_playwright

    from pinv_edu.grabbing.figure import page
    from pinv_edu.grabbing.scenes import SCENES

    sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
    import built_book

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as d:
        browser = built_book.launch(playwright)
        for name in SCENES:
            file = Path(d, "figure.html")
            file.write_text(f"<meta charset=utf-8>{page(name)}", "utf-8")
            tab = built_book.Tab(browser, 800, 700)
            times = tab.open(file.as_uri()).evaluate(MOVES)
            middle, high = np.percentile(times, [50, 95])
            print(f"{name:14} median {middle:5.2f} ms, 95 % {high:5.2f} ms")
            tab.context.close()


if __name__ == "__main__":
    main()
