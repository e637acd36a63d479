"""Pseudo-inverses, from A+ to pseudo-invertible neural networks."""

from pinv_edu.base import Chain, PseudoInvertible
from pinv_edu.claims import ClaimError, claim
from pinv_edu.exercises import check
from pinv_edu.figures import show
from pinv_edu.laws import (
    LawError,
    check_operator,
    penrose_residuals,
    range_null,
)
from pinv_edu.linear import (
    AveragePool,
    BicubicDownsample,
    BlockSensing,
    Blur,
    Grayscale,
    Identity,
    Inpainting,
    LinearComposition,
    LinearOperator,
    MatrixOperator,
    SeparableBlur,
    WalshHadamard,
    box_kernel,
    gaussian_kernel,
)
from pinv_edu.pictures import photograph
from pinv_edu.widgets import explore

__version__ = "0.1.0"

__all__ = [
    "AveragePool",
    "BicubicDownsample",
    "BlockSensing",
    "Blur",
    "Chain",
    "ClaimError",
    "Grayscale",
    "Identity",
    "Inpainting",
    "LawError",
    "LinearComposition",
    "LinearOperator",
    "MatrixOperator",
    "PseudoInvertible",
    "SeparableBlur",
    "WalshHadamard",
    "box_kernel",
    "check",
    "check_operator",
    "claim",
    "explore",
    "gaussian_kernel",
    "penrose_residuals",
    "photograph",
    "range_null",
    "show",
]
