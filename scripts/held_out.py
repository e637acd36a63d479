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

from pinv_edu.pictures import COUNT, PER_ROW
from pinv_edu.training.data import (
    EMOJI,
    FASHION,
    fashion_labelled,
    find_idx,
    read_idx,
    render_emoji,
)


def pictures() -> dict[str, Tensor]:
    """Return uint8 pictures (128, C, H, W) of both kinds."""
    fashion, _ = read_idx(find_idx(FASHION, "t10k-images-idx3-ubyte"))
    _, emoji = render_emoji(EMOJI.read_bytes())
    split = resources.files("pinv_edu") / "data/emoji_split.npz"
    pick = torch.from_numpy(np.load(io.BytesIO(split.read_bytes()))["pick"])
    return {"fashion-mnist": fashion[:COUNT], "emoji": emoji[pick[:COUNT]]}


def sheet(pictures: Tensor) -> Image.Image:
    """Return the pictures as one, row by row."""
    rows = [torch.cat(list(row), -1) for row in pictures.split(PER_ROW)]
    pixels = torch.cat(rows, -2).permute(1, 2, 0).numpy()
    return Image.fromarray(pixels.squeeze())


def main(folder: str = "pinv_edu/data/held_out") -> None:
    """Write one PNG for each prior, and the labels of the clothes."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, given in pictures().items():
        sheet(given).save(f"{folder}/{name}.png", optimize=True)
    digits = "".join(str(int(v)) for v in fashion_labelled("test")[1][:COUNT])
    lines = [digits[i : i + PER_ROW] for i in range(0, COUNT, PER_ROW)]
    Path(folder, "fashion-labels.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
