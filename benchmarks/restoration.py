"""Methods x operators on held-out pictures: one table, and a data file.

    python benchmarks/restoration.py --out benchmarks/restoration.json
    python benchmarks/comparison.py

The second command writes the tables of the book's comparison page.

Every method gets the same network, start noise, number of network calls and
measurements. DDNM, DDNM+ and DDRM run with their default settings, "fresh" is
DDNM with eta = 1. The others have a step size, and run at noise levels 0 and
0.1 only: their sizes are searched on validation pictures with one seed, for
each method, operator and noise level, from three sizes a factor 3 apart,
further outwards while the best lies at an end. "over" is DDNM with eta = 1
that goes past the measurement, with a searched c; with noise, DDNM+ does so by
itself where it helps.

``--seeds`` runs differ in all that the sampler draws and in the noise of y.
Results are means over them; the standard error is that of the mean over
pictures, each with its mean over the seeds.

Non-linear degradations (chains.py) run at the noise levels 0 and 0.05, with
DDNM's rivals at 0, and with eta = 1 for all of them. Emoji are restored with
the chain in colour only. ``--part`` computes one part and keeps the rows of
the other that the file holds. ``--resume`` goes on after a run that was cut
short: it keeps the rows that the file holds with as many seeds.
"""

from __future__ import annotations

import argparse
import functools
import json
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor

import pinv_edu as pe
from chains import chain_methods, chains
from comparison import NAMES
from pinv_edu.metrics import consistency, psnr, ssim

Restore = Callable[..., Tensor]
SEARCHED_AT = (0.0, 0.1)
CHAIN_NOISE = (0.0, 0.05)
KEYS = ("prior", "sigma_y", "operator", "method")
CHAIN_PRIORS = ("fashion-mnist", "emoji")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def operators(shape: tuple[int, int, int]) -> dict[str, pe.LinearOperator]:
    """Degradations by name."""
    seen = (torch.rand(shape[1:], generator=seeded(0)) < 0.5).float()
    five = pe.gaussian_kernel(5, 1.0)
    made = {
        "block means x2": pe.AveragePool(shape, 2),
        "block means x4": pe.AveragePool(shape, 4),
        "inpainting 50 %": pe.Inpainting(shape, seen),
        "bicubic x2": pe.BicubicDownsample(shape, 2),
        "blur 5x5": pe.SeparableBlur(shape, five, five),
        "Walsh-Hadamard 25 %": pe.WalshHadamard(shape, 0.25),
        "block sensing 25 %": pe.BlockSensing(shape, 0.25, shape[-1] // 4),
    }
    if shape[0] == 3:
        made["grayscale"] = pe.Grayscale(shape)
    return made


def measure(
    operator: pe.PseudoInvertible, x: Tensor, sigma_y: float, seed: int = 0
) -> Tensor:
    """Measure with a noise that the sampler of this seed does not draw."""
    y = operator(x)
    noise = torch.randn(y.shape, generator=seeded(1 + 100 * seed))
    return y + sigma_y * noise


def largest(operator: pe.PseudoInvertible) -> float:
    """Largest singular value, of the last stage if it is a chain."""
    linear = getattr(operator, "stages", [operator])[-1]
    return float(linear.singular_values().max())


def over_relaxed(
    prior: pe.DiffusersPrior,
    operator: pe.PseudoInvertible,
    y: Tensor,
    step_size: float,
    **settings: float,
) -> Tensor:
    """DDNM with fresh noise that goes past the measurement."""
    strength = pe.over_relaxed(prior, step_size, power=0.5, memory=0.8)
    return pe.ddnm(prior, operator, y, eta=1, strength=strength, **settings)


def methods(sigma_y: float) -> dict[str, tuple[Restore, float | None]]:
    """Method by name, with the middle of its step sizes if it has any."""
    found: dict[str, tuple[Restore, float | None]] = {
        "ddnm": (pe.ddnm, None),
        "fresh": (functools.partial(pe.ddnm, eta=1), None),
        "over": (over_relaxed, 1.0),
        "ddrm": (functools.partial(pe.ddrm, sigma_y=sigma_y), None),
        "dps": (pe.dps, 3.0),
        "pigdm": (functools.partial(pe.pigdm, sigma_y=sigma_y), 1.0),
        "descent": (pe.gradient_project, 0.5),
    }
    if sigma_y not in SEARCHED_AT:
        found = {k: v for k, v in found.items() if v[1] is None}
    if sigma_y:
        del found["fresh"]
        found.pop("over", None)
        plus = functools.partial(pe.ddnm, sigma_y=sigma_y)
        found = {"ddnm": found["ddnm"], "plus": (plus, None)} | found
    return found


def search(
    run: Restore, x: Tensor, y: Tensor, middle: float, factor: float = 3.0
) -> dict[str, object]:
    """Best step size for restoring x, and the decibels of all tried."""

    def score(size: float) -> float:
        try:
            value = float(psnr(run(y, step_size=size), x).mean())
        except ValueError:  # the operator refuses NaN: the step was too long
            return -99.0
        return value if value == value else -99.0

    sizes = (middle / factor, middle, middle * factor)
    tried = {size: score(size) for size in sizes}
    while len(tried) < 7:
        best = max(tried, key=tried.__getitem__)
        if min(tried) < best < max(tried):
            break
        outer = best / factor if best == min(tried) else best * factor
        tried[outer] = score(outer)
    return {"step_size": max(tried, key=tried.__getitem__), "searched": tried}


def network_seconds(prior: pe.DiffusersPrior, n: int, steps: int) -> float:
    """Processor time of the network calls alone."""
    x = torch.randn(n, *prior.shape, generator=seeded(2))
    begun = time.process_time()
    with torch.no_grad():
        for t in range(steps):
            prior.predict_noise(x, torch.tensor(t))
    return time.process_time() - begun


def tasks(
    args: argparse.Namespace,
) -> Iterator[tuple[str, float, str, pe.PseudoInvertible, dict]]:
    """Prior, noise level, name, operator and methods of every table row."""
    for prior in args.priors if args.part != "chains" else ():
        shape = pe.load_prior(prior).shape
        for sigma_y in args.sigmas or (0.0, 0.05, 0.1, 0.2):
            for name, operator in operators(shape).items():
                yield prior, sigma_y, name, operator, methods(sigma_y)
    for prior in CHAIN_PRIORS if args.part != "linear" else ():
        shape = pe.load_prior(prior).shape
        for sigma_y in CHAIN_NOISE:
            for name, operator in chains(shape).items():
                found = chain_methods(sigma_y, prior)
                yield prior, sigma_y, name, operator, found


def rows_of(
    prior_name: str,
    sigma_y: float,
    name: str,
    operator: pe.PseudoInvertible,
    found: dict[str, tuple[Restore, float | None]],
    args: argparse.Namespace,
) -> Iterator[dict[str, object]]:
    """Result of every method for one operator."""
    prior = pe.load_prior(prior_name)
    test = pe.held_out(prior_name, args.pictures)
    valid = pe.held_out(prior_name, args.validation, part="validation")
    ys = [measure(operator, test, sigma_y, i) for i in range(args.seeds)]
    y_valid = measure(operator, valid, sigma_y)
    about = {"prior": prior_name, "operator": name, "sigma_y": sigma_y}
    about["seeds"] = args.seeds
    if isinstance(operator, pe.Chain):
        about["chain"] = True
    alone = args.seeds * network_seconds(prior, len(test), args.steps)
    for method, (restore, middle) in found.items():
        if method == "none":
            plain = [operator.pinv(y) for y in ys]
            row = {"method": method, "calls": 0}
            yield about | row | told(operator, plain, test, ys)
            continue
        run = functools.partial(
            call, restore, prior, operator, steps=args.steps
        )
        tried: dict[str, object] = {}
        if middle is not None:
            scale = largest(operator) ** -2 if method == "descent" else 1
            tried = search(run, x=valid, y=y_valid, middle=middle * scale)
        setting = {k: v for k, v in tried.items() if k == "step_size"}
        begun = time.process_time()
        xs = [run(y, seed=i, **setting) for i, y in enumerate(ys)]
        spent = time.process_time() - begun
        row = {"method": method, "calls": args.steps, "time": spent / alone}
        yield about | tried | row | told(operator, xs, test, ys)


def call(
    restore: Restore,
    prior: pe.DiffusersPrior,
    operator: pe.PseudoInvertible,
    y: Tensor,
    seed: int = 0,
    **settings: float,
) -> Tensor:
    g = seeded(seed)
    return restore(prior, operator, y, generator=g, progress=False, **settings)


def told(
    operator: pe.PseudoInvertible,
    xs: list[Tensor],
    truth: Tensor,
    ys: list[Tensor],
) -> dict[str, float]:
    """Mean PSNR and SSIM, largest relative residual, error of the PSNR."""
    decibels = torch.stack([psnr(x, truth) for x in xs]).mean(0)
    similar = torch.stack([ssim(x, truth) for x in xs])
    left = [consistency(operator, x, y).max() for x, y in zip(xs, ys)]
    return {
        "psnr": float(decibels.mean()),
        "psnr_error": float(decibels.std() / len(truth) ** 0.5),
        "ssim": float(similar.mean()),
        "consistency": float(max(left)),
    }


def line(row: dict[str, object]) -> str:
    ratio = f"{row['time']:5.2f}" if "time" in row else "    -"
    size = f"{row['step_size']:8.3g}" if "step_size" in row else "       -"
    return (
        f"{row['prior']:14}{row['operator']:31}{row['sigma_y']:5.2f}  "
        f"{NAMES[row['method']]:24}{row['psnr']:6.2f}{row['ssim']:7.3f}"
        f"  {row['consistency']:8.1e}{row['calls']:5d}  {ratio}{size}"
    )


HEAD = (
    f"{'prior':14}{'operator':31}{'σ_y':>5}  {'method':24}{'PSNR':>6}"
    f"{'SSIM':>7}  {'residual':>8}{'calls':>5}  {'time':>5}{'step':>8}"
)


def versions() -> dict[str, str]:
    named = ("pinv-edu", "torch", "diffusers", "numpy", "scikit-image")
    return {"Python": platform.python_version()} | {
        n: metadata.version(n) for n in named
    }


def save(
    path: Path,
    rows: Iterable[dict],
    script: str,
    args: argparse.Namespace,
    *keys: str,
) -> None:
    """Write rows, with the command and the versions that made them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = [f"--{key} {getattr(args, key)}" for key in keys]
    command = " ".join(["python", f"benchmarks/{script}", *told])
    ordered = sorted(rows, key=lambda row: row.get("chain", False))
    data = {"command": command, "versions": versions(), "rows": ordered}
    text = json.dumps(data, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def kept(args: argparse.Namespace) -> list[dict[str, object]]:
    """Rows that are not computed again."""
    if not (args.out and args.out.exists()):
        return []
    rows = json.loads(args.out.read_text(encoding="utf-8"))["rows"]

    def again(row: dict[str, object]) -> bool:
        part = "chains" if row.get("chain", False) else "linear"
        chosen = not args.methods or row["method"] in args.methods
        done = args.resume and row["seeds"] == args.seeds
        return args.part in ("all", part) and chosen and not done

    return [row for row in rows if not again(row)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--validation", type=int, default=4)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sigmas", type=float, nargs="*", default=None)
    parser.add_argument("--priors", nargs="*", default=["fashion-mnist"])
    parser.add_argument("--out", type=Path)
    parser.add_argument(
        "--part", choices=["all", "linear", "chains"], default="all"
    )
    parser.add_argument(
        "--methods", nargs="*", help="compute these alone, keep other rows"
    )
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = kept(args)
    print(HEAD)
    done = [tuple(row[key] for key in KEYS) for row in rows]
    for prior, sigma_y, name, operator, known in tasks(args):
        found = {
            method: run
            for method, run in ({"none": (None, None)} | known).items()
            if (not args.methods or method in args.methods)
            and (prior, sigma_y, name, method) not in done
        }
        if not found:
            continue
        about = (prior, sigma_y, name, operator)
        for row in rows_of(*about, found, args):
            rows.append(row)
            print(line(row), flush=True)
            if args.out:
                named = ("pictures", "validation", "steps")
                save(args.out, rows, "restoration.py", args, *named)


if __name__ == "__main__":
    main()
