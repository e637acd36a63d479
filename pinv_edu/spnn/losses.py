r"""What the two phases of training minimise."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from pinv_edu.base import PseudoInvertible
from pinv_edu.codes import Code, leaves
from pinv_edu.spnn.network import pinv_with_code
from pinv_edu.spnn.settings import Settings

Task = Callable[[Tensor, Tensor], Tensor]
Parts = dict[str, Tensor]

TASKS: dict[str, Task] = {
    "cross-entropy": F.cross_entropy,
    "binary-cross-entropy": F.binary_cross_entropy_with_logits,
    "mse": F.mse_loss,
}


def task_name(task: str | Task | None) -> str:
    """Name by which a checkpoint knows the task."""
    if task is None or isinstance(task, str):
        return task or "by the type of y"
    return getattr(task, "__name__", type(task).__name__)


def task_loss(task: str | Task | None, y: Tensor) -> Task:
    """Return the loss of that name, or the one that fits the type of ``y``.

    Raises
    ------
    ValueError, TypeError
        If the name is unknown, or ``task`` is neither name nor function.
    """
    if task is None:
        return TASKS["mse" if y.is_floating_point() else "cross-entropy"]
    if callable(task):
        return task
    if not isinstance(task, str):
        raise TypeError(
            f"task must be a name or a function (g(x), y) -> loss, got "
            f"{type(task).__name__}"
        )
    if task not in TASKS:
        raise ValueError(
            f"unknown task {task!r}: use one of {sorted(TASKS)}, or give a "
            f"function (g(x), y) -> loss"
        )
    return TASKS[task]


class Objective:
    """What one phase minimises, and its parts.

    Parameters
    ----------
    g
        The network.
    settings
        Phase, weights and share.
    task
        Name, function or None, as :func:`task_loss` takes it.
    """

    def __init__(
        self,
        g: PseudoInvertible,
        settings: Settings,
        task: str | Task | None,
    ) -> None:
        self.g, self.task, self.settings = g, task, settings
        self.weights = {k: w for k, w in settings.weights().items() if w}
        if settings.phase == 2:
            self.origin = code_of_zero(g)

    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, Parts]:
        """Return the weighted sum and the parts, all differentiable."""
        parts = self.one(x, y) if self.settings.phase == 1 else self.two(x)
        return sum(self.weights[k] * v for k, v in parts.items()), parts

    def one(self, x: Tensor, y: Tensor) -> Parts:
        r"""Phase 1: the task, and how well :math:`g^\dagger` brings x back.

        .. math::
            \text{task}(g(x), y), \qquad
            \text{reconstruction} = \overline{|g^\dagger(g(x)) - x|^2},
            \qquad \text{inverse} = \overline{|g^\dagger(y) - x|^2}, \qquad
            \text{swap} = \overline{\log(1 + \overline{
            \max(|x'| - 1, 0)^2})} .

        The last is for pictures in [-1, 1]: :math:`x'` is ``x``,
        back-projected onto what ``g`` says of another picture of the batch.
        Parts of weight zero are not computed. The bars are means over all
        entries of the first ``share`` of the batch.
        """
        few = slice(math.ceil(self.settings.share * len(x)))
        parts, seen = {}, self.g(x)
        if "task" in self.weights:
            parts["task"] = task_loss(self.task, y)(seen, y)
        if "reconstruction" in self.weights:
            parts["reconstruction"] = self._miss(seen[few], x[few])
        if "inverse" in self.weights:
            check_measurement(self.g, y)
            parts["inverse"] = self._miss(y[few], x[few])
        if "swap" in self.weights:
            parts["swap"] = self._outside(x[few], seen.roll(1, 0)[few])
        return parts

    def _outside(self, x: Tensor, y: Tensor) -> Tensor:
        # What others say is a target here, not a thing to learn.
        moved = self.g.project(x, y.detach())
        far = (moved.abs() - 1).clamp(min=0).square().flatten(1).mean(1)
        return far.log1p().mean()

    def _miss(self, y: Tensor, x: Tensor) -> Tensor:
        return F.mse_loss(self.g.pinv(y), x)

    def two(self, x: Tensor) -> Parts:
        r"""Phase 2: two demands on the code, both per entry of ``x``.

        .. math::
            \text{reconstruction} = \frac{\|g^\dagger(g(x)) - x\|^2}{n},
            \qquad \text{natural} =
            \frac{\|q(g^\dagger(g(x))) - q(0)\|^2}{n} .

        :math:`q(g^\dagger(y))` is what the networks ``r`` returned on the
        way to :math:`g^\dagger(y)`: no further pass is needed.
        """
        with torch.no_grad():
            seen = self.g(x)
        back, code = pinv_with_code(self.g, seen)
        parts = {"reconstruction": F.mse_loss(back, x)}
        squares = (
            (z - start).square().sum()
            for z, start in zip(leaves(code), leaves(self.origin))
        )
        parts["natural"] = sum(squares) / x.numel()
        return {k: v for k, v in parts.items() if k in self.weights}


@torch.no_grad()
def code_of_zero(g: PseudoInvertible) -> Code:
    r"""Return :math:`q(0)`, the null coordinates of the zero picture."""
    weight = next(g.parameters())
    return g.complete(weight.new_zeros(1, *g.in_shape))[1]


def check_measurement(g: PseudoInvertible, y: Tensor) -> Tensor:
    """Return ``y`` if ``g`` could have measured it, else raise."""
    if not y.is_floating_point() or tuple(y.shape[1:]) != g.out_shape:
        wanted = ", ".join(map(str, g.out_shape))
        raise ValueError(
            f"the part 'inverse' needs measurements y, float and of shape "
            f"(N, {wanted}), got {y.dtype} of {tuple(y.shape)}: for labels "
            f"set inverse=0"
        )
    return y
