"""Pictures that ship with the course."""

from __future__ import annotations

import io
from importlib import resources

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

PHOTOGRAPHS = ("astronaut", "portrait")
HELD_OUT = {"fashion-mnist": (1, 28), "emoji": (3, 32)}  # channels, side
COUNT, PER_ROW = 128, 16  # pictures on a sheet


def photograph(
    name: str = "astronaut",
    size: int = 256,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return a colour photograph, shape (1, 3, size, size), in [-1, 1].

    Parameters
    ----------
    name
        One of :data:`PHOTOGRAPHS`: ``"astronaut"``, a NASA photograph in
        the public domain, or ``"portrait"``, her face alone, cut out as
        the faces of CelebA-HQ are.
    size
        Side in pixels, a divisor of 256: block means of the original.
    dtype
        float32 or float64.

    Raises
    ------
    ValueError
        If the name is unknown or ``size`` does not divide 256.
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(f"photograph {name!r} is not one of {PHOTOGRAPHS}")
    if size < 1 or 256 % size:
        raise ValueError(
            f"size {size} does not divide 256: use 256, 128, 64, 32, ..."
        )
    folder = resources.files("pinv_edu") / "data" / "photos"
    with (folder / f"{name}.png").open("rb") as file:
        pixels = np.asarray(Image.open(file).convert("RGB")).copy()
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None].to(dtype)
    return F.avg_pool2d(x / 127.5 - 1, 256 // size)


def held_out(
    name: str,
    n: int = 16,
    part: str = "test",
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return pictures that the bundled priors never saw, in [-1, 1].

    Parameters
    ----------
    name
        ``"fashion-mnist"``: (n, 1, 28, 28), from the data set's test
        pictures; ``"emoji"``: (n, 3, 32, 32), from whole families that were
        kept out of the training.
    n
        The first n of 64, always the same ones.
    part
        ``"test"`` for results; ``"validation"``, 64 others, to choose a
        setting.
    dtype
        float32 or float64.

    Raises
    ------
    ValueError
        If the name or part is unknown or n is not 1 to 64.
    """
    _check_name(name)
    _check_part(n, part)
    channels, side = HELD_OUT[name]
    file = resources.files("pinv_edu") / "data" / "held_out" / f"{name}.png"
    pixels = np.asarray(Image.open(io.BytesIO(file.read_bytes())))
    blocks = pixels.reshape(-1, side, PER_ROW, side, channels)
    x = torch.tensor(blocks).permute(0, 2, 4, 1, 3).flatten(0, 1)
    first = 0 if part == "test" else COUNT // 2
    return x[first : first + n].to(dtype) / 127.5 - 1


def held_out_labels(
    n: int = 16, part: str = "test", name: str = "fashion-mnist"
) -> Tensor:
    """Return the class numbers of ``held_out(name, n, part)``.

    Clothes: 0 T-shirt, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal,
    6 shirt, 7 sneaker, 8 bag, 9 ankle boot. Emoji, the groups of
    :func:`pinv_edu.emoji.emoji_group`: 0 person, 1 smiley, 2 flag, 3 thing.
    int64, shape (n,).
    """
    _check_name(name)
    _check_part(n, part)
    file = f"data/held_out/{name.removesuffix('-mnist')}-labels.txt"
    text = (resources.files("pinv_edu") / file).read_text(encoding="utf-8")
    first = 0 if part == "test" else COUNT // 2
    digits = text.replace("\n", "")[first : first + n]
    return torch.tensor([int(digit) for digit in digits])


def _check_name(name: str) -> None:
    if name not in HELD_OUT:
        raise ValueError(f"name {name!r} is not one of {tuple(HELD_OUT)}")


def _check_part(n: int, part: str) -> None:
    if part not in ("test", "validation"):
        raise ValueError(f"part must be 'test' or 'validation', got {part!r}")
    if not 1 <= n <= COUNT // 2:
        raise ValueError(f"n must be 1 to {COUNT // 2}, got {n!r}")


def to_unit(x: Tensor) -> Tensor:
    """Map pictures from [-1, 1] to [0, 1] for display, clamped."""
    return ((x.detach().cpu() + 1) / 2).clamp(0, 1)
