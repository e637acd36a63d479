"""Pseudo-inverses, from A+ to pseudo-invertible neural networks."""

from pinv_edu.alternating import AlternatingProjections
from pinv_edu.base import PseudoInvertible
from pinv_edu.bijections import (
    ActNorm,
    AffineCoupling,
    Bijection,
    CayleyMix,
    ColorMix,
    Gamma,
    HouseholderMix,
    LogExposure,
    PixelUnshuffle,
    SensorResponse,
)
from pinv_edu.cameras import BlackBoxCamera
from pinv_edu.chain import Chain
from pinv_edu.claims import ClaimError, claim
from pinv_edu.emoji import emoji_measures
from pinv_edu.exercises import check
from pinv_edu.figures import show
from pinv_edu.gauss_newton import GaussNewtonStep
from pinv_edu.grabbing import grab
from pinv_edu.judges import load_judge, mean_logits
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
    LinearStack,
    MatrixOperator,
    SeparableBlur,
    WalshHadamard,
    box_kernel,
    gaussian_kernel,
)
from pinv_edu.pictures import held_out, held_out_labels, photograph
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
    over_relaxed,
    pigdm,
    sample,
    travel_schedule,
)
from pinv_edu.spnn import (
    SPNN,
    Flatten,
    History,
    SurjectiveCoupling,
    load_official_spnn,
    load_spnn,
    spnn_celebahq256,
    spnn_classifier,
    spnn_surrogate,
    train_spnn,
)
from pinv_edu.widgets import explore

__version__ = "0.1.0"

__all__ = [
    "SPNN",
    "ActNorm",
    "AffineCoupling",
    "AlternatingProjections",
    "AveragePool",
    "BicubicDownsample",
    "Bijection",
    "BlackBoxCamera",
    "BlockSensing",
    "Blur",
    "CayleyMix",
    "Chain",
    "ClaimError",
    "ColorMix",
    "DiffusersPrior",
    "Flatten",
    "Gamma",
    "GaussNewtonStep",
    "GaussianMixturePrior",
    "Grayscale",
    "History",
    "HouseholderMix",
    "Identity",
    "Inpainting",
    "LawError",
    "LinearComposition",
    "LinearOperator",
    "LinearStack",
    "LogExposure",
    "MatrixOperator",
    "PixelUnshuffle",
    "Prior",
    "PseudoInvertible",
    "SensorResponse",
    "SeparableBlur",
    "SurjectiveCoupling",
    "WalshHadamard",
    "box_kernel",
    "check",
    "check_operator",
    "claim",
    "ddnm",
    "ddrm",
    "dps",
    "emoji_measures",
    "explore",
    "gaussian_kernel",
    "grab",
    "gradient_project",
    "held_out",
    "held_out_labels",
    "load_judge",
    "load_official_spnn",
    "load_prior",
    "load_spnn",
    "mean_logits",
    "over_relaxed",
    "penrose_residuals",
    "photograph",
    "pigdm",
    "range_null",
    "sample",
    "show",
    "spnn_celebahq256",
    "spnn_classifier",
    "spnn_surrogate",
    "train_spnn",
    "travel_schedule",
]
