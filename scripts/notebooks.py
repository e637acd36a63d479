"""Keep the lessons clean: stored outputs only where nbval checks them.

    notebooks.py strip [--check] [FILE...]   tidy, or only say what is untidy
    notebooks.py run [FILE...]               run, store checked outputs, tidy

Without FILE, every notebook in notebooks/.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
CHECKED = "nbval-check-output"

# The first code cell of every lesson, word for word.
BOOTSTRAP = """\
# On Colab or Kaggle: fetch the course's helper library if it is missing.
import importlib.util
if importlib.util.find_spec("pinv_edu") is None:
    %pip install -q "pinv-edu[all] @ git+https://github.com/pinv-edu/pinv-edu"\
"""

METADATA = {
    "kernelspec": {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}


def lessons() -> list[Path]:
    """Every lesson, in reading order."""
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


def is_checked(cell: NotebookNode) -> bool:
    """Whether nbval compares what this cell prints."""
    return CHECKED in cell.metadata.get("tags", [])


def tidy(notebook: NotebookNode) -> None:
    """Drop every output, count and note that a reader does not need."""
    notebook.metadata = nbformat.from_dict(METADATA)
    code_cells = 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type != "code":
            continue
        code_cells += 1
        if not is_checked(cell):
            cell.outputs, cell.execution_count = [], None
        elif cell.outputs:  # as numbered by a fresh run from top to bottom
            cell.execution_count = code_cells
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = code_cells


def text(notebook: NotebookNode) -> str:
    """The file's only form."""
    return nbformat.writes(notebook, indent=1).rstrip("\n") + "\n"


def run(notebook: NotebookNode) -> None:
    """Run all cells in an empty folder, as the tests and the book do."""
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook,
            timeout=90,
            kernel_name="python3",
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
        ).execute()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["strip", "run"])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("files", nargs="*", type=Path)
    args = parser.parse_args()
    untidy = 0
    for file in args.files or lessons():
        notebook = nbformat.read(file, as_version=4)
        if args.command == "run":
            print(f"running {file.name}", flush=True)
            run(notebook)
        tidy(notebook)
        if text(notebook) == file.read_text(encoding="utf-8"):
            continue
        if args.check:
            untidy += 1
            print(f"{file.name}: run scripts/notebooks.py strip")
        else:
            file.write_text(text(notebook), encoding="utf-8")
    return int(untidy > 0)


if __name__ == "__main__":
    sys.exit(main())
