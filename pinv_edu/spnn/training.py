r"""Train an SPNN in two phases: what it measures, then what it fills in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from torch import nn

from pinv_edu.base import PseudoInvertible
from pinv_edu.spnn.batches import Augment, Batches, Pairs
from pinv_edu.spnn.checkpoint import read_checkpoint, write_checkpoint
from pinv_edu.spnn.history import History
from pinv_edu.spnn.losses import Objective, Task, task_name
from pinv_edu.spnn.network import surjective_blocks
from pinv_edu.spnn.run import Run
from pinv_edu.spnn.settings import plan


def train_spnn(
    spnn: PseudoInvertible,
    pairs: Pairs,
    phase: int | str = 1,
    *,
    task: str | Task | None = None,
    task_weight: float = 1.0,
    reconstruction: float = 10.0,
    inverse: float = 0.0,
    swap: float = 0.0,
    share: float = 0.25,
    dial: float = 0.0,
    steps: int | Sequence[int] | None = 1_000,
    seconds: float | Sequence[float] | None = None,
    batch: int = 128,
    lr: float | Sequence[float] = 2e-3,
    warmup: int = 100,
    decay: float = 0.7,
    weight_decay: float = 1e-4,
    clip: float = 1.0,
    augment: Augment | None = None,
    validation: Pairs | None = None,
    patience: int | None = None,
    every: int = 100,
    checkpoint: str | Path | None = None,
    seed: int = 0,
    progress: bool = True,
) -> History:
    r"""Train a pseudo-invertible network on pairs, in place.

    **Phase 1** moves all weights to minimise

    .. math::
        w_t\,\mathrm{task}(g(x), y)
        + w_r\,\overline{|g^\dagger(g(x)) - x|^2}
        + w_i\,\overline{|g^\dagger(y) - x|^2}
        + w_s\,\overline{\log\bigl(1 + \overline{
        \max(|x'| - 1, 0)^2}\bigr)} .

    In the last term :math:`x'` is ``x``, back-projected onto what ``g`` says
    of another picture of the batch: for pictures in [-1, 1] it keeps a swap
    of meanings in the range of pictures, where no datum holds it.

    **Phase 2** moves the networks ``r`` alone; ``g`` stays as it is, to
    the bit. With the dial :math:`d` and the picture's size :math:`n`

    .. math::
        (1 - d)\,\frac{\|g^\dagger(g(x)) - x\|^2}{n}
        + d\,\frac{\|q(g^\dagger(g(x))) - q(0)\|^2}{n} .

    ``dial=0`` asks for the code that brings ``x`` back best, its mean
    given ``y`` (in a linear-Gaussian world Kalman's gain); ``dial=1`` for
    the natural inverse, the code nearest to the zero picture's. For
    orthogonal mixes and unit scales the code wanders in a straight line
    from one to the other.

    The authors add :math:`\|g(g^\dagger(g(x))) - g(x)\|^2` to both. It is
    identically zero, for any weights, and so is its gradient: it is left
    out here. What holds by construction need not be trained; the history
    logs it all the same, before, during and after.

    Parameters
    ----------
    spnn
        An :class:`SPNN` or any pseudo-invertible operator with weights.
        It is changed in place. It may be on any device; batches follow.
    pairs
        Tensors (x, y); or a data set with ``len`` and items (x, y); or a
        function ``(generator, size) -> (x, y)`` that draws a new batch.
        For phase 2 ``y`` is not looked at.
    phase
        1, 2 or ``"both"``, one after the other. With ``"both"``, every
        setting may be a pair, one value for each phase.
    task
        ``"cross-entropy"``, ``"binary-cross-entropy"``, ``"mse"`` or a
        function ``(g(x), y) -> loss``, such as
        ``torch.nn.CrossEntropyLoss(label_smoothing=0.05)``. Default: cross
        entropy for integer ``y``, else the mean square.
    task_weight, reconstruction, inverse, swap
        :math:`w_t, w_r, w_i, w_s`. The third is for a ``y`` that is a
        measurement, as in the surrogate of a black box.
    share
        Share of each batch on which the inverses and the swap are measured
        in phase 1; a quarter does as well as all, and faster.
    dial
        :math:`d`, from 0 to 1.
    steps, seconds
        Budget; with both the one that ends first. With ``seconds`` the
        result depends on the speed of the machine.
    batch, lr, warmup, decay, weight_decay, clip
        AdamW; after ``warmup`` steps the rate falls as
        :math:`lr\,(1 - f)^{decay}` in the share :math:`f` of the budget;
        gradients are clipped to the norm ``clip``.
    augment
        Function ``(x, y, generator) -> (x, y)`` on each batch.
    validation
        Held-out pairs, tensors or a data set: their loss is measured at
        every look, and the weights of the best look are kept.
    patience
        Stop after so many looks without a new best; needs ``validation``.
    every
        Steps between two looks: a row of the history and a checkpoint.
    checkpoint
        File (tensors and numbers only). If it is there, the training goes
        on from it, and ends with the same bits as without interruption
        (for a budget in steps on the same machine).
    seed
        Fixes the order of the pairs; step k sees the same batch always.
    progress
        Show a progress bar.

    Returns
    -------
    History
        A list of dicts, one for each look; ``.column(name)`` for a plot.

    Raises
    ------
    ValueError, TypeError
        If a setting or the pairs are not as described, a checkpoint is of
        another training, phase 2 finds no network ``r``, or the loss
        becomes infinite.

    References
    ----------
    Ehrlich, Berman, Shocher (2026), arXiv 2602.06042, and their code.
    """
    plans = plan(phase, {**locals(), "task": task_name(task)})
    if patience is not None and validation is None:
        raise ValueError("patience needs validation pairs to watch")
    stored = read_checkpoint(checkpoint, plans, spnn)
    history = History(stored["history"] if stored else [])
    first = stored["index"] if stored else 0
    for index, settings in enumerate(plans[first:], start=first):
        train = Batches(pairs, spnn, settings, augment)
        held_out = None
        if validation is not None:
            held_out = Batches(validation, spnn, settings)
        save = partial(write_checkpoint, checkpoint, plans, index)
        with only(spnn, settings.phase) as weights:
            objective = Objective(spnn, settings, task)
            run = Run(objective, weights, train, held_out, history)
            if stored and index == first:
                run.restore(stored["run"])
            run.go(save, progress)
    return history


@contextmanager
def only(spnn: PseudoInvertible, phase: int) -> Iterator[list[nn.Parameter]]:
    """Weights of the phase; the others want no gradient meanwhile.

    Raises
    ------
    ValueError
        If the phase has nothing to train.
    """
    every = list(spnn.parameters())
    wanted = [w.requires_grad for w in every]
    chosen = [w for w, want in zip(every, wanted) if want]
    if phase == 2:
        chosen = code_weights(spnn)
    if not chosen:
        raise ValueError(
            "phase 2 trains the networks r, and no block has one: make the "
            "blocks with code='learned'"
            if phase == 2
            else "phase 1 finds no weight with requires_grad"
        )
    try:
        spnn.requires_grad_(False)
        for weight in chosen:
            weight.requires_grad_(True)
        yield chosen
    finally:
        for weight, want in zip(every, wanted):
            weight.requires_grad_(want)


def code_weights(spnn: PseudoInvertible) -> list[nn.Parameter]:
    """Weights of the networks ``r`` that are in use."""
    return [
        weight
        for block in surjective_blocks(spnn)
        if block.code == "learned"
        for weight in block.r.parameters()
    ]
