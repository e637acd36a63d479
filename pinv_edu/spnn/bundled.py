"""Trained pseudo-invertible networks that ship with the package."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import resources

from pinv_edu.spnn.builders import spnn_classifier
from pinv_edu.spnn.network import SPNN

WEIGHTS = "weights.safetensors"
BUNDLED: dict[str, Callable[[], SPNN]] = {
    "fashion-classifier": lambda: spnn_classifier((1, 28, 28), 10),
}


def load_spnn(name: str) -> SPNN:
    """Load a trained network that ships with the package.

    Parameters
    ----------
    name
        ``"fashion-classifier"``: pictures of Fashion-MNIST (1, 28, 28) to
        ten logits, by ``python -m pinv_edu.train_classifier``.

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
