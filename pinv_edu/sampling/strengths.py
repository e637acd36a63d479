r"""Strengths of the back-projection that change with the time."""

from __future__ import annotations

from collections.abc import Callable

from pinv_edu.bijections.base import check_positive
from pinv_edu.priors.schedule import Prior


def over_relaxed(
    prior: Prior, over: float = 1.0, power: float = 0.25
) -> Callable[[int], float]:
    r"""Go past the measurement while there is noise, and onto it at the end.

    .. math::
        \lambda_t = 1 + c\,(t / T)^p

    The state at time :math:`t` holds ``y`` under much noise, and the network
    hears it faintly. What it missed, :math:`y - A x_{0|t}`, is told again,
    louder: past the fibre, for :math:`c = 1` nearly to its other side. At
    :math:`t = 0` the strength is 1, so that without noise in ``y`` the result
    measures ``y`` to rounding.

    If the network passes on the share :math:`\kappa` of a change in the
    measured part of its input, then a change of the residual :math:`e` is
    multiplied from step to step by :math:`-\kappa(\lambda - 1)`, and the
    residual settles at :math:`1 / (1 + \kappa(\lambda - 1))` of its size for
    :math:`\lambda = 1`. For :math:`c \le 1` and :math:`\kappa \le 1` no
    change grows. A larger :math:`c` suits measurements that the network
    follows slowly, such as random sensing, and runs away where
    :math:`\kappa` is near 1, as for block means.

    Parameters
    ----------
    prior
        Its number of times is :math:`T`.
    over
        :math:`c`, at least 0; 0 gives the strength 1 at all times.
    power
        :math:`p > 0`. The default was chosen on validation pictures.

    Returns
    -------
    Callable
        For the argument ``strength`` of :func:`~pinv_edu.ddnm`, with or
        without noise.

    Raises
    ------
    ValueError
        If ``over`` is negative or ``power`` not positive, or one of them is
        not a finite number.
    """
    if not 0 <= over < float("inf"):
        raise ValueError(
            f"over must be a finite number, 0 or more, got {over!r}"
        )
    check_positive(power, "power")
    times = len(prior.alphas_cumprod)
    return lambda t: 1 + over * (t / times) ** power
