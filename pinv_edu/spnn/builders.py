r"""The two stacks of the lessons: a classifier and a surrogate."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from pinv_edu.base import PseudoInvertible
from pinv_edu.bijections import AffineCoupling, CayleyMix, PixelUnshuffle
from pinv_edu.bijections.base import check_count
from pinv_edu.checks import Shape, check_shape
from pinv_edu.spnn.coupling import SurjectiveCoupling, check_out_channels
from pinv_edu.spnn.network import SPNN, Flatten
from pinv_edu.spnn.pointwise import AsinhResponse, PixelGain, position_net

FLAT = 256  # largest vector that is written flat while a level can follow
FAST = torch.channels_last  # a fifth less time for convolutions on a CPU
SPREAD = 0.02  # of a rotation that starts near the identity
GENTLE = 0.5  # scale bound of couplings that lose nothing: off the data too


def spnn_classifier(
    shape: Sequence[int],
    classes: int,
    *,
    width: int = 32,
    middle: int = 64,
    hidden: Sequence[int] = (256, 128),
    couplings: int = 0,
    code: str = "learned",
    generator: torch.Generator | None = None,
) -> SPNN:
    r"""Pictures to logits, halving the numbers at every level.

    A level gathers blocks of 2 x 2 pixels, turns them by a rotation that
    starts at Haar's basis, and drops half of the channels:

    .. math::
        (c, h, w) \to (4c, \tfrac h2, \tfrac w2) \to (2c, \tfrac h2,
        \tfrac w2) .

    Levels follow until a side is odd or at most 256 numbers are left.
    These are written as a vector, which two more rotations and surjective
    couplings take to ``middle`` and to ``classes`` numbers. At first ``g``
    copies block means. For 1 x 28 x 28: 4 x 14 x 14 to 2, 8 x 7 x 7 to 4,
    196 to 64 to 10. Bijective couplings before the half is dropped let a
    level compute more than it may forget.

    Parameters
    ----------
    shape
        Event shape (C, H, W) with even sides.
    classes
        Number of logits.
    width
        Width of the networks of the first level; it doubles at each one.
    middle
        Numbers between the two flat blocks, above ``classes``.
    hidden
        Widths of the networks of the two flat blocks.
    couplings
        Number of bijective couplings of each level, a rotation after each;
        0 for none.
    code
        Null code of all surjective blocks.
    generator
        Draws all weights; None draws from seed 0.

    Raises
    ------
    TypeError
        If ``couplings`` is not an integer.
    ValueError
        If a side is odd, classes < middle < the flat size fails, or
        ``couplings`` is negative.
    """
    shape = check_shape(shape, dims=(3,))
    check_count(couplings, "couplings", lowest=0)
    generator = generator or torch.Generator().manual_seed(0)
    blocks = _level(shape, width, couplings, code, generator)
    while _divides(blocks[-1].out_shape):
        width *= 2
        shape = blocks[-1].out_shape
        blocks += _level(shape, width, couplings, code, generator)
    blocks.append(Flatten(blocks[-1].out_shape))
    (flat,) = blocks[-1].out_shape
    if not 1 <= classes < middle < flat:
        raise ValueError(
            f"classes < middle < {flat}, the numbers left after the levels, "
            f"must hold, got classes={classes} and middle={middle}"
        )
    for size, wide in zip((middle, classes), hidden):
        before = blocks[-1].out_shape
        blocks += [
            CayleyMix(before, spread=SPREAD, generator=generator),
            SurjectiveCoupling(
                before, size, wide, code=code, generator=generator
            ),
        ]
    return SPNN(*blocks).to(memory_format=FAST)


def _level(
    shape: Shape,
    width: int,
    couplings: int,
    code: str,
    generator: torch.Generator,
) -> list[PseudoInvertible]:
    """Blocks of pixels to channels, rotated, bent, the first half kept."""
    fold = PixelUnshuffle(shape, 2)
    folded = fold.out_shape
    blocks = [fold, CayleyMix(folded, start="haar", generator=generator)]
    for i in range(couplings):
        blocks += [
            AffineCoupling(
                folded,
                hidden=width,
                scale_bound=GENTLE,
                swap=i % 2 == 0,
                generator=generator,
            ),
            CayleyMix(folded, spread=SPREAD, generator=generator),
        ]
    half = SurjectiveCoupling(
        folded, 2 * shape[0], width, code=code, generator=generator
    )
    return [*blocks, half]


def _divides(shape: Shape) -> bool:
    """Whether a further level is possible and needed."""
    even = shape[1] % 2 == 0 and shape[2] % 2 == 0
    return even and math.prod(shape) > FLAT


def spnn_surrogate(
    shape: Sequence[int],
    out_shape: Sequence[int],
    *,
    hidden: int = 24,
    couplings: int = 3,
    scale_bound: float = 1.0,
    response: bool = False,
    code: str = "learned",
    generator: torch.Generator | None = None,
) -> SPNN:
    r"""Pictures to smaller pictures: a model of an unknown camera.

    .. math::
        (C, H, W) \to (C r^2, \tfrac Hr, \tfrac Wr)
        \xrightarrow{\text{couplings and rotations}} \to
        (C', \tfrac Hr, \tfrac Wr) \to \text{gain and offset per pixel} .

    The first rotation starts at Haar's basis with the block means first
    (for r = 2, 4, 8, ...): at first ``g`` is the average pool. One
    surjective block alone is affine in what it keeps; two or three
    bijective couplings before it bend that too. All networks know where
    they are (:func:`position_net`).

    Parameters
    ----------
    shape
        Event shape (C, H, W) of the picture.
    out_shape
        Event shape (C', H/r, W/r) of the measurement, C' < C r².
    hidden
        Width of all networks.
    couplings
        Number of bijective couplings.
    scale_bound
        Bound of all log-scales.
    response
        Begin with a learned saturating curve, :class:`AsinhResponse`.
    code
        Null code of the surjective block.
    generator
        Draws all weights; None draws from seed 0.

    Raises
    ------
    ValueError
        If no ``r`` takes the sides of ``shape`` to those of ``out_shape``,
        or there are not fewer channels after than before.
    """
    shape = check_shape(shape, dims=(3,))
    out_shape = check_shape(out_shape, dims=(3,))
    generator = generator or torch.Generator().manual_seed(0)
    fold = PixelUnshuffle(shape, _factor(shape, out_shape))
    blocks: list[PseudoInvertible] = [fold, _rotation(fold, generator)]
    if response:
        blocks.insert(0, AsinhResponse(shape))
    for i in range(couplings):
        blocks += [
            _coupling(
                fold.out_shape, hidden, scale_bound, i % 2 == 0, generator
            ),
            CayleyMix(fold.out_shape, generator=generator),
        ]
    blocks += [
        _drop(fold.out_shape, out_shape, hidden, scale_bound, code, generator),
        PixelGain(out_shape, 1 / fold.r),
    ]
    return SPNN(*blocks).to(memory_format=FAST)


def _factor(shape: Shape, out_shape: Shape) -> int:
    """Return r such that H = r H' and W = r W'."""
    r = max(1, shape[1] // out_shape[1])
    sides = (r * out_shape[1], r * out_shape[2])
    if sides != shape[1:]:
        raise ValueError(
            f"the sides of shape {shape} must be the same multiple of those "
            f"of out_shape {out_shape}: crop or pad the pictures"
        )
    return r


def _rotation(fold: PixelUnshuffle, generator: torch.Generator) -> CayleyMix:
    """Haar's basis where there is one, for sides 1, 2, 4, 8, ..."""
    haar = fold.r & (fold.r - 1) == 0
    return CayleyMix(
        fold.out_shape,
        start="haar" if haar else "identity",
        block=fold.r if haar else 1,
        generator=generator,
    )


def _coupling(
    shape: Shape,
    hidden: int,
    bound: float,
    swap: bool,
    generator: torch.Generator,
) -> AffineCoupling:
    """A bijective coupling whose network knows where it is."""
    changed = shape[0] // 2
    passing = (shape[0] - changed, *shape[1:])
    net = position_net(passing, 2 * changed, hidden, generator)
    return AffineCoupling(shape, net, scale_bound=bound, swap=swap)


def _drop(
    shape: Shape,
    out_shape: Shape,
    hidden: int,
    bound: float,
    code: str,
    generator: torch.Generator,
) -> SurjectiveCoupling:
    """A surjective coupling whose networks know where they are."""
    kept = check_out_channels(shape, out_shape[0])
    lost = (shape[0] - kept, *shape[1:])
    net = position_net(lost, 2 * kept, hidden, generator)
    r = None
    if code == "learned":
        r = position_net(out_shape, lost[0], hidden, generator)
    return SurjectiveCoupling(
        shape, kept, scale_bound=bound, code=code, net=net, r=r
    )
