"""Trained pseudo-invertible networks that ship with the package."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import resources

from pinv_edu.bijections import CayleyMix
from pinv_edu.spnn.builders import spnn_classifier, spnn_surrogate
from pinv_edu.spnn.network import SPNN

WEIGHTS = "weights.safetensors"
FEWER = (32, 128, 512, 2048)  # pairs, of the surrogates that saw few
PARTS = ("couplings", "haar")  # of the surrogates without one of them


def _clothes() -> SPNN:
    return spnn_classifier((1, 28, 28), 10, couplings=2)


def _blind() -> SPNN:
    # With couplings, and no reconstruction to keep them in bounds, float32
    # no longer suffices for the laws.
    return spnn_classifier((1, 28, 28), 10)


def _emoji() -> SPNN:
    return spnn_classifier((3, 32, 32), 8, width=12, hidden=(128, 64))


def _camera() -> SPNN:
    return spnn_surrogate((1, 28, 28), (1, 14, 14))


def _no_couplings() -> SPNN:
    return spnn_surrogate((1, 28, 28), (1, 14, 14), couplings=0)


def _no_haar() -> SPNN:
    spnn = _camera()
    spnn.stages[1] = CayleyMix(spnn.stages[1].in_shape)
    return spnn


BUNDLED: dict[str, Callable[[], SPNN]] = {
    "fashion-classifier": _clothes,
    "fashion-classifier-no-reconstruction": _blind,
    "emoji-attributes": _emoji,
    "camera-surrogate": _camera,
    **{f"camera-surrogate-{pairs}": _camera for pairs in FEWER},
    "camera-surrogate-no-couplings": _no_couplings,
    "camera-surrogate-no-haar": _no_haar,
}


def load_spnn(name: str) -> SPNN:
    """Load a trained network that ships with the package.

    Parameters
    ----------
    name
        ``"fashion-classifier"``: pictures of Fashion-MNIST (1, 28, 28) to
        ten logits, by ``python -m pinv_edu.train_classifier``;
        ``"fashion-classifier-no-reconstruction"``: trained without the
        reconstruction loss, to see what it was for, and without bijective
        couplings, which that loss keeps well conditioned;
        ``"emoji-attributes"``: emoji (3, 32, 32) to logits of four groups
        and to four measures (:mod:`pinv_edu.emoji`), by the same command;
        ``"camera-surrogate"``: a model of :class:`~pinv_edu.BlackBoxCamera`
        learned from 20,000 pairs, by ``python -m pinv_edu.train_surrogate``,
        and ``"camera-surrogate-32"``, ``-128``, ``-512`` and ``-2048``,
        learned from so many; ``"camera-surrogate-no-couplings"`` and
        ``"-no-haar"``: from 20,000 pairs, without bijective couplings, and
        with a first rotation that starts at the identity.

    Returns
    -------
    SPNN
        Float32, in evaluation mode, its weights without gradients.

    Raises
    ------
    ValueError
        If the name is unknown or the file is damaged.
    """
    from safetensors.torch import load

    if name not in BUNDLED:
        raise ValueError(f"network {name!r} is not one of {tuple(BUNDLED)}")
    folder = resources.files("pinv_edu") / "data" / "spnn" / name
    content = (folder / WEIGHTS).read_bytes()
    wanted = (folder / "SHA256SUMS").read_text().split()[0]
    if hashlib.sha256(content).hexdigest() != wanted:
        raise ValueError(
            f"{WEIGHTS} of {name} is damaged (wrong SHA-256): reinstall "
            f"pinv-edu"
        )
    spnn = BUNDLED[name]()
    spnn.load_state_dict(load(content))
    return spnn.float().eval().requires_grad_(False)
