"""Emoji with their groups and measures, as training pairs."""

from __future__ import annotations

import io
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from pinv_edu.emoji import GROUPS, emoji_group, emoji_measures
from pinv_edu.spnn.batches import Draw
from pinv_edu.training.data import (
    EMOJI,
    emoji_split,
    render_emoji,
    to_unit,
)

PERMUTATIONS = torch.tensor(
    [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
)


def code_points(font: bytes) -> dict[str, tuple[int, ...]]:
    """Return the code points behind each glyph name, ligatures too."""
    from fontTools.ttLib import TTFont

    tables = TTFont(io.BytesIO(font))
    points: dict[str, tuple[int, ...]] = {}
    for point, glyph in tables.getBestCmap().items():
        points.setdefault(glyph, (point,))
    for lookup in tables["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            rules = getattr(table, "ExtSubTable", table)
            for first, found in getattr(rules, "ligatures", {}).items():
                for ligature in found:
                    parts = [first, *ligature.Component]
                    if all(part in points for part in parts):
                        joined = sum((points[part] for part in parts), ())
                        points.setdefault(ligature.LigGlyph, joined)
    return points


def emoji_labelled(
    part: str = "train", font: Path | None = None
) -> tuple[Tensor, Tensor]:
    """Return emoji (N, 3, 32, 32) in [-1, 1] and their group numbers.

    Parameters
    ----------
    part
        ``"train"``: the families that the bundled prior was trained on;
        ``"test"``: the others, without near doubles of these.
    font
        Path of ``NotoColorEmoji.ttf``; by default Debian's.

    Raises
    ------
    ValueError
        If ``part`` is unknown or the font is another one.
    """
    if part not in ("train", "test"):
        raise ValueError(f"part must be 'train' or 'test', got {part!r}")
    content = (EMOJI if font is None else Path(font)).read_bytes()
    names, pictures = render_emoji(content)
    train, related = emoji_split(names)
    chosen = train if part == "train" else related
    points = code_points(content)
    groups = torch.tensor([emoji_group(points[name]) for name in names])
    return to_unit(pictures[chosen]), groups[chosen]


def attributes(x: Tensor, groups: Tensor) -> Tensor:
    """Return what a network is to say: shares of the groups, measures."""
    return torch.cat([groups, emoji_measures(x)], dim=1)


def emoji_pairs(x: Tensor, groups: Tensor) -> Draw:
    """Return a function that draws training pairs.

    All groups are drawn equally often, and half of the pictures mirrored.
    Of a quarter the colours are exchanged, so that a group is not known
    by its colour; a quarter are mixtures of two pictures, and of their
    groups.
    """
    members = [(groups == k).nonzero()[:, 0] for k in range(len(GROUPS))]
    sizes = torch.tensor([len(m) for m in members])
    first, every = sizes.cumsum(0) - sizes, torch.cat(members)
    shares = F.one_hot(groups, len(GROUPS)).to(x.dtype)

    def some(generator: torch.Generator, size: int) -> Tensor:
        drawn = torch.rand(size, generator=generator).double()
        k = torch.arange(size) % len(GROUPS)
        return every[first[k] + (drawn * sizes[k]).long()]

    def draw(generator: torch.Generator, size: int) -> tuple[Tensor, Tensor]:
        which, other = some(generator, size), some(generator, size)
        other = other[torch.randperm(size, generator=generator)]
        seen, share = x[which], shares[which]
        mirrored = torch.rand(size, generator=generator) < 0.5
        seen = torch.where(mirrored[:, None, None, None], seen.flip(-1), seen)
        kind = torch.randint(4, (size,), generator=generator)
        turn = torch.randint(5, (size,), generator=generator)
        order = PERMUTATIONS[turn][:, :, None, None].expand_as(seen)
        seen = torch.where(
            (kind == 1)[:, None, None, None], seen.gather(1, order), seen
        )
        weight = torch.rand(size, generator=generator)
        weight = torch.where(kind == 2, weight, 1.0)[:, None]
        share = torch.lerp(shares[other], share, weight)
        seen = torch.lerp(x[other], seen, weight[..., None, None])
        return seen, attributes(seen, share)

    return draw


def attribute_loss(seen: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy of the groups and mean square of the measures."""
    k = len(GROUPS)
    right = F.cross_entropy(seen[:, :k], wanted[:, :k], label_smoothing=0.05)
    return right + F.mse_loss(seen[:, k:], wanted[:, k:])
