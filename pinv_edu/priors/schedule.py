r"""The noise schedule: :math:`x_t = \sqrt{\bar\alpha_t}\,x_0 +
\sqrt{1 - \bar\alpha_t}\,\varepsilon`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from pinv_edu.checks import Shape


@runtime_checkable
class Prior(Protocol):
    r"""What a sampler needs to know of a prior.

    ``shape`` is the event shape, ``alphas_cumprod`` the tensor of
    :math:`\bar\alpha_t`, and ``predict_noise(x_t, t)`` estimates
    :math:`\varepsilon` in a batch ``x_t`` (B, \*shape) at the integer time
    ``t`` (a tensor without dimensions).
    """

    shape: Shape
    alphas_cumprod: Tensor

    def predict_noise(self, x_t: Tensor, t: Tensor | int) -> Tensor:
        r"""Estimate the noise :math:`\varepsilon_\theta(x_t, t)`."""


def linear_alphas_cumprod(
    times: int = 1000, first: float = 1e-4, last: float = 0.02
) -> Tensor:
    r""":math:`\bar\alpha_t = \prod_{s \le t} (1 - \beta_s)`, linear
    :math:`\beta`, float64.

    Source: Ho, Jain, Abbeel (2020), Section 4.
    """
    betas = torch.linspace(first, last, times, dtype=torch.float64)
    return torch.cumprod(1 - betas, 0)


def clean_estimate(x_t: Tensor, noise: Tensor, alpha: float) -> Tensor:
    r"""Tweedie's estimate :math:`x_{0|t} = (x_t - \sqrt{1 - \bar\alpha}\,
    \varepsilon) / \sqrt{\bar\alpha}`.
    """
    return (x_t - (1 - alpha) ** 0.5 * noise) / alpha**0.5


def add_noise(x_0: Tensor, noise: Tensor, alpha: float) -> Tensor:
    r"""Forward process: :math:`\sqrt{\bar\alpha}\,x_0 +
    \sqrt{1 - \bar\alpha}\,\varepsilon`.
    """
    return alpha**0.5 * x_0 + (1 - alpha) ** 0.5 * noise


def normal(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Standard normal numbers; the same on every device for one seed."""
    on_cpu = generator is None or generator.device.type == "cpu"
    place = "cpu" if on_cpu else like.device
    drawn = torch.randn(
        like.shape, generator=generator, dtype=like.dtype, device=place
    )
    return drawn.to(like.device)
