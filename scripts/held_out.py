"""Write the sheets of held-out pictures: ``python scripts/held_out.py``.

Fashion-MNIST test pictures 0 to 127, and the first 128 emoji that the split
keeps for the lessons; 16 in a row. Neither prior was trained on them.
"""

from __future__ import annotations

import io
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pinv_edu.emoji import emoji_group
from pinv_edu.pictures import COUNT, PER_ROW
from pinv_edu.training.data import (
    EMOJI,
    FASHION,
    fashion_labelled,
    find_idx,
    read_idx,
    render_emoji,
)
from pinv_edu.training.emoji import code_points


def picked() -> Tensor:
    """Return which emoji the split keeps for the lessons."""
    split = resources.files("pinv_edu") / "data/emoji_split.npz"
    return torch.from_numpy(np.load(io.BytesIO(split.read_bytes()))["pick"])


def pictures() -> dict[str, Tensor]:
    """Return uint8 pictures (128, C, H, W) of both kinds."""
    fashion, _ = read_idx(find_idx(FASHION, "t10k-images-idx3-ubyte"))
    _, emoji = render_emoji(EMOJI.read_bytes())
    return {"fashion-mnist": fashion[:COUNT], "emoji": emoji[picked()[:COUNT]]}


def classes() -> dict[str, Tensor | list[int]]:
    """Return class numbers of the clothes and groups of the emoji."""
    font = EMOJI.read_bytes()
    points, (names, _) = code_points(font), render_emoji(font)
    groups = [emoji_group(points[names[i]]) for i in picked()[:COUNT].tolist()]
    return {"fashion": fashion_labelled("test")[1], "emoji": groups}


def sheet(pictures: Tensor) -> Image.Image:
    """Return the pictures as one, row by row."""
    rows = [torch.cat(list(row), -1) for row in pictures.split(PER_ROW)]
    pixels = torch.cat(rows, -2).permute(1, 2, 0).numpy()
    return Image.fromarray(pixels.squeeze())


def main(folder: str = "pinv_edu/data/held_out") -> None:
    """Write one PNG for each prior, and the labels."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, given in pictures().items():
        sheet(given).save(f"{folder}/{name}.png", optimize=True)
    for name, labels in classes().items():
        digits = "".join(str(int(v)) for v in labels[:COUNT])
        lines = [digits[i : i + PER_ROW] for i in range(0, COUNT, PER_ROW)]
        Path(folder, f"{name}-labels.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
