"""Weights in files: whole or not at all, and checked before they are used."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pinv_edu.spnn.settings import Settings

if TYPE_CHECKING:
    from pinv_edu.spnn.run import Run

DAMAGED = RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError


def write_checkpoint(
    path: str | Path | None, plans: Sequence[Settings], index: int, run: Run
) -> None:
    """Write all from which phase ``index`` of the plan can go on."""
    if path is None:
        return
    state = {
        "settings": [settings.fixed() for settings in plans],
        "index": index,
        "history": [dict(row) for row in run.history],
        "run": run.state(),
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    part = Path(f"{path}.part")
    with part.open("wb") as file:
        torch.save(state, file)
        os.fsync(file.fileno())
    part.replace(path)


def read_checkpoint(
    path: str | Path | None, plans: Sequence[Settings], g: nn.Module
) -> dict[str, Any] | None:
    """Return the stored state, or None if there is no file.

    Raises
    ------
    ValueError
        If the file is damaged, of other settings or of another network.
    """
    if path is None or not Path(path).is_file():
        return None
    state = read_tensors(path)
    mend = "give another checkpoint file to begin anew"
    if "settings" not in state:
        raise ValueError(f"{path} is no checkpoint of train_spnn: {mend}")
    now = [settings.fixed() for settings in plans]
    if state["settings"] != now:
        changed = _changed(state["settings"], now)
        raise ValueError(
            f"{path} was begun with other settings: {changed}; "
            f"give the same ones to go on, or {mend}"
        )
    check_weights(state["run"]["model"], g.state_dict(), f"{path}: {mend}")
    return state


def _changed(was: list[dict[str, Any]], now: list[dict[str, Any]]) -> str:
    """Say which settings differ, of the first phase where some do."""
    if len(was) != len(now):
        return f"{len(was)} phase(s), now {len(now)}"
    return ", ".join(
        f"{key}={old.get(key)} (now {value})"
        for old, new in zip(was, now)
        for key, value in new.items()
        if old.get(key) != value
    )


def read_tensors(path: str | Path) -> dict[str, Any]:
    """Read a file of torch (tensors and numbers only) or of safetensors.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged or would run code.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        if Path(path).suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except DAMAGED as error:
        raise ValueError(
            f"{path} is not a file of weights ({str(error)[:80]}): fetch or "
            f"write it again"
        ) from error
    if not isinstance(state, dict):
        raise ValueError(
            f"{path} holds a {type(state).__name__}, expected a dict of "
            f"tensors (a state_dict)"
        )
    return state


def check_weights(
    given: Mapping[str, Any], wanted: Mapping[str, Tensor], mend: str
) -> None:
    """Raise ``ValueError`` unless names and shapes are the wanted ones."""
    shapes = [
        f"{name} is {_shape(given[name])}, expected {_shape(tensor)}"
        for name, tensor in wanted.items()
        if name in given and _shape(given[name]) != _shape(tensor)
    ]
    faults = [
        *_listed("missing", [n for n in wanted if n not in given]),
        *_listed("not expected", [n for n in given if n not in wanted]),
        *_listed("of wrong shape", shapes),
    ]
    if faults:
        raise ValueError(f"weights do not fit: {'; '.join(faults)}. {mend}")


def _shape(tensor: Any) -> tuple[int, ...] | str:
    if isinstance(tensor, Tensor):
        return tuple(tensor.shape)
    return type(tensor).__name__


def _listed(fault: str, names: Sequence[str]) -> list[str]:
    """Count and the first three, so that the message can be read."""
    if not names:
        return []
    more = ", ..." if len(names) > 3 else ""
    return [f"{len(names)} {fault} ({', '.join(names[:3])}{more})"]
