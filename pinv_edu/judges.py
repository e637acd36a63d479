"""Plain networks that judge what an inverted one has made.

A judge has another architecture than the network it judges, other first
weights, and no inverse: nobody has projected onto its logits. It has seen
the same training pictures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from importlib.abc import Traversable

WEIGHTS = "weights.safetensors"
MEANS = "mean_logits.txt"
JUDGES = {  # network: picture shape and number of classes
    "fashion-classifier": ((1, 28, 28), 10),
    "emoji-attributes": ((3, 32, 32), 4),
}
TARGETS = (*JUDGES, "fashion-classifier-no-reconstruction")


def plain_network(shape: Sequence[int], classes: int) -> nn.Sequential:
    """Two pairs of convolutions and two full layers."""
    channels, height, width = shape
    widths = ((channels, 24), (24, 24), (24, 48), (48, 48))
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(widths):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.SiLU()]
        layers += [nn.MaxPool2d(2)] if i % 2 else []
    flat = 48 * (height // 4) * (width // 4)
    layers += [nn.Flatten(), nn.Linear(flat, 64), nn.SiLU()]
    return nn.Sequential(*layers, nn.Dropout(0.3), nn.Linear(64, classes))


def load_judge(name: str) -> nn.Sequential:
    """Load the plain network that ships beside a pseudo-invertible one.

    Parameters
    ----------
    name
        ``"fashion-classifier"``: (B, 1, 28, 28) to logits of ten classes;
        ``"emoji-attributes"``: (B, 3, 32, 32) to logits of the four groups
        of :data:`pinv_edu.emoji.GROUPS`.

    Returns
    -------
    torch.nn.Sequential
        Float32, in evaluation mode, its weights without gradients.

    Raises
    ------
    ValueError
        If the name is unknown or the file is damaged.
    """
    from safetensors.torch import load

    if name not in JUDGES:
        raise ValueError(f"judge {name!r} is not one of {tuple(JUDGES)}")
    folder = _folder(name) / "judge"
    content = (folder / WEIGHTS).read_bytes()
    wanted = (folder / "SHA256SUMS").read_text().split()[0]
    if hashlib.sha256(content).hexdigest() != wanted:
        raise ValueError(
            f"{WEIGHTS} of the judge of {name} is damaged (wrong SHA-256): "
            f"reinstall pinv-edu"
        )
    judge = plain_network(*JUDGES[name])
    judge.load_state_dict(load(content))
    return judge.float().eval().requires_grad_(False)


def mean_logits(name: str, dtype: torch.dtype = torch.float32) -> Tensor:
    r"""Return what a bundled network says of a class, on average.

    .. math::
        \bar y_k = \frac{1}{|S_k|} \sum_{x \in S_k} g(x),

    :math:`S_k` the training pictures of class k that the network puts
    there. Made by ``python -m pinv_edu.train_classifier``.

    Parameters
    ----------
    name
        ``"fashion-classifier"``, ``"fashion-classifier-no-reconstruction"``
        or ``"emoji-attributes"``.
    dtype
        float32 or float64.

    Returns
    -------
    Tensor
        One row for each class.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if name not in TARGETS:
        raise ValueError(f"network {name!r} is not one of {TARGETS}")
    with (_folder(name) / MEANS).open(encoding="utf-8") as file:
        return torch.from_numpy(np.loadtxt(file)).to(dtype)


def _folder(name: str) -> Traversable:
    return resources.files("pinv_edu") / "data" / "spnn" / name
