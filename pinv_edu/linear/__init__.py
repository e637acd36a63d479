"""Linear operators for vectors and pictures, each in its fast basis."""

from pinv_edu.linear.blur import Blur
from pinv_edu.linear.composition import LinearComposition
from pinv_edu.linear.dense import MatrixOperator
from pinv_edu.linear.isometry import (
    AveragePool,
    Grayscale,
    Identity,
    Inpainting,
    ScaledIsometry,
)
from pinv_edu.linear.operator import LinearOperator
from pinv_edu.linear.sensing import BlockSensing, WalshHadamard
from pinv_edu.linear.separable import (
    BicubicDownsample,
    SeparableBlur,
    SeparableOperator,
    box_kernel,
    gaussian_kernel,
)
from pinv_edu.linear.stack import LinearStack

__all__ = [
    "AveragePool",
    "BicubicDownsample",
    "BlockSensing",
    "Blur",
    "Grayscale",
    "Identity",
    "Inpainting",
    "LinearComposition",
    "LinearOperator",
    "LinearStack",
    "MatrixOperator",
    "ScaledIsometry",
    "SeparableBlur",
    "SeparableOperator",
    "WalshHadamard",
    "box_kernel",
    "gaussian_kernel",
]
