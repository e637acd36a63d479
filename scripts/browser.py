"""Find Chromium or Chrome for the tests of the book, or install Chromium.

$PINV_EDU_BROWSER names one to use instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
]
APT = [
    ["apt-get", "update", "-q"],
    ["apt-get", "install", "-q", "-y", "--no-install-recommends",
     "chromium", "fonts-liberation"],
]  # fmt: skip
PLAYWRIGHT = [[sys.executable, "-m", "playwright", "install", "chromium"]]


def playwright_browser() -> str | None:
    """The Chromium that `playwright install chromium` puts in place."""
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def find() -> str | None:
    """The path of a browser, or None."""
    if named := os.environ.get("PINV_EDU_BROWSER"):
        return shutil.which(named)
    found = filter(None, map(shutil.which, NAMES))
    return next(found, None) or playwright_browser()


def install() -> None:
    """Try the distribution's package first, then Playwright's own copy."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    ways = [APT] if root and shutil.which("apt-get") else []
    for commands in [*ways, PLAYWRIGHT]:
        all(subprocess.run(c).returncode == 0 for c in commands)
        if find():
            return


if __name__ == "__main__":
    if not find() and "PINV_EDU_BROWSER" not in os.environ:
        install()
    if not (path := find()):
        sys.exit(
            "The tests of the book need Chromium or Chrome, and none could be "
            "installed.\nInstall one (Debian: apt install chromium; others: "
            ".venv/bin/playwright install chromium)\nor set "
            "PINV_EDU_BROWSER to the path of one."
        )
    print(f"browser: {path}")
