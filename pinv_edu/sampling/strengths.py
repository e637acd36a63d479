r"""Strengths of the back-projection that change with the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from pinv_edu.bijections.base import check_positive
from pinv_edu.priors.schedule import Prior

Strength = float | Callable[[int], float]
"""Strength of the projection: a number, or a function of the time t."""


@dataclass(frozen=True)
class OverRelaxed:
    r"""Strength :math:`\lambda_t = 1 + c\,(t / T)^p` with a memory.

    Made by :func:`over_relaxed`, which says what it does.
    """

    times: int
    over: float
    power: float
    memory: float

    def __call__(self, t: int) -> float:
        r"""Return :math:`\lambda_t`."""
        return 1 + self.over * (t / self.times) ** self.power


class Missed:
    r"""Leaky sum of what the estimates have missed of the measurement.

    :math:`\bar e_t = e_t + h\,\bar e_\text{before}`, from step to step.
    """

    def __init__(self, strength: Strength) -> None:
        self.memory: float = getattr(strength, "memory", 0.0)
        self.sum: Tensor | float = 0.0

    def told(self, error: Tensor, strength: float) -> Tensor:
        r"""Return :math:`e_t + (\lambda_t - 1)\,\bar e_t`."""
        self.sum = error + self.memory * self.sum
        return error + (strength - 1) * self.sum


def over_relaxed(
    prior: Prior,
    over: float = 1.0,
    power: float = 0.25,
    memory: float = 0.0,
) -> OverRelaxed:
    r"""Go past the measurement while there is noise, and onto it at the end.

    .. math::
        \hat x = x_{0|t} + A^+\big(e_t + (\lambda_t - 1)\,\bar e_t\big), \quad
        \lambda_t = 1 + c\,(t / T)^p, \quad
        \bar e_t = e_t + h\,\bar e_\text{before},

    where :math:`e_t = y - A x_{0|t}` is what the estimate has missed of the
    measurement, and :math:`\bar e` a sum of it over the steps, which forgets.
    Without memory, :math:`h = 0`, this is the strength :math:`\lambda_t`.

    The state at time :math:`t` holds ``y`` under much noise, and the network
    hears it faintly. What it missed is told again, louder. At :math:`t = 0`
    the strength is 1, so that without noise in ``y`` the result measures
    ``y`` to rounding.

    If the network passes on the share :math:`\kappa` of a change in the
    measured part of its input, a residual that was :math:`e` with
    :math:`\lambda = 1` settles at

    .. math::
        \frac{e}{1 + \kappa(\lambda - 1) / (1 - h)},

    and what is left of a change is multiplied from step to step by :math:`h -
    \kappa(\lambda - 1)`. For :math:`c \le 1` and :math:`\kappa \le 1` no
    change grows. Larger values suit measurements that the network follows
    slowly, such as random sensing, and run away where :math:`\kappa` is near
    1, as for block means. A memory should be short beside the walk:
    :math:`1 / (1 - h)` steps of 50, not of 10.

    Parameters
    ----------
    prior
        Its number of times is :math:`T`.
    over
        :math:`c`, at least 0; 0 gives the strength 1 at all times.
    power
        :math:`p > 0`. The default was chosen on validation pictures.
    memory
        :math:`h`, in [0, 1). Above 0 it needs a linear operator.

    Returns
    -------
    OverRelaxed
        For the argument ``strength`` of :func:`~pinv_edu.ddnm`, with or
        without noise. Called with a time, it returns :math:`\lambda_t`.

    Raises
    ------
    ValueError
        If ``over`` is negative, ``power`` not positive or ``memory`` not in
        [0, 1), or one of them is not a finite number.
    """
    if not 0 <= over < float("inf"):
        raise ValueError(
            f"over must be a finite number, 0 or more, got {over!r}"
        )
    if not 0 <= memory < 1:
        raise ValueError(f"memory must lie in [0, 1), got {memory!r}")
    check_positive(power, "power")
    return OverRelaxed(len(prior.alphas_cumprod), over, power, memory)


def sensing_strength(prior: Prior, sigma_y: float) -> OverRelaxed:
    r"""Strength of DDNM+ for random sensing, if the caller gives none.

    :func:`over_relaxed` with :math:`p = 1`, memory 0.8 and

    .. math::
        c = \frac{2 \sigma_y^2}{\sigma_y^2 + 0.01^2} :

    where there is no noise, DDNM+ is DDNM. The numbers were chosen on
    validation pictures of Fashion-MNIST.
    """
    over = 2 * sigma_y**2 / (sigma_y**2 + 0.01**2)
    return over_relaxed(prior, over, power=1.0, memory=0.8)
