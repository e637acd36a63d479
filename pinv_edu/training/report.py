"""What ``train_prior`` leaves: held-out losses, weights, samples, a card."""

from __future__ import annotations

import json
import platform
import shlex
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pinv_edu.priors import DiffusersPrior
from pinv_edu.sampling import sample
from pinv_edu.training.data import Pictures, sha256
from pinv_edu.training.recipe import (
    BINS,
    DRAWS,
    TIMES,
    held_out_losses,
    seeded,
)

if TYPE_CHECKING:
    from pinv_edu.train_prior import Run

WEIGHTS = "diffusion_pytorch_model.safetensors"
LIMIT = 6_000_000  # bytes; the package carries the file


def samples(
    unet: nn.Module, shape: tuple[int, int, int], count: int, steps: int = 50
) -> Tensor:
    """Return ``count`` pictures in [-1, 1] drawn by ancestral sampling."""
    prior = DiffusersPrior(unet, shape=shape)
    drawn = sample(
        prior, count, steps, generator=seeded(20_26, 3), progress=False
    )
    return drawn.clamp(-1, 1)


def save_grid(pictures: Tensor, path: Path, columns: int, zoom: int) -> None:
    """Write pictures in [-1, 1] as one PNG with ``columns`` columns."""
    from PIL import Image

    pixels = ((pictures + 1) * 127.5).round().to(torch.uint8)
    count, channels, height, width = pixels.shape
    rows = count // columns
    grid = pixels[: rows * columns].reshape(
        rows, columns, channels, height, width
    )
    grid = grid.permute(0, 3, 1, 4, 2).expand(-1, -1, -1, -1, 3)
    big = grid.reshape(rows * height, columns * width, 3)
    big = big.repeat_interleave(zoom, 0).repeat_interleave(zoom, 1)
    Image.fromarray(big.numpy()).save(path, optimize=True)


def export(unet: nn.Module, folder: Path) -> str:
    """Write config.json, half-precision weights, SHA256SUMS; return the sum.

    ``diffusers.UNet2DModel.from_pretrained(folder)`` reads the folder.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    config = {
        key: value
        for key, value in json.loads(unet.to_json_string()).items()
        if key != "_name_or_path"
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    half = {
        key: value.half().contiguous()
        for key, value in unet.state_dict().items()
    }
    content = save(half, {"format": "pt"})
    if len(content) > LIMIT:
        raise ValueError(
            f"the weights take {len(content)} bytes, more than {LIMIT}: the "
            f"package would grow too large; use a narrower U-Net"
        )
    (folder / WEIGHTS).write_bytes(content)
    (folder / "SHA256SUMS").write_text(f"{sha256(content)}  {WEIGHTS}\n")
    return sha256(content)


def command(settings: dict[str, Any]) -> str:
    """Return the command line that gives these settings.

    Of the starting weights only the folder's name is told.
    """
    if settings.get("init"):
        settings = {**settings, "init": Path(settings["init"]).name}
    parts = ["python -m pinv_edu.train_prior", settings["name"]]
    for key, value in settings.items():
        if value is True:
            parts.append(f"--{key}")
        elif key != "name" and value not in (None, False, 0.0):
            parts.append(f"--{key} {shlex.quote(str(value))}")
    return " ".join(parts)


def versions() -> str:
    """Return the versions that bear on the weights."""
    named = ("pinv-edu", "torch", "diffusers", "numpy", "pillow")
    found = []
    for name in named:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} (not installed)")
    return ", ".join([f"Python {platform.python_version()}", *found])


def table(before: list[float], after: list[float]) -> str:
    """Return the held-out losses per bin as Markdown."""
    rows = ["| t | before | after |", "|---|---|---|"]
    width = TIMES // BINS
    for k, (old, new) in enumerate(zip(before, after)):
        span = f"{k * width}–{(k + 1) * width - 1}"
        rows.append(f"| {span} | {old:.5f} | {new:.5f} |")
    old, new = sum(before) / BINS, sum(after) / BINS
    return "\n".join([*rows, f"| mean | {old:.5f} | {new:.5f} |"])


def origin(run: Run) -> str:
    """Return what the training began from, in words."""
    init = run.recipe.init
    if init is None:
        return "random weights"
    known = init / "training.json"
    if not known.is_file():
        return f"the weights in {init.name}"
    first = json.loads(known.read_text())
    return f"weights after {first['steps']} steps of {first['batch']}"


CARD = """\
# Prior `{name}`

A diffusers `UNet2DModel` that predicts the noise in pictures of shape
{shape}, values in [-1, 1]; linear β from 1e-4 to 0.02, 1,000 times.
Half-precision weights, {size} bytes, sha256
`{digest}`.

- Data: {source}; {count} training pictures.
- Begun from {origin}; then {steps} steps of {batch} in
  {minutes:.0f} minutes on {threads} thread(s){precision}; {schedule}.
- Learning rate: warm-up {warmup} steps, then cosine from {peak:g} to 1 % of
  it; AdamW (0.9, 0.99), weight decay 1e-4, gradient norm at most 1.
- Weights shipped: running mean, decay min({ema}, (1+n)/(6+n)).
- Loss: noise prediction, min-SNR-5 weights, stratified times.
- Pictures mirrored: {mirrored}.
- Weights: MIT licence, as pinv-edu. Data: the licence named above.
- Versions: {versions}.

Command:

    {command}

## Held-out loss

Mean squared error of the predicted noise on {held} held-out pictures
({draws:,} draws, the same pictures, times and noises before and after; "after"
is the half-precision file).

{table}

## Samples

![64 pictures drawn from the prior](samples.png)
"""


def card(run: Run, data: Pictures, digest: str, after: list[float]) -> str:
    """Return the model card."""
    recipe = run.recipe
    clock = f"cosine ended by the clock (--minutes {recipe.minutes:g})"
    return CARD.format(
        name=recipe.name,
        shape=data.shape,
        size=(recipe.out / WEIGHTS).stat().st_size,
        digest=digest,
        source=data.source,
        count=len(data.train),
        held=len(data.held_out),
        draws=DRAWS,
        origin=origin(run),
        steps=run.step,
        batch=recipe.batch,
        minutes=run.seconds / 60,
        threads=recipe.threads,
        precision=", network in bfloat16" if recipe.bf16 else "",
        schedule=clock if recipe.minutes else "schedule by steps",
        warmup=recipe.warmup,
        peak=recipe.peak,
        ema=recipe.ema,
        mirrored="half of them" if recipe.flip else "none",
        versions=versions(),
        command=command({**recipe.fixed(), "minutes": recipe.minutes}),
        table=table(run.before, after),
    )


def write_report(run: Run, data: Pictures) -> None:
    """Write weights, card, samples and history; all measured on the file."""
    from diffusers import UNet2DModel

    out = run.recipe.out
    digest = export(run.ema, out)
    shipped = UNet2DModel.from_pretrained(out).float().eval()
    after = held_out_losses(shipped, data.held_out)
    (out / "README.md").write_text(card(run, data, digest, after))
    facts = {
        "steps": run.step,
        "batch": run.recipe.batch,
        "before": run.before,
        "after": after,
        "history": run.history,  # step, loss, held-out loss (EMA), seconds
    }
    (out / "training.json").write_text(json.dumps(facts, indent=1) + "\n")
    save_grid(samples(shipped, data.shape, 64), out / "samples.png", 16, 3)
    print(table(run.before, after))
