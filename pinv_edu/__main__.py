"""What is installed, and a first restored picture: ``python -m pinv_edu``.

The demonstration takes pictures that the bundled prior was not trained on,
measures the means of their blocks of 4 x 4 pixels, restores them from these
means alone, and saves a PNG: truth, y, A+ y, ours.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path

import torch
from torch import Tensor

import pinv_edu
from pinv_edu.figures import picture_grid
from pinv_edu.linear import AveragePool
from pinv_edu.metrics import consistency, psnr
from pinv_edu.pictures import held_out
from pinv_edu.priors import load_prior
from pinv_edu.sampling import ddnm

SHOWN = ("torch", "numpy", "matplotlib", "ipywidgets", "diffusers")
PRIOR, PICTURES, BLOCK = "fashion-mnist", 4, 4


def version_of(name: str) -> str:
    """Version of an installed package, or that there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def versions() -> Iterator[str]:
    """One line for each program that a result depends on."""
    yield f"  pinv-edu {pinv_edu.__version__}"
    yield f"  Python {platform.python_version()}"
    yield from (f"  {name} {version_of(name)}" for name in SHOWN)


def bundled(kind: str) -> Iterator[str]:
    """Name and size of every stored network of one kind."""
    folder = resources.files("pinv_edu") / "data" / kind
    for place in sorted(folder.iterdir(), key=lambda place: place.name):
        files = place.iterdir() if place.is_dir() else []
        for file in files:
            if file.name.endswith(".safetensors"):
                size = len(file.read_bytes()) / 1e6
                yield f"  {place.name}, {size:.1f} MB"


def devices() -> Iterator[str]:
    """Where PyTorch can compute."""
    yield f"  cpu, {torch.get_num_threads()} threads"
    for i in range(torch.cuda.device_count()):
        name = torch.cuda.get_device_name(i)
        memory = torch.cuda.get_device_properties(i).total_memory / 2**30
        yield f"  cuda:{i}, {name}, {memory:.0f} GiB"
    if torch.backends.mps.is_available():
        yield "  mps"


def report() -> str:
    """Everything that a question about a result should state."""
    parts = {
        "Versions": versions(),
        "Priors, for load_prior": bundled("priors"),
        "Networks, for load_spnn": bundled("spnn"),
        "Devices": devices(),
    }
    return "\n".join("\n".join([k, *lines]) for k, lines in parts.items())


@dataclass(frozen=True)
class Restored:
    """What the demonstration measured and found."""

    operator: AveragePool
    truth: Tensor
    y: Tensor
    plain: Tensor
    ours: Tensor
    seconds: float


def restore(steps: int, seed: int) -> Restored:
    r"""Restore held-out pictures from block means with DDNM.

    .. math::
        \hat x = \mathrm{ddnm}(y), \qquad y = Ax .

    Raises
    ------
    ImportError
        If diffusers, which runs the prior, is not installed.
    ValueError
        If the number of steps is not 1 to 1,000.
    """
    prior = load_prior(PRIOR)
    x = held_out(PRIOR, PICTURES)
    A = AveragePool(prior.shape, BLOCK)
    y, start = A(x), time.perf_counter()
    generator = torch.Generator().manual_seed(seed)
    shown = sys.stderr.isatty()
    x_hat = ddnm(prior, A, y, steps=steps, generator=generator, progress=shown)
    return Restored(A, x, y, A.pinv(y), x_hat, time.perf_counter() - start)


def save(result: Restored, out: Path) -> None:
    """Draw one row a picture; an existing file raises FileExistsError."""
    columns = (result.truth, result.y, result.plain, result.ours)
    rows = {str(i + 1): row for i, row in enumerate(zip(*columns))}
    figure = picture_grid(rows, ["truth", "$y$", "$A^+y$", "ours"])
    with out.open("xb") as file:
        figure.savefig(file, format="png")


def summary(result: Restored, steps: int, out: Path) -> str:
    """What was done, how well it went, and where the picture lies."""
    pixels, numbers = result.truth[0].numel(), result.y[0].numel()
    plain = float(psnr(result.plain, result.truth).mean())
    ours = float(psnr(result.ours, result.truth).mean())
    residual = consistency(result.operator, result.ours, result.y)
    return (
        f"Restored {PICTURES} pictures of {pixels} pixels, which the prior "
        f"has never seen, from {numbers} block means each, by DDNM with "
        f"{steps} network calls in {result.seconds:.0f} s.\n"
        f"PSNR, mean: A+ y {plain:.1f} dB, ours {ours:.1f} dB.\n"
        f"Consistency, |A x - y| / |y|: {float(residual.max()):.0e} at most.\n"
        f"Saved: {out.resolve()} (truth | y | A+ y | ours)"
    )


def demonstrate(out: Path, steps: int, seed: int) -> str:
    """Restore, save and summarise; refuse first what cannot be saved."""
    if out.exists():
        raise FileExistsError(
            f"{out} exists and is not overwritten: give another name with "
            f"--out"
        )
    if not out.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {out.absolute().parent}: make it, or give "
            f"another file with --out"
        )
    result = restore(steps, seed)
    save(result, out)
    return summary(result, steps, out)


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pinv_edu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=Path, default=Path("pinv-edu-demo.png"), metavar="FILE",
        help="where to save the picture (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--no-demo", action="store_true", help="only say what is installed"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all noise")
    parser.add_argument(
        "--steps", type=int, default=50, help="network calls (default: 50)"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0, or 1 if the demonstration could not be made."""
    args = options(arguments)
    print(report(), flush=True)
    if args.no_demo:
        return 0
    print("\nA picture from too few numbers: about ten seconds.", flush=True)
    try:
        print(demonstrate(args.out, args.steps, args.seed))
    except (ImportError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
