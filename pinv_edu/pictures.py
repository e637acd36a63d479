"""Pictures that ship with the course."""

from __future__ import annotations

from importlib import resources

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

PHOTOGRAPHS = ("astronaut",)


def photograph(
    name: str = "astronaut",
    size: int = 256,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return a colour photograph, shape (1, 3, size, size), in [-1, 1].

    Parameters
    ----------
    name
        One of :data:`PHOTOGRAPHS`; ``"astronaut"`` is a NASA portrait in
        the public domain.
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


def to_unit(x: Tensor) -> Tensor:
    """Map pictures from [-1, 1] to [0, 1] for display, clamped."""
    return ((x.detach().cpu() + 1) / 2).clamp(0, 1)
