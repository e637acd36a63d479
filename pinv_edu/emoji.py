r"""What can be said of an emoji: its group, and four measures of it.

The group is read from the Unicode code points behind a glyph. The measures
are formulas of the pixels: where a network claims to have moved one of
them, the formula is a judge that no network can persuade.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import torch
from torch import Tensor

GROUPS = ("person", "smiley", "flag", "thing")
MEASURES = ("light", "warm", "colourful", "tall")
CENTRE = (0.78, 0.07, 0.18, 0.11)  # mean over the training pictures
SPREAD = (0.10, 0.15, 0.12, 0.35)  # and standard deviation, rounded

FLAGS = range(0x1F1E6, 0x1F200)  # regional indicators
TONES = range(0x1F3FB, 0x1F400)
SMILEYS = (
    range(0x1F600, 0x1F645),
    range(0x1F910, 0x1F918),
    range(0x1F920, 0x1F930),
    range(0x1F970, 0x1F97B),
    range(0x1FAE0, 0x1FAE9),
)
PEOPLE = "MAN|WOMAN|ADULT|BOY|GIRL|BABY|CHILD|PERSON|MALE|FEMALE"


def emoji_group(points: Sequence[int]) -> int:
    """Return the position in :data:`GROUPS` of a glyph.

    Parameters
    ----------
    points
        Its code points, for example ``[0x1F600]``.
    """
    words = " ".join(unicodedata.name(chr(p), "") for p in points)
    if "FLAG" in words or any(p in FLAGS for p in points):
        return 2
    named = re.search(rf"\b({PEOPLE})\b", words)
    if named or any(p in TONES for p in points):
        return 0
    return 1 if any(points[0] in span for span in SMILEYS) else 3


def emoji_measures(x: Tensor) -> Tensor:
    r"""Measure light, warmth, colour and shape, in standard deviations.

    With :math:`v = (x + 1) / 2` in [0, 1] and the ink
    :math:`w = 1 - \min_c v_c` of a pixel,

    .. math::
        \text{light} = \overline{v}, \quad
        \text{warm} = \overline{v_R - v_B}, \quad
        \text{colourful} = \overline{\max_c v_c - \min_c v_c}, \quad
        \text{tall} = \log \frac{\sigma_\text{rows}(w)}
        {\sigma_\text{columns}(w)},

    where :math:`\sigma(w)` is the standard deviation of the ink's place.
    Then :data:`CENTRE` is taken off, and :data:`SPREAD` divided by: about
    mean zero and deviation one over the bundled prior's training pictures.

    Parameters
    ----------
    x
        Pictures (B, 3, H, W) in [-1, 1].

    Returns
    -------
    Tensor
        Shape (B, 4), in the order of :data:`MEASURES`.

    Raises
    ------
    ValueError
        If ``x`` is not a batch of colour pictures.
    """
    if x.dim() != 4 or x.shape[1] != 3:
        raise ValueError(
            f"x must be colour pictures (B, 3, H, W), got {tuple(x.shape)}"
        )
    v = (x + 1) / 2
    low, high = v.amin(1), v.amax(1)
    ink = (1 - low).clamp(min=1e-6)  # a white picture is neither
    measured = [
        v.mean((1, 2, 3)),
        (v[:, 0] - v[:, 2]).mean((1, 2)),
        (high - low).mean((1, 2)),
        (_deviation(ink.sum(2)) / _deviation(ink.sum(1))).log(),
    ]
    centre, spread = x.new_tensor(CENTRE), x.new_tensor(SPREAD)
    return (torch.stack(measured, 1) - centre) / spread


def _deviation(weight: Tensor) -> Tensor:
    """Standard deviation of the place 0, 1, 2, ... under weights (B, n)."""
    share = weight / weight.sum(1, keepdim=True)
    place = torch.arange(weight.shape[1], device=weight.device)
    mean = (share * place).sum(1, keepdim=True)
    return (share * (place - mean).square()).sum(1).sqrt()
