"""Responses of spectral filters: multipliers for singular values."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Response = Callable[[Tensor], Tensor]
"""Maps a tensor of singular values (0 included) to multipliers."""


def respond(response: Response, values: Tensor) -> Tensor:
    """Multipliers of a spectral filter, checked for shape."""
    given = torch.as_tensor(response(values), device=values.device)
    if given.shape not in (values.shape, torch.Size([])):
        raise ValueError(
            f"response must map singular values to multipliers of the same "
            f"shape {tuple(values.shape)}, it gave {tuple(given.shape)}"
        )
    return given.to(torch.float64).expand(values.shape)


def respond_with_zero(
    response: Response, values: Tensor
) -> tuple[Tensor, Tensor]:
    r"""Multiplier at :math:`\sigma = 0`, and those at ``values``."""
    all_values = torch.cat([values.new_zeros(1), values.flatten()])
    given = respond(response, all_values)
    return given[0], given[1:].reshape(values.shape)
