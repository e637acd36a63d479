"""The network that ``train_prior`` trains: a small diffusers U-Net."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pinv_edu.training.recipe import Recipe


def build_unet(
    shape: tuple[int, int, int], widths: Sequence[int] = (32, 64, 128)
) -> nn.Module:
    """Return the untrained U-Net of the bundled priors."""
    from diffusers import UNet2DModel

    return UNet2DModel(
        sample_size=shape[1],
        in_channels=shape[0],
        out_channels=shape[0],
        layers_per_block=1,
        norm_num_groups=8,
        block_out_channels=tuple(widths),
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        attention_head_dim=widths[0],
    )


def first_unet(recipe: Recipe, shape: tuple[int, int, int]) -> nn.Module:
    """Return the U-Net to start from: that of ``--init``, or a new one."""
    if recipe.init is None:
        torch.manual_seed(recipe.seed)
        return build_unet(shape)
    if not (recipe.init / "config.json").is_file():
        raise FileNotFoundError(
            f"--init {recipe.init} holds no config.json: give a folder that "
            f"diffusers' UNet2DModel.save_pretrained has written"
        )
    from diffusers import UNet2DModel

    unet = UNet2DModel.from_pretrained(recipe.init).float()
    config = unet.config
    if (config.in_channels, config.sample_size) != (shape[0], shape[1]):
        raise ValueError(
            f"--init {recipe.init} is for pictures of {config.in_channels} "
            f"channels and size {config.sample_size}; {recipe.name} has "
            f"{shape[0]} and {shape[1]}"
        )
    return unet


def attend_in_float32(unet: nn.Module) -> None:
    """Keep attention out of autocast: on CPUs it is slower in bfloat16."""
    from diffusers.models.attention_processor import AttnProcessor2_0

    class Float32Attention(AttnProcessor2_0):
        def __call__(
            self,
            attn: Any,
            hidden_states: Tensor,
            encoder_hidden_states: Tensor | None = None,
            attention_mask: Tensor | None = None,
            temb: Tensor | None = None,
        ) -> Tensor:
            with torch.autocast("cpu", enabled=False):
                return super().__call__(attn, hidden_states.float(), temb=temb)

    for module in unet.modules():
        if hasattr(module, "set_processor"):
            module.set_processor(Float32Attention())
