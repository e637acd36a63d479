"""Priors: what a sampler knows about pictures before it measures."""

from pinv_edu.priors.celebahq import celebahq_unet
from pinv_edu.priors.mixture import GaussianMixturePrior
from pinv_edu.priors.network import DiffusersPrior, load_prior
from pinv_edu.priors.schedule import (
    Prior,
    add_noise,
    clean_estimate,
    linear_alphas_cumprod,
)
from pinv_edu.priors.thrifty import ThriftyPrior

__all__ = [
    "DiffusersPrior",
    "GaussianMixturePrior",
    "Prior",
    "ThriftyPrior",
    "add_noise",
    "celebahq_unet",
    "clean_estimate",
    "linear_alphas_cumprod",
    "load_prior",
]
