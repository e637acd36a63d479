"""SPNN: pseudo-invertible networks, their training and the published one."""

from pinv_edu.spnn.builders import spnn_classifier, spnn_surrogate
from pinv_edu.spnn.bundled import load_spnn
from pinv_edu.spnn.celebahq import load_official_spnn, spnn_celebahq256
from pinv_edu.spnn.coupling import SurjectiveCoupling
from pinv_edu.spnn.history import History
from pinv_edu.spnn.network import SPNN, Flatten
from pinv_edu.spnn.pointwise import AsinhResponse, PixelGain, position_net
from pinv_edu.spnn.training import train_spnn

__all__ = [
    "SPNN",
    "AsinhResponse",
    "Flatten",
    "History",
    "PixelGain",
    "SurjectiveCoupling",
    "load_official_spnn",
    "load_spnn",
    "position_net",
    "spnn_celebahq256",
    "spnn_classifier",
    "spnn_surrogate",
    "train_spnn",
]
