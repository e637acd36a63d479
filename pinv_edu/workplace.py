"""Where lesson 19 computes: at full size if it can, bundled if not.

Three environment variables, all optional:

``PINV_EDU_PRIOR``
    A folder in diffusers' layout, in place of the hub's model.
``PINV_EDU_SPNN``
    A file in the layout of the authors' ``spnn_celebahq_256.pth``.
``PINV_EDU_STEPS``
    Steps of a sampler, for a quick look on a slow machine.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinv_edu.emoji import GROUPS, MEASURES
from pinv_edu.hub import hub_answers
from pinv_edu.pictures import held_out, photograph
from pinv_edu.priors import Prior, load_prior
from pinv_edu.spnn import SPNN, load_official_spnn, load_spnn
from pinv_edu.spnn.celeba import ATTRIBUTES

FULL, BUNDLED = "celebahq-256", "emoji"
SPNN_HUB = ("yamitehr/SPNN", "spnn_celebahq_256.pth")

NO_GPU = (
    f"No GPU was found, so this page uses the bundled prior {BUNDLED!r} on "
    f"the CPU. For the full size, run it on a machine with a CUDA GPU (in "
    f"Colab: Runtime, Change runtime type)."
)
NO_MODEL = (
    f"A GPU was found, but the model {FULL!r} is neither stored nor within "
    f"reach, so this page uses the bundled prior {BUNDLED!r}. Connect to the "
    f"network, or set PINV_EDU_PRIOR to a folder that holds the model."
)
NO_SPNN = (
    f"The authors' network {SPNN_HUB[1]} is neither stored nor within reach, "
    f"so attributes are those of the bundled networks. Connect to the "
    f"network, or set PINV_EDU_SPNN to the file."
)


@dataclass(frozen=True)
class Workplace:
    """A prior, where and how to run it, and a sentence about both.

    ``full`` tells whether the prior is of full size (from the hub or from
    ``PINV_EDU_PRIOR``); ``dtype`` is the precision in which its network
    runs best here, ``steps`` a sensible number for a sampler.
    """

    prior: Prior
    device: torch.device
    dtype: torch.dtype
    steps: int
    full: bool
    notice: str

    def picture(self, n: int = 1) -> Tensor:
        r"""Pictures of the prior's size: the portrait, or the first emoji.

        Shape (n, \*prior.shape), float32, on the device.
        """
        if self.full:
            x = photograph("portrait", size=self.prior.shape[-1])
            return x.expand(n, -1, -1, -1).to(self.device)
        return held_out(BUNDLED, n).to(self.device)


@dataclass(frozen=True)
class Attributes:
    """A network from pictures to attributes, and the names of these."""

    place: Workplace
    network: SPNN
    names: Sequence[str]

    def number(self, name: str) -> int:
        """Position of an attribute in ``y``."""
        return list(self.names).index(name)


def half_precision(device: torch.device | str) -> torch.dtype:
    """Half precision that a device is good at; float32 on a CPU.

    bfloat16, with the range of float32, where the GPU computes it itself
    (compute capability 8 and above); float16 on older ones.
    """
    device = torch.device(device)
    if device.type != "cuda":
        return torch.float32
    modern = torch.cuda.get_device_capability(device)[0] >= 8
    return torch.bfloat16 if modern else torch.float16


def find_workplace(device: torch.device | str | None = None) -> Workplace:
    r"""Choose prior and device, and say what was chosen and why.

    In this order: the folder of ``PINV_EDU_PRIOR``, on whatever device
    there is; with a GPU, the hub's 256 x 256 faces; else the bundled
    prior. Without a GPU nothing is fetched.

    Parameters
    ----------
    device
        Default: the GPU if there is one, else the CPU.

    Raises
    ------
    ValueError
        If ``PINV_EDU_PRIOR`` holds no model or ``PINV_EDU_STEPS`` is no
        positive integer. What was asked for is never replaced in silence.
    """
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(device)
    if folder := os.environ.get("PINV_EDU_PRIOR"):
        words = f"The prior is that of PINV_EDU_PRIOR, on {device}."
        return _place(load_prior(folder, device), device, True, words)
    if device.type == "cpu":
        return _bundled(device, NO_GPU)
    try:
        prior = load_prior(FULL, device)
    except ValueError:
        return _bundled(device, NO_MODEL)
    return _place(prior, device, True, f"Full size: {FULL!r} on {device}.")


def find_attributes(place: Workplace) -> Attributes:
    """Find a network of attributes for the pictures of a workplace.

    At full size the authors' network with its forty attributes of a face,
    from ``PINV_EDU_SPNN`` or from the hub; else, or if there is none, the
    bundled one for emoji, at a workplace with the bundled prior.

    Raises
    ------
    ValueError, FileNotFoundError
        If ``PINV_EDU_SPNN`` is no such file.
    """
    if not place.full:
        return _bundled_attributes(place)
    try:
        file = os.environ.get("PINV_EDU_SPNN") or _fetch_spnn()
    except OSError:
        return _bundled_attributes(_bundled(place.device, NO_SPNN))
    network = load_official_spnn(file).requires_grad_(False).eval()
    return Attributes(place, network.to(place.device), ATTRIBUTES)


def _place(
    prior: Prior, device: torch.device, full: bool, notice: str
) -> Workplace:
    steps = _steps(100 if device.type == "cuda" else 20)
    half = half_precision(device)
    return Workplace(prior, device, half, steps, full, notice)


def _bundled(device: torch.device, notice: str) -> Workplace:
    return _place(load_prior(BUNDLED, device), device, False, notice)


def _bundled_attributes(place: Workplace) -> Attributes:
    network = load_spnn("emoji-attributes").to(place.device)
    return Attributes(place, network, (*GROUPS, *MEASURES))


def _fetch_spnn() -> str:
    """Path of the authors' file, fetched at first use."""
    from huggingface_hub import hf_hub_download

    return hf_hub_download(*SPNN_HUB, local_files_only=not hub_answers())


def _steps(default: int) -> int:
    given = os.environ.get("PINV_EDU_STEPS", str(default))
    if not given.isdigit() or int(given) < 1:
        raise ValueError(
            f"PINV_EDU_STEPS must be a positive integer, got {given!r}"
        )
    return int(given)
