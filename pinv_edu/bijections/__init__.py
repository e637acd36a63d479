"""Bijections: what the non-linear operators are made of."""

from pinv_edu.bijections.base import Bijection
from pinv_edu.bijections.coupling import ActNorm, AffineCoupling
from pinv_edu.bijections.curves import (
    Curve,
    Gamma,
    LogExposure,
    SensorResponse,
)
from pinv_edu.bijections.mixing import ColorMix, PixelUnshuffle, mix_channels
from pinv_edu.bijections.networks import evaluate, small_net
from pinv_edu.bijections.orthogonal import (
    CayleyMix,
    HouseholderMix,
    OrthogonalMix,
)

__all__ = [
    "ActNorm",
    "AffineCoupling",
    "Bijection",
    "CayleyMix",
    "ColorMix",
    "Curve",
    "Gamma",
    "HouseholderMix",
    "LogExposure",
    "OrthogonalMix",
    "PixelUnshuffle",
    "SensorResponse",
    "evaluate",
    "mix_channels",
    "small_net",
]
