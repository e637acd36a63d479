"""Weights, their sum and a card: how a network ships with the package."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor, nn

from pinv_edu.base import PseudoInvertible
from pinv_edu.laws import check_operator
from pinv_edu.spnn.bundled import WEIGHTS

VERSIONS = ("pinv-edu", "torch", "numpy")


def save_weights(
    network: nn.Module, folder: Path, half: bool = False
) -> dict[str, object]:
    """Write weights and SHA256SUMS; return their ``size`` and ``digest``.

    Parameters
    ----------
    network
        Its state is written.
    folder
        It exists; a file of the same name is replaced.
    half
        Write half-precision numbers.
    """
    from safetensors.torch import save

    state = {
        name: (value.half() if half else value).contiguous()
        for name, value in network.state_dict().items()
    }
    content = save(state, {"format": "pt"})
    digest = hashlib.sha256(content).hexdigest()
    (folder / WEIGHTS).write_bytes(content)
    (folder / "SHA256SUMS").write_text(f"{digest}  {WEIGHTS}\n")
    return {"size": len(content), "digest": digest}


def law_residuals(g: PseudoInvertible, x: Tensor) -> dict[str, float]:
    """Largest residual of any law in ``single`` and ``double`` precision."""
    kinds = {"single": torch.float32, "double": torch.float64}
    return {
        name: max(check_operator(g, x.to(kind)).values())
        for name, kind in kinds.items()
    }


def versions() -> str:
    """Return the versions that bear on the weights."""
    found = [f"{name} {metadata.version(name)}" for name in VERSIONS]
    return ", ".join([f"Python {platform.python_version()}", *found])
