"""The built book, served on the loopback and opened in a real browser."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Route,
)

import browser as tool

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pages() -> list[str]:
    """Every page of _toc.yml, and the one that Sphinx adds."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [c["file"] for part in toc["parts"] for c in part["chapters"]]
    names = [toc["root"], *files, "search"]
    return [f"{name}.html" for name in names]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[str]:
    """The address of the book while it is served."""
    handler = functools.partial(Quiet, directory=str(HTML))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def launch(playwright: Playwright) -> Browser:
    """Start the browser of this machine, without a window."""
    path = tool.find()
    assert path, "no browser: python scripts/browser.py installs one"
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = [*FLAGS, "--no-sandbox"] if root else FLAGS
    return playwright.chromium.launch(executable_path=path, args=flags)


class Tab:
    """A page that writes down everything that goes wrong in it."""

    def __init__(
        self,
        browser: Browser,
        width: int = 1280,
        height: int = 800,
        **options: bool,
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            **options,
        )
        self.page: Page = self.context.new_page()
        self.problems: list[str] = []
        self.page.route("**/*", self._only_local)
        self.page.on("console", self._console)
        self.page.on(
            "pageerror", lambda e: self.problems.append(f"error: {e}")
        )
        self.page.on("requestfailed", self._failed)
        self.page.on(
            "response",
            lambda r: (
                self.problems.append(f"{r.status}: {r.url}")
                if r.status >= 400
                else None
            ),
        )

    def _only_local(self, route: Route) -> None:
        if route.request.url.startswith(("http://127.0.0.1:", "file:")):
            route.continue_()
        else:
            self.problems.append(f"asks another host: {route.request.url}")
            route.abort()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        self.problems.append(f"failed: {request.url[:200]}")

    def open(self, url: str) -> Page:
        """Load a page and wait until its formulas stand."""
        self.page.goto(url, wait_until="load")
        self.page.evaluate(
            "() => window.MathJax?.startup?.promise ?? document.fonts.ready"
        )
        return self.page
