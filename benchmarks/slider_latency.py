"""How fast the sliders of the built book answer: make book, then run this.

For each slider: milliseconds until the handler has returned, until the
picture is decoded, and until two frames have been painted (median, worst).
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
import built_book

MEASURE = """async slider => {
  const picture = slider.closest(".pinv-explore").querySelector("img");
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  for (let k = 0; k < 60; k++) {
    slider.value = k % (+slider.max + 1);
    await frame();
    const start = performance.now();
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    const handled = performance.now() - start;
    await picture.decode();
    const decoded = performance.now() - start;
    await frame(); await frame();
    times.push([handled, decoded, performance.now() - start]);
  }
  return times;
}"""


def main() -> None:
    print(f"{'slider':44} {'handler':>14} {'decoded':>14} {'painted':>14}")
    with sync_playwright() as playwright, built_book.served() as site:
        browser = built_book.launch(playwright)
        for name in built_book.pages():
            page = built_book.Tab(browser).open(site + name)
            sliders = page.locator(".pinv-explore input[type=range]")
            for i in range(sliders.count()):
                columns = zip(*sliders.nth(i).evaluate(MEASURE))
                cells = [f"{median(c):6.1f} {max(c):7.1f}" for c in columns]
                print(f"{name[:40]:40} {i:3} ", *cells)
            page.context.close()
        browser.close()


if __name__ == "__main__":
    main()
