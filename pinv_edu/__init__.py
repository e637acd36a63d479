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
from pinv_edu.priors import (
    DiffusersPrior,
    GaussianMixturePrior,
    Prior,
    load_prior,
)
from pinv_edu.sampling import (
    ddnm,
    ddrm,
    dps,
    gradient_project,
    pigdm,
    sample,
    travel_schedule,
)
from pinv_edu.widgets import explore

__version__ = "0.1.0"

__all__ = [
    "AveragePool",
    "BicubicDownsample",
    "BlockSensing",
    "Blur",
    "Chain",
    "ClaimError",
    "DiffusersPrior",
    "GaussianMixturePrior",
    "Grayscale",
    "Identity",
    "Inpainting",
    "LawError",
    "LinearComposition",
    "LinearOperator",
    "MatrixOperator",
    "Prior",
    "PseudoInvertible",
    "SeparableBlur",
    "WalshHadamard",
    "box_kernel",
    "check",
    "check_operator",
    "claim",
    "ddnm",
    "ddrm",
    "dps",
    "explore",
    "gaussian_kernel",
    "gradient_project",
    "load_prior",
    "penrose_residuals",
    "photograph",
    "pigdm",
    "range_null",
    "sample",
    "show",
    "travel_schedule",
]
