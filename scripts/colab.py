"""Run the lessons next to what Colab brings: `make colab`.

    colab.py [PATTERN]      as of pytest -k: "01 or 16"; default: every lesson

Makes an environment with the packages of tests/colab.txt and without the
library. The first cell of a lesson installs it, from the last commit of this
repository in place of the one on GitHub; no other package may come, go or
change. Then nbval runs the lessons in that environment, and moves the sliders.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

import notebooks as tool

PINS = tool.ROOT / "tests/colab.txt"
HOME = tool.ROOT / "_build/colab"
PYTHON = HOME / "bin/python"
# A kernel of its own, and this repository for whoever asks for GitHub's.
ENVIRONMENT = {
    "PINV_EDU_KERNEL": "colab",
    "JUPYTER_PATH": str(HOME / "jupyter"),
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": f"url.{tool.ROOT.as_uri()}.insteadOf",
    "GIT_CONFIG_VALUE_0": "https://github.com/pinv-edu/pinv-edu",
}


def pip(*args: str | Path) -> str:
    """What a call of pip in Colab's environment prints."""
    command = [PYTHON, "-m", "pip", "-q", *args]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return run.stdout.decode()


def make() -> None:
    """Colab's packages, unless they are there; the library, if it is, goes."""
    ready = HOME / ".ready"
    if not ready.exists() or ready.stat().st_mtime < PINS.stat().st_mtime:
        print("Installing what Colab brings: several GB", flush=True)
        python = os.environ.get("COLAB_PYTHON", "python3.12")
        subprocess.run([python, "-m", "venv", "--clear", HOME], check=True)
        pip("install", "-r", PINS)
        spec = HOME / "jupyter/kernels/colab/kernel.json"
        spec.parent.mkdir(parents=True)
        start = [str(PYTHON), "-m", "ipykernel_launcher", "-f"]
        spec.write_text(
            json.dumps(
                {
                    "argv": [*start, "{connection_file}"],
                    "display_name": "Colab",
                    "language": "python",
                }
            )
        )
        ready.touch()
    pip("uninstall", "-y", "pinv-edu")


def first_cells() -> list[str]:
    """Run a lesson's first two; return the lines of pip freeze that differ."""
    lesson = nbformat.read(tool.lessons()[0], as_version=4)
    code = [c for c in lesson.cells if c.cell_type == "code"]
    lesson.cells = code[:2]
    before = pip("freeze").splitlines()
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            lesson,
            timeout=600,
            kernel_name="colab",
            resources={"metadata": {"path": folder}},
        ).execute()
    after = pip("freeze").splitlines()
    return sorted(set(before) ^ set(after))


def main() -> int:
    os.environ.update(ENVIRONMENT)
    make()
    changed = first_cells()
    if [line.split(" @ ")[0] for line in changed] != ["pinv-edu"]:
        print("The first cell changed more than it should:", *changed)
        return 1
    print("The first cell installed", *changed, flush=True)
    test = tool.ROOT / "tests/test_lessons.py"
    command = [sys.executable, "-m", "pytest", f"{test}::test_lesson", "-v"]
    chosen = ["-k", sys.argv[1]] if sys.argv[1:] else []
    return subprocess.run([*command, *chosen], cwd=tool.ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
