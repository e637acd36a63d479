"""Each lesson runs by nbval: alone, from the wheel, without the network.

The notebook is copied into an empty folder. Its kernel finds the library
only as the built wheel, and tests/kernel/sitecustomize.py stops every
connection to another machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

import notebooks as tool

pytestmark = pytest.mark.lesson
HERE = Path(__file__).parent
# Set by scripts/colab.py: another environment's, which has the library.
KERNEL = os.environ.get("PINV_EDU_KERNEL")


def pip(*args: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "-q", *map(str, args)]
    subprocess.run(command, check=True, timeout=300)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the installed wheel."""
    wheels = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", wheels, tool.ROOT)
    folder = tmp_path_factory.mktemp("library")
    (wheel,) = wheels.glob("pinv_edu-*.whl")
    pip("install", "--no-deps", "--no-index", "--target", folder, wheel)
    return folder


# Cells after a slider must not change what it draws.
LAST_CELL = """\
from pinv_edu.widgets import live_boxes
for box in live_boxes:
    *controls, picture, words = box.children
    before = picture.value
    for control in controls:
        start, last = control.index, len(control.options) - 1
        for index in (0, last, start):
            control.index = index
    assert picture.value == before, words.value
print(len(live_boxes))"""


def with_moved_sliders(file: Path, folder: Path) -> Path:
    """A copy of a lesson that ends by moving each of its sliders."""
    lesson = nbformat.read(file, as_version=4)
    count = sum("explore(" in c.source for c in lesson.cells[1:]
                if c.cell_type == "code")  # fmt: skip
    printed = new_output("stream", name="stdout", text=f"{count}\n")
    lesson.cells.append(
        new_code_cell(
            LAST_CELL,
            metadata={"tags": [tool.CHECKED]},
            outputs=[printed],
            execution_count=len(lesson.cells),
        )
    )
    nbformat.write(lesson, folder / file.name)
    return folder / file.name


def nbval(
    notebook: Path, library: Path, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run one notebook in an empty folder, in a kernel of its own."""
    folder = folder / "empty"
    folder.mkdir()
    copy = shutil.copy(notebook, folder)
    own = [] if KERNEL else [str(library)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE / "kernel"), *own]),
        "HF_HUB_OFFLINE": "1",
    }
    environment.pop("PINV_EDU_WIDGETS", None)
    command = [
        sys.executable, "-m", "pytest", "--rootdir", str(folder), "-c",
        os.devnull, "-p", "no:cacheprovider", "--color=no", "--nbval-lax",
        f"--nbval-kernel-name={KERNEL}" if KERNEL else "--nbval-current-env",
        "--nbval-cell-timeout=90",
        f"--nbval-sanitize-with={HERE / 'sanitize.cfg'}", str(copy),
    ]  # fmt: skip
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.parametrize("file", tool.lessons(), ids=lambda f: f.stem)
def test_lesson(file: Path, library: Path, tmp_path: Path) -> None:
    cells = nbformat.read(file, as_version=4).cells
    code = [c for c in cells if c.cell_type == "code"]
    assert any(tool.is_checked(c) and c.outputs for c in code)
    result = nbval(with_moved_sliders(file, tmp_path), library, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(rf"=+ {len(code) + 1} passed in ", result.stdout)


def mini(path: Path, source: str, printed: str) -> Path:
    """A notebook with one checked cell."""
    cell = new_code_cell(
        source,
        metadata={"tags": [tool.CHECKED]},
        outputs=[new_output("stream", name="stdout", text=printed)],
        execution_count=1,
    )
    nbformat.write(new_notebook(cells=[cell]), path)
    return path


NETWORK = """\
import socket, urllib.request
def refused(call, *args):
    try:
        call(*args)
    except OSError as error:
        return "may not use the network" in str(error)
print(refused(socket.create_connection, ("192.0.2.1", 80), 5),
      refused(socket.getaddrinfo, "example.org", 443),
      refused(urllib.request.urlopen, "https://192.0.2.1/"))"""
WHEEL = """\
import os, pinv_edu
print(pinv_edu.__file__.startswith({library!r}), os.listdir())"""


def test_the_network_is_closed_in_a_kernel(
    library: Path, tmp_path: Path
) -> None:
    notebook = mini(tmp_path / "n.ipynb", NETWORK, "True True True\n")
    result = nbval(notebook, library, tmp_path)
    assert result.returncode == 0, result.stdout


def test_a_kernel_sees_the_wheel_and_an_empty_folder(
    library: Path, tmp_path: Path
) -> None:
    source = WHEEL.format(library=str(library))
    notebook = mini(tmp_path / "n.ipynb", source, "True ['n.ipynb']\n")
    result = nbval(notebook, library, tmp_path)
    assert result.returncode == 0, result.stdout


def test_a_changed_checked_output_fails(library: Path, tmp_path: Path) -> None:
    notebook = mini(tmp_path / "n.ipynb", "print(1 + 1)", "3\n")
    result = nbval(notebook, library, tmp_path)
    assert result.returncode == 1
    assert "1 failed" in result.stdout
