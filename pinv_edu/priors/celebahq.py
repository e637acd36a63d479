"""The architecture of the hub's face model, for counting without weights."""

from __future__ import annotations

from torch import nn

from pinv_edu.priors.network import unet_class


def celebahq_unet() -> nn.Module:
    r"""Build the U-Net of ``google/ddpm-celebahq-256``, untrained.

    113,673,219 weights, 0.45 GB in float32. Under ``torch.device("meta")``
    it takes no memory, and its memory and arithmetic can be counted all the
    same.

    Source: ``config.json`` of that model; Ho, Jain, Abbeel (2020),
    Appendix B.
    """
    down, up = ("DownBlock2D",), ("UpBlock2D",)
    return unet_class()(
        sample_size=256,
        block_out_channels=(128, 128, 256, 256, 512, 512),
        down_block_types=(*down * 4, "AttnDownBlock2D", *down),
        up_block_types=(*up, "AttnUpBlock2D", *up * 4),
        layers_per_block=2,
        attention_head_dim=None,
        downsample_padding=0,
        flip_sin_to_cos=False,
        freq_shift=1,
        norm_eps=1e-6,
    )
