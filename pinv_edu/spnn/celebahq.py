r"""The authors' face network: 40 attributes of a 256 x 256 picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn

from pinv_edu.base import PseudoInvertible
from pinv_edu.bijections import CayleyMix, HouseholderMix, PixelUnshuffle
from pinv_edu.checks import Shape
from pinv_edu.spnn.checkpoint import check_weights, read_tensors
from pinv_edu.spnn.coupling import SurjectiveCoupling, check_out_channels
from pinv_edu.spnn.network import SPNN, Flatten
from pinv_edu.spnn.official_nets import ScaleShift, hourglass, pixelwise

PREFIX = "pinn.blocks"
MIXES = {"B": "mix.A_unconstrained", "v": "mix.V"}
Net = Callable[[int, int], nn.Sequential]


@dataclass(frozen=True)
class Sizes:
    """Sizes of the architecture; the defaults are the published ones.

    ``levels``: for each fold (factor 4) its two widths; a level keeps a
    quarter of the channels. After the last fold, which leaves single
    pixels, ``flat``: for each block its inner widths and what it keeps.
    """

    shape: Shape = (3, 256, 256)
    levels: tuple[tuple[int, int], ...] = (
        (128, 256),
        (256, 512),
        (512, 1024),
    )
    flat: tuple[tuple[tuple[int, ...], int], ...] = (
        ((2048, 1536), 1024),
        ((512, 256, 128), 40),
    )


def spnn_celebahq256(
    num_attributes: int = 40, *, reflections: int | None = None
) -> SPNN:
    r"""Faces to attribute logits: the published architecture, untrained.

    .. math::
        3 \times 256^2 \to 12 \times 64^2 \to 48 \times 16^2 \to
        192 \times 4^2 \to 1024 \to 40 ,

    by PixelUnshuffle(4), an orthogonal mix and a surjective block at each
    arrow (the last one without unshuffling). Five codes hold the other
    196,568 numbers; 150,078,484 weights, 0.6 GB. All functions are bounded:
    :math:`s = e^{2 \tanh S}`, :math:`t = \tanh T`, :math:`r = \tanh R`.

    Parameters
    ----------
    num_attributes
        Number of logits, from 1 to 1,023.
    reflections
        Mix by so many Householder reflections instead of Cayley's
        transform; the authors use 8.

    References
    ----------
    Ehrlich, Berman, Shocher (2026), arXiv 2602.06042;
    github.com/yamitehr/SPNN.
    """
    return build(sizes_for(num_attributes), reflections)


def load_official_spnn(path: str | Path, num_attributes: int = 40) -> SPNN:
    r"""Read the authors' checkpoint ``spnn_celebahq_256.pth``.

    Get it from huggingface.co/yamitehr/SPNN. The file is read as tensors
    only (``weights_only``); a ``.safetensors`` file with the same names is
    read too. Checkpoints with either mix are recognised.

    The authors solve :math:`((1 + 10^{-6})I + K)W = I - K`, which makes
    their mix a slight contraction; ours has no such number. ``W`` changes
    by about 1e-6, and the identities hold to rounding, where theirs hold
    to 2e-6.

    Parameters
    ----------
    path
        File.
    num_attributes
        Number of logits of the checkpoint.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, or names or shapes are not those of this network:
        says which.
    """
    return load(path, sizes_for(num_attributes))


def sizes_for(num_attributes: int) -> Sizes:
    """Return the published sizes with another number of logits."""
    *flat, (widths, _) = Sizes.flat
    return Sizes(flat=(*flat, (widths, num_attributes)))


def load(path: str | Path, sizes: Sizes) -> SPNN:
    """Read a file with the authors' names into a network of these sizes."""
    given = read_tensors(path)
    reflections = [len(v) for k, v in given.items() if k.endswith("mix.V")]
    with torch.device("meta"):  # no weights are drawn only to be replaced
        spnn = build(sizes, reflections[0] if reflections else None)
    names, ours = official_names(spnn), spnn.state_dict()
    check_weights(
        given,
        {name: ours[our] for name, our in names.items()},
        f"Is {path} the authors' spnn_celebahq_256.pth, and does "
        f"num_attributes={spnn.out_shape[0]} fit?",
    )
    weights = {our: given[name].float() for name, our in names.items()}
    spnn.load_state_dict(weights, assign=True)
    return spnn


def official_names(spnn: SPNN) -> dict[str, str]:
    """Return the authors' name of every weight, and ours.

    Their block B is our mix and our surjective block; a fold counts too.
    """
    names, block = {}, -1
    for i, stage in enumerate(spnn.stages):
        if not isinstance(stage, SurjectiveCoupling):
            block += 1
        for name, _ in stage.named_parameters():
            theirs = f"{PREFIX}.{block}.{_their_name(name)}"
            names[theirs] = f"stages.{i}.{name}"
    return names


def _their_name(ours: str) -> str:
    """``net.s.0.bias`` to ``s.net.0.bias``, ``r.0.0.bias`` likewise."""
    if ours in MIXES:
        return MIXES[ours]
    part, layer = ours.replace("net.", "").replace("r.0.", "r.").split(".", 1)
    return f"{part}.net.{layer}"


def build(sizes: Sizes, reflections: int | None = None) -> SPNN:
    """Stack folds, mixes and surjective blocks of these sizes."""
    generator = torch.Generator().manual_seed(0)
    stages: list[PseudoInvertible] = []
    shape = sizes.shape
    for widths in sizes.levels:
        stages.append(PixelUnshuffle(shape, 4))
        shape = stages[-1].out_shape
        nets = (partial(hourglass, widths, generator),) * 2
        stages += _block(shape, shape[0] // 4, nets, reflections, generator)
        shape = stages[-1].out_shape
    stages.append(PixelUnshuffle(shape, 4))
    for widths, kept in sizes.flat:
        shape = stages[-1].out_shape
        nets = (
            partial(pixelwise, widths, generator),
            partial(pixelwise, widths[::-1], generator),
        )
        stages += _block(shape, kept, nets, reflections, generator)
    return SPNN(*stages, Flatten(stages[-1].out_shape))


def _block(
    shape: Shape,
    kept: int,
    nets: tuple[Net, Net],
    reflections: int | None,
    generator: torch.Generator,
) -> list[PseudoInvertible]:
    """A mix and a surjective coupling with three networks."""
    net, back = nets
    lost = shape[0] - check_out_channels(shape, kept)
    pair = ScaleShift(net(lost, kept), net(lost, kept))
    r = nn.Sequential(back(kept, lost), nn.Tanh())
    mix = (
        CayleyMix(shape)
        if reflections is None
        else HouseholderMix(shape, reflections, generator=generator)
    )
    return [mix, SurjectiveCoupling(shape, kept, net=pair, r=r)]
