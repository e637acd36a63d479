"""Rulers: for pictures in [-1, 1] and for clouds of points."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.base import PseudoInvertible

DATA_RANGE = 2.0
"""Pictures live in [-1, 1]."""


def psnr(x: Tensor, truth: Tensor, data_range: float = DATA_RANGE) -> Tensor:
    r"""Peak signal-to-noise ratio in dB, one number a picture.

    .. math::
        \mathrm{PSNR} = 10 \log_{10}
        \frac{\mathrm{range}^2}{\mathrm{mean}\,(x - x^*)^2} ;

    infinite where the pictures are equal. Pictures are centred on zero:
    ``x`` is first clamped to [-range/2, range/2], as it would be for
    display. Shapes (B, C, H, W).
    """
    _check_same(x, truth)
    half = data_range / 2
    error = (x.clamp(-half, half) - truth).flatten(1).square().mean(1)
    return 10 * torch.log10(data_range**2 / error)


def ssim(x: Tensor, truth: Tensor, data_range: float = DATA_RANGE) -> Tensor:
    """Structural similarity, one number a picture, at most 1.

    scikit-image's ``structural_similarity`` with its uniform 7 x 7 window;
    shapes (B, C, H, W), ``x`` clamped to [-range/2, range/2].

    Raises
    ------
    ImportError
        If scikit-image is not installed.
    """
    try:
        from skimage.metrics import structural_similarity
    except ImportError as error:
        raise ImportError(
            "ssim needs scikit-image: pip install 'pinv-edu[metrics]'"
        ) from error
    _check_same(x, truth)
    half = data_range / 2
    pairs = zip(x.clamp(-half, half).cpu().numpy(), truth.cpu().numpy())
    values = [
        structural_similarity(a, b, data_range=data_range, channel_axis=0)
        for a, b in pairs
    ]
    return torch.tensor(values, dtype=torch.float64)


def consistency(operator: PseudoInvertible, x: Tensor, y: Tensor) -> Tensor:
    r"""Relative residual :math:`\|g(x) - y\| / \|y\|`, one a picture.

    Zero where both are zero, infinite where only ``y`` is.
    """
    error = (operator(x) - y).flatten(1).norm(dim=1)
    relative = error / y.flatten(1).norm(dim=1)
    return torch.where(error == 0, 0.0, relative)


def sliced_wasserstein(
    a: Tensor,
    b: Tensor,
    directions: int = 200,
    generator: torch.Generator | None = None,
) -> float:
    r"""Sliced 2-Wasserstein distance of two clouds (n, d), same units.

    .. math::
        SW_2^2 = \operatorname{mean}_\theta
        W_2^2(\theta^\top a, \theta^\top b)

    over random unit directions; zero only for equal clouds. With unequal
    numbers of points the larger cloud is read at the quantiles of the
    smaller. Default directions are the same at every call.
    """
    flat = a.dim() == b.dim() == 2 and a.shape[1] == b.shape[1]
    if not flat or min(a.numel(), b.numel()) == 0:
        raise ValueError(
            f"give clouds (n, d) and (m, d), not empty, got "
            f"{tuple(a.shape)} and {tuple(b.shape)}"
        )
    if generator is None:
        generator = torch.Generator().manual_seed(0)
    theta = torch.randn(
        a.shape[1], directions, generator=generator, dtype=torch.float64
    )
    theta = theta / theta.norm(dim=0)
    n = min(len(a), len(b))
    levels = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    quantiles = [_quantiles(c.double().cpu() @ theta, levels) for c in (a, b)]
    return float((quantiles[0] - quantiles[1]).square().mean().sqrt())


def _quantiles(values: Tensor, levels: Tensor) -> Tensor:
    """Linear interpolation between midpoint order statistics, (n, k)."""
    ordered = values.sort(0).values
    m = len(ordered)
    at = (levels * m - 0.5).clamp(0, m - 1)
    low = at.floor().long()
    high = (low + 1).clamp(max=m - 1)
    share = (at - low)[:, None]
    return (1 - share) * ordered[low] + share * ordered[high]


def _check_same(x: Tensor, truth: Tensor) -> None:
    if x.shape != truth.shape or x.dim() < 2:
        raise ValueError(
            f"pictures must be batches of the same shape, got "
            f"{tuple(x.shape)} and {tuple(truth.shape)}"
        )
