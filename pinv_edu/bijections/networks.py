"""The small networks inside couplings, and how they keep a type."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pinv_edu.bijections.base import check_channels, check_count


def small_net(
    in_shape: Sequence[int],
    out_channels: int,
    hidden: int = 32,
    generator: torch.Generator | None = None,
) -> nn.Sequential:
    r"""Three layers with SiLU between them; the last one starts at zero.

    For pictures (C, H, W) 3 x 3 convolutions that keep H and W, for
    vectors (n,) dense layers. The other layers start uniformly in
    :math:`\pm 1/\sqrt{\text{fan-in}}`.

    Parameters
    ----------
    in_shape
        Event shape of the input.
    out_channels
        Channels (or entries) of the output.
    hidden
        Channels (or entries) of the two inner layers.
    generator
        For the initial weights; the default draws from seed 0.

    Raises
    ------
    ValueError
        If a number is not positive or ``in_shape`` has two dimensions.
    """
    shape = check_channels(in_shape)
    check_count(out_channels, "out_channels")
    check_count(hidden, "hidden")
    if generator is None:
        generator = torch.Generator().manual_seed(0)
    picture = len(shape) == 3
    first, second, last = (
        _layer(picture, n, m, generator)
        for n, m in itertools.pairwise(
            (shape[0], hidden, hidden, out_channels)
        )
    )
    for parameter in last.parameters():
        nn.init.zeros_(parameter)
    return nn.Sequential(first, nn.SiLU(), second, nn.SiLU(), last)


def _layer(
    picture: bool, n: int, m: int, generator: torch.Generator
) -> nn.Module:
    # skip_init: the usual initial weights would move torch's global seed.
    device = generator.device
    if picture:
        layer = nn.utils.skip_init(
            nn.Conv2d, n, m, 3, padding=1, device=device
        )
    else:
        layer = nn.utils.skip_init(nn.Linear, n, m, device=device)
    bound = layer.weight[0].numel() ** -0.5
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
    return layer


def evaluate(net: nn.Module, x: Tensor) -> Tensor:
    """``net(x)`` in the type of ``x``: the weights are cast to it.

    The network itself is not changed.
    """
    weights = dict(
        itertools.chain(net.named_parameters(), net.named_buffers())
    )
    cast = {
        name: weight.to(x.dtype)
        for name, weight in weights.items()
        if weight.is_floating_point() and weight.dtype != x.dtype
    }
    if not cast:
        return net(x)
    return torch.func.functional_call(net, cast, (x,))
