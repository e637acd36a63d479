"""The pictures that ``train_prior`` learns from, and those it never sees.

Fashion-MNIST: trained on the 60,000 training pictures, measured on the test
pictures 5,000 to 9,999.  Test pictures 0 to 4,999 are for the lessons.

Emoji: every distinct picture of Noto Color Emoji on white, 32 x 32.  Whole
families (the same person in another skin tone, the same clock at another
hour) are held out together: ``data/emoji_split.npz`` says which.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from PIL.Image import Image

FASHION = Path("/usr/share/datasets/fashion-mnist")
EMOJI = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
LESSONS = 5_000  # Fashion-MNIST test pictures kept for the lessons


@dataclass(frozen=True)
class Pictures:
    """Training and held-out pictures, uint8 ``(N, C, H, W)``, and a source.

    ``source`` goes into the model card: where the pictures come from, under
    which licence, and the sha256 of the file they were read from.
    """

    train: Tensor
    held_out: Tensor
    source: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """Event shape ``(C, H, W)``."""
        channels, height, width = self.train.shape[1:]
        return channels, height, width


def to_unit(pictures: Tensor) -> Tensor:
    """Return uint8 pictures as float32 in [-1, 1]."""
    return pictures.float() / 127.5 - 1


def load_pictures(name: str, data: Path | None = None) -> Pictures:
    """Return the pictures of the prior ``name``.

    Parameters
    ----------
    name
        ``"fashion-mnist"`` or ``"emoji"``.
    data
        Folder of the IDX files, or path of ``NotoColorEmoji.ttf``; by
        default where the Debian package puts them.

    Raises
    ------
    FileNotFoundError
        If the data are not there; says which package or files to get.
    ValueError
        If the name is unknown or a file is not what it should be.
    """
    if name not in LOADERS:
        raise ValueError(
            f"unknown prior {name!r}: use one of {sorted(LOADERS)}"
        )
    loader, place = LOADERS[name]
    return loader(Path(data) if data is not None else place)


def sha256(content: bytes) -> str:
    """Return the SHA-256 of ``content`` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


# Fashion-MNIST


def find_idx(folder: Path, stem: str) -> Path:
    """Return ``folder/stem``, compressed or not."""
    for path in (folder / f"{stem}.gz", folder / stem):
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"no {stem}[.gz] in {folder}. Fashion-MNIST is four IDX files: "
        f"train-images-idx3-ubyte, train-labels-idx1-ubyte, "
        f"t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte. "
        f"Install the Debian package dataset-fashion-mnist, or "
        f"get the files from github.com/zalandoresearch/fashion-mnist and "
        f"give their folder with --data"
    )


def unpack(path: Path, content: bytes) -> bytes:
    """Return what a file holds, decompressed if its name ends in .gz."""
    if path.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(
            f"{path} is not a whole gzip file ({error}): fetch it again"
        ) from error


def read_idx(path: Path) -> tuple[Tensor, str]:
    """Return the pictures of an IDX file ``(N, 1, H, W)`` and its sha256."""
    content = path.read_bytes()
    raw = unpack(path, content)
    magic, *sizes = struct.unpack(">4I", raw[:16].ljust(16, b"\0"))
    if magic != 2051 or len(raw) != 16 + math.prod(sizes):
        raise ValueError(
            f"{path} is not a whole IDX file of pictures (magic number 2051, "
            f"16 + N*H*W bytes): fetch it again"
        )
    pixels = np.frombuffer(raw, np.uint8, offset=16).copy()
    count, height, width = sizes
    pictures = torch.from_numpy(pixels).reshape(count, 1, height, width)
    return pictures, sha256(content)


def read_labels(path: Path) -> Tensor:
    """Return the class numbers of an IDX file, int64 ``(N,)``."""
    raw = unpack(path, path.read_bytes())
    magic, count = struct.unpack(">2I", raw[:8].ljust(8, b"\0"))
    if magic != 2049 or len(raw) != 8 + count:
        raise ValueError(
            f"{path} is not a whole IDX file of labels (magic number 2049, "
            f"8 + N bytes): fetch it again"
        )
    return torch.frombuffer(bytearray(raw[8:]), dtype=torch.uint8).long()


def fashion_labelled(
    part: str = "train", folder: Path | None = None
) -> tuple[Tensor, Tensor]:
    """Return Fashion-MNIST with its labels.

    Parameters
    ----------
    part
        ``"train"``, 60,000 pictures, or ``"test"``, 10,000.
    folder
        Of the IDX files; by default where the Debian package puts them.

    Returns
    -------
    tuple
        Pictures (N, 1, 28, 28) in [-1, 1] and class numbers 0 to 9.

    Raises
    ------
    FileNotFoundError
        If the data are not there; says which package or files to get.
    ValueError
        If ``part`` is unknown or a file is damaged.
    """
    stems = {"train": "train", "test": "t10k"}
    if part not in stems:
        raise ValueError(f"part must be 'train' or 'test', got {part!r}")
    folder = FASHION if folder is None else Path(folder)
    pictures, _ = read_idx(
        find_idx(folder, f"{stems[part]}-images-idx3-ubyte")
    )
    labels = read_labels(find_idx(folder, f"{stems[part]}-labels-idx1-ubyte"))
    return to_unit(pictures), labels


def load_fashion(folder: Path) -> Pictures:
    """Return Fashion-MNIST: all training, the second half of the test set."""
    path = find_idx(folder, "train-images-idx3-ubyte")
    train, digest = read_idx(path)
    test, _ = read_idx(find_idx(folder, "t10k-images-idx3-ubyte"))
    if len(test) <= LESSONS:
        raise ValueError(
            f"the test file in {folder} holds {len(test)} pictures, and the "
            f"held-out ones start at {LESSONS}: the data set's own has 10,000"
        )
    source = (
        "Fashion-MNIST (Zalando SE, MIT licence; Debian package "
        f"dataset-fashion-mnist), {path.name} sha256 {digest}"
    )
    return Pictures(train, test[LESSONS:], source)


# Noto Color Emoji


def on_white(picture: Image, size: int) -> np.ndarray:
    """Return an RGBA picture on a white square, ``(size, size, 3)`` uint8."""
    from PIL import Image

    side = max(picture.size)
    left, top = (side - picture.width) // 2, (side - picture.height) // 2
    square = Image.new("RGBA", (side, side), (255, 255, 255, 255))
    square.alpha_composite(picture, (left, top))
    small = square.convert("RGB").resize(
        (size, size), Image.Resampling.LANCZOS
    )
    return np.asarray(small)


def glyph_pictures(font: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield name and PNG file of every bitmap in a colour bitmap font."""
    from fontTools.ttLib import TTFont

    tables = TTFont(io.BytesIO(font))
    if "CBDT" not in tables:
        raise ValueError(
            "the font has no colour bitmaps (table CBDT): use the "
            "NotoColorEmoji.ttf of the Debian package fonts-noto-color-emoji"
        )
    for strike in tables["CBDT"].strikeData:
        for name, glyph in strike.items():
            yield name, glyph.imageData


def render_emoji(font: bytes, size: int = 32) -> tuple[list[str], Tensor]:
    """Return names and pictures ``(N, 3, size, size)``, duplicates dropped."""
    from PIL import Image

    distinct: dict[bytes, str] = {}
    for name, png in glyph_pictures(font):
        picture = Image.open(io.BytesIO(png)).convert("RGBA")
        distinct.setdefault(on_white(picture, size).tobytes(), name)
    pixels = np.frombuffer(b"".join(distinct), np.uint8).copy()
    pictures = torch.from_numpy(pixels).reshape(-1, size, size, 3)
    return list(distinct.values()), pictures.permute(0, 3, 1, 2).contiguous()


def emoji_split(names: list[str]) -> tuple[Tensor, Tensor]:
    """Return two masks of the emoji: to train on, and to measure with.

    Measured are the held-out pictures without those kept for the lessons
    (``pick``) and without those (``related``) that some training picture
    resembles with a correlation of brightness above 0.9.

    Raises
    ------
    ValueError
        If ``names`` are not those that the split was made for: with another
        font a relative of a held-out picture could slip into the training.
    """
    place = resources.files("pinv_edu") / "data/emoji_split.npz"
    split = np.load(io.BytesIO(place.read_bytes()))
    if sha256("\n".join(names).encode()) != str(split["names_sha256"]):
        raise ValueError(
            f"the font gives {len(names)} distinct pictures, and they are "
            f"not the {len(split['hold'])} that the stored split was made "
            f"for: use the font of Debian 12, fonts-noto-color-emoji 2.042"
        )
    measured = split["hold"] & ~split["related"]
    measured[split["pick"]] = False
    return torch.from_numpy(~split["hold"]), torch.from_numpy(measured)


def load_emoji(path: Path) -> Pictures:
    """Return the emoji: training families, and held-out ones to measure."""
    if not path.is_file():
        raise FileNotFoundError(
            f"no font {path}. Install the Debian package "
            f"fonts-noto-color-emoji, or give the path of NotoColorEmoji.ttf "
            f"with --data"
        )
    font = path.read_bytes()
    names, pictures = render_emoji(font)
    train, measured = emoji_split(names)
    source = (
        "Noto Color Emoji (Google; pictures Apache-2.0, font SIL OFL 1.1; "
        f"Debian package fonts-noto-color-emoji), sha256 {sha256(font)}"
    )
    return Pictures(pictures[train], pictures[measured], source)


LOADERS = {
    "fashion-mnist": (load_fashion, FASHION),
    "emoji": (load_emoji, EMOJI),
}
