"""Priors that are trained networks: bundled ones, hub models, your own."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pinv_edu.checks import Shape
from pinv_edu.hub import hub_answers
from pinv_edu.priors.schedule import linear_alphas_cumprod

BUNDLED = ("fashion-mnist", "emoji")
HUB = {"celebahq-256": "google/ddpm-celebahq-256"}


class DiffusersPrior:
    r"""A noise-predicting network as a prior.

    Parameters
    ----------
    unet
        A diffusers ``UNet2DModel``, or any module called as
        ``unet(x, t)`` that returns the noise, as a tensor or in
        ``.sample``. Of twice as many output channels as input channels
        (learned variances) the first half is the noise.
    alphas_cumprod
        Noise schedule; default linear with 1,000 steps.
    shape
        Event shape (C, H, W); default from ``unet.config``.

    Raises
    ------
    ValueError
        If the shape is not given and not in ``unet.config``.
    """

    def __init__(
        self,
        unet: nn.Module,
        alphas_cumprod: Tensor | None = None,
        shape: Shape | None = None,
    ) -> None:
        self.unet = unet.eval().requires_grad_(False)
        if alphas_cumprod is None:
            alphas_cumprod = linear_alphas_cumprod()
        self.alphas_cumprod = alphas_cumprod.detach().double().cpu()
        self.shape = shape or _shape_of(unet)

    def predict_noise(self, x_t: Tensor, t: Tensor | int) -> Tensor:
        r"""Return :math:`\varepsilon_\theta(x_t, t)`, shaped like x_t."""
        weight = next(iter(self.unet.parameters()), x_t)
        times = torch.full((len(x_t),), int(t), device=x_t.device)
        out = self.unet(x_t.to(weight.dtype), times)
        noise = out if isinstance(out, Tensor) else out.sample
        channels = x_t.shape[1]
        if noise.shape[1] not in (channels, 2 * channels):
            raise ValueError(
                f"the network returns {noise.shape[1]} channels for "
                f"{channels}: expected {channels}, or {2 * channels} with "
                f"learned variances"
            )
        return noise[:, :channels].to(x_t.dtype)

    def to(self, device: torch.device | str) -> DiffusersPrior:
        """Return the same prior on another device."""
        moved = self.unet.to(device)
        return DiffusersPrior(moved, self.alphas_cumprod, self.shape)


def _shape_of(unet: nn.Module) -> Shape:
    config: Any = getattr(unet, "config", None)
    if config is None or not getattr(config, "sample_size", None):
        raise ValueError(
            "the network does not say its picture size: give "
            "shape=(channels, height, width)"
        )
    side = config.sample_size
    height, width = side if isinstance(side, tuple | list) else (side, side)
    return (config.in_channels, height, width)


def load_prior(
    name: str | Path, device: torch.device | str = "cpu"
) -> DiffusersPrior:
    """Load a trained prior.

    Parameters
    ----------
    name
        ``"fashion-mnist"`` (1, 28, 28) or ``"emoji"`` (3, 32, 32), which
        ship with the package and need no network; ``"celebahq-256"``
        (3, 256, 256), fetched from the Hugging Face hub at first use; or
        the path of a folder in diffusers' layout.
    device
        Where to put the weights.

    Raises
    ------
    ValueError
        If the name is unknown, a file is damaged, a network predicts
        something other than noise, or a hub model is neither stored nor
        within reach.
    ImportError
        If diffusers is not installed.
    """
    if str(name) in BUNDLED:
        folder = resources.files("pinv_edu") / "data" / "priors" / str(name)
        with resources.as_file(folder) as path:
            return _from_folder(path, checked=True).to(device)
    if str(name) in HUB:
        return _from_hub(HUB[str(name)]).to(device)
    if (Path(name) / "config.json").is_file():
        return _from_folder(Path(name)).to(device)
    known = ", ".join(repr(n) for n in (*BUNDLED, *HUB))
    raise ValueError(
        f"there is no prior {str(name)!r}: give {known}, or the path of a "
        f"folder with config.json and diffusion_pytorch_model.safetensors"
    )


def unet_class() -> Any:
    """Return diffusers' ``UNet2DModel``, or say how to install it."""
    try:
        from diffusers import UNet2DModel
    except ImportError as error:
        raise ImportError(
            "trained priors need diffusers: pip install 'pinv-edu[diffusion]'"
        ) from error
    return UNet2DModel


def _from_folder(folder: Path, checked: bool = False) -> DiffusersPrior:
    from safetensors.torch import load_file

    file = folder / "diffusion_pytorch_model.safetensors"
    if checked:
        _check_sum(file)
    config = json.loads((folder / "config.json").read_text())
    unet = unet_class().from_config(config)
    weights = load_file(file)
    unet.load_state_dict({k: v.float() for k, v in weights.items()})
    return DiffusersPrior(unet.float(), _alphas_of(folder))


def _alphas_of(folder: Path) -> Tensor | None:
    """Schedule beside the network, if there is one; else the default."""
    for place in (folder, folder.parent / "scheduler"):
        file = place / "scheduler_config.json"
        if file.is_file():
            from diffusers import DDPMScheduler

            config = json.loads(file.read_text())
            return _alphas_from(DDPMScheduler.from_config(config))
    return None


def _alphas_from(scheduler: Any) -> Tensor:
    """Schedule of a network that predicts noise; others are refused."""
    kind = scheduler.config.prediction_type
    if kind != "epsilon":
        raise ValueError(
            f"the network predicts {kind!r}, expected 'epsilon' (noise): "
            f"wrap it so that it returns the noise and give DiffusersPrior"
        )
    return scheduler.alphas_cumprod


def _check_sum(file: Path) -> None:
    """Compare with the sum stored beside the file."""
    wanted = (file.parent / "SHA256SUMS").read_text().split()[0]
    if hashlib.sha256(file.read_bytes()).hexdigest() != wanted:
        raise ValueError(
            f"{file.name} is damaged (wrong SHA-256): reinstall pinv-edu"
        )


def _from_hub(repository: str) -> DiffusersPrior:
    try:
        from diffusers import DDPMScheduler

        stored = {"local_files_only": not hub_answers()}
        unet = unet_class().from_pretrained(
            repository, low_cpu_mem_usage=False, **stored
        )
        scheduler = DDPMScheduler.from_pretrained(repository, **stored)
    except OSError as error:
        raise ValueError(
            f"{repository} is not stored on this machine and could not be "
            f"fetched ({error}): connect to the network once, or use a "
            f"bundled prior: {', '.join(BUNDLED)}"
        ) from error
    return DiffusersPrior(unet, _alphas_from(scheduler))
