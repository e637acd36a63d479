"""Settings of the book that _config.yml cannot say."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

ROOT = Path(__file__).resolve().parents[2]
CACHES = ROOT / "_build" / ".jupyter_cache"


def fingerprint() -> str:
    """Changes with all that can change a lesson's result but its own code."""
    files = [f for f in (ROOT / "pinv_edu").rglob("*") if f.is_file()]
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted([*files, ROOT / "requirements.txt"]):
        if "__pycache__" not in file.parts:
            digest.update(file.relative_to(ROOT).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def configure(app: Sphinx, config: Config) -> None:
    """Results of another library or other pins must not be reused."""
    cache = CACHES / fingerprint()
    for old in CACHES.glob("*"):
        if old != cache:
            shutil.rmtree(old)
    config.nb_execution_cache_path = str(cache)
    config.html_context.setdefault("default_mode", "auto")


def drop_thebe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any
) -> None:
    """Thebe is not used, names a CDN and adds its script twice (an error)."""

    def used(script: Any) -> bool:
        body = getattr(script, "attributes", {}).get("body") or ""
        name = str(getattr(script, "filename", script))
        return "THEBE_JS_URL" not in body and "sphinx-thebe" not in name

    context["script_files"] = list(filter(used, context["script_files"]))


def repair(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any
) -> None:
    """Give the entries of a bibliography the role that a list asks for."""
    context["body"] = context.get("body", "").replace(
        'role="doc-biblioentry"', 'role="listitem"'
    )


def finish(app: Sphinx, error: Exception | None) -> None:
    """Repair the page of the search; drop 17 MB of unused MathJax."""
    if error:
        return
    page = Path(app.outdir) / "search.html"
    text = page.read_text(encoding="utf-8")
    # the theme uses one id twice
    page.write_text(text.replace(' id="search-input"', "", 1), "utf-8")
    for script in Path(app.outdir, "_static", "mathjax").glob("*.js"):
        if script.name != "tex-chtml.js":
            script.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    # The kernels of this build inherit it: sliders become prepared pictures.
    os.environ["PINV_EDU_WIDGETS"] = "static"
    app.add_css_file("pinv.css")
    app.add_css_file("print.css", media="print")
    app.add_js_file("print.js", loading_method="defer")
    app.connect("config-inited", configure)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("html-page-context", repair)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
