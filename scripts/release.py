"""Set the version, and where the links to notebooks lead.

    release.py 0.2.0            this commit becomes version 0.2.0, tag v0.2.0
    release.py --develop 0.3.0  go on: links lead to the branch main again

In a release the book, the wheel and the notebooks belong together: buttons
open the notebooks of the tag, and these install the library of the tag. The
script changes files only; you commit, tag and push. The workflow `release`
then tests the tag and publishes it.
"""

from __future__ import annotations

import argparse
import datetime
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NUMBER = r"\d+\.\d+\.\d+"
REPOSITORY = r"https://github\.com/pinv-edu/pinv-edu"

Edit = Callable[[str], str]


def replace(pattern: str, new: str) -> Edit:
    """Replace every match; there must be one."""

    def edit(text: str) -> str:
        text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        if not count:
            raise ValueError(f"found nothing like {pattern}")
        return text

    return edit


def links(ref: str) -> dict[str, Edit]:
    """Files that say which commit a reader gets."""
    at = "" if ref == "main" else f"@{ref}"
    install = replace(
        rf"(git\+{REPOSITORY})(@v{NUMBER})?(?=[\"\\])", rf"\g<1>{at}"
    )
    lessons = sorted((ROOT / "notebooks").glob("*.ipynb"))
    return {
        "_config.yml": replace(
            rf"^(  branch: )(main|v{NUMBER})$", rf"\g<1>{ref}"
        ),
        "book/intro.md": replace(
            rf"(pinv-edu/blob/)(main|v{NUMBER})/", rf"\g<1>{ref}/"
        ),
        "README.md": install,
        "book/how-to.md": install,
        "scripts/notebooks.py": install,
        **{f"notebooks/{lesson.name}": install for lesson in lessons},
    }


def version(number: str, release: bool) -> dict[str, Edit]:
    """Files that say which version this is."""
    today = datetime.date.today().isoformat()
    return {
        "pinv_edu/__init__.py": replace(
            rf'^__version__ = "{NUMBER}"$', f'__version__ = "{number}"'
        ),
        "CITATION.cff": replace(
            rf"^version: {NUMBER}$", f"version: {number}"
        ),
        "book/changelog.md": replace(
            rf"^## {NUMBER} \(not yet released\)$", f"## {number} ({today})"
        )
        if release
        else replace(
            rf"\A((?:.*\n)*?)(?=## {NUMBER} \()",
            rf"\g<1>## {number} (not yet released)\n\n",
        ),
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("number", help="three numbers, as 0.2.0")
    parser.add_argument("--develop", action="store_true")
    given = parser.parse_args(arguments)
    if not re.fullmatch(NUMBER, given.number):
        parser.error(f"a version is three numbers, got {given.number!r}")
    ref = "main" if given.develop else f"v{given.number}"
    for edits in (version(given.number, not given.develop), links(ref)):
        for name, edit in edits.items():
            file = ROOT / name
            try:
                text = edit(file.read_text(encoding="utf-8"))
            except ValueError as error:
                sys.exit(f"{name}: {error}")
            file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
