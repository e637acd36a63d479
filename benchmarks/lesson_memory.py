"""How much memory a lesson takes: ``python benchmarks/lesson_memory.py 8``.

Runs the lesson in a kernel, as a learner would, and prints the largest
memory that any process started for it ever held.  Linux and macOS.
"""

from __future__ import annotations

import argparse
import resource
import sys
from pathlib import Path

import nbformat

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
sys.path.insert(0, str(SCRIPTS))

import notebooks as tool  # noqa: E402


def peak() -> float:
    """Largest memory of a finished child process, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes or kilobytes
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_maxrss * unit / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lesson", type=int, help="number of the lesson")
    number = f"{parser.parse_args().lesson:02d}-"
    for file in tool.lessons():
        if file.name.startswith(number):
            tool.run(nbformat.read(file, as_version=4))
            print(f"{file.stem}: {peak():.0f} MB")


if __name__ == "__main__":
    main()
