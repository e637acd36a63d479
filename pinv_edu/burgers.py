r"""Burgers' equation on a ring: a small non-linear measurement of science.

.. math::
    \partial_t u + u\,\partial_x u = \nu\,\partial_x^2 u,
    \qquad x \in [0, 1) \text{ periodic.}

Fast parts overtake slow ones and pile up into fronts, which viscosity
smooths: what the fronts have swallowed cannot be seen any more.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinv_edu.checks import check_batch

POINTS = 64
VISCOSITY = 0.01
TIME = 0.2
STEPS = 40
WAVES = 16
SIZE = 0.5


def burgers(
    u: Tensor,
    viscosity: float = VISCOSITY,
    time: float = TIME,
    steps: int = STEPS,
) -> Tensor:
    r"""Return the state at ``time`` from the state at 0, by Heun's method.

    .. math::
        \dot u_i = -\frac{F_{i+1/2} - F_{i-1/2}}{\Delta x}, \qquad
        F_{i+1/2} = \frac{u_i^2 + u_i u_{i+1} + u_{i+1}^2}{6}
        - \nu\,\frac{u_{i+1} - u_i}{\Delta x} .

    Laws: the mean of ``u`` is kept to rounding, because a flux leaves one
    cell and enters the next; this flux adds no energy, so that
    :math:`\|u\|` never grows (up to the error of the time step).
    Differentiable, in batches.

    Parameters
    ----------
    u
        States (B, n) on n equal cells of a ring of length 1.
    viscosity
        :math:`\nu`, positive.
    time, steps
        End, and number of equal time steps.

    Raises
    ------
    ValueError
        If a number is not positive, or the time step is too long for the
        viscosity, :math:`2\nu\,\Delta t > \Delta x^2`.
    TypeError
        If ``u`` is not a batch of floats.

    References
    ----------
    The equation: Burgers (1948). The flux is the average of
    :math:`u^2/2` along the line from one cell to the next.
    """
    u = check_batch(u, tuple(u.shape[1:]), u.device, "u")
    if u.dim() != 2:
        raise ValueError(f"u must have shape (B, n), got {tuple(u.shape)}")
    dx, dt = 1 / u.shape[1], _time_step(viscosity, time, steps)
    if 2 * viscosity * dt > dx**2:
        raise ValueError(
            f"steps={steps} is too few: the scheme needs at least "
            f"{math.ceil(2 * viscosity * time / dx**2)} steps"
        )
    for _ in range(steps):
        slope = _slope(u, viscosity, dx)
        u = u + dt * (slope + _slope(u + dt * slope, viscosity, dx)) / 2
    return u


def _time_step(viscosity: float, time: float, steps: int) -> float:
    named = {"viscosity": viscosity, "time": time, "steps": steps}
    for name, value in named.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive, got {value!r}")
    return time / steps


def _slope(u: Tensor, viscosity: float, dx: float) -> Tensor:
    """Time derivative: what flows in less what flows out."""
    after = u.roll(-1, 1)
    flux = (u * u + u * after + after * after) / 6
    flux = flux - viscosity * (after - u) / dx
    return (flux.roll(1, 1) - flux) / dx


def state_covariance(
    points: int = POINTS, waves: int = WAVES, size: float = SIZE
) -> Tensor:
    r"""Covariance (n, n) of smooth random states of mean zero.

    .. math::
        u(x) = \sum_{k=1}^{K} s_k\,(a_k \cos 2\pi k x + b_k \sin 2\pi k x),
        \qquad a_k, b_k \sim \mathcal N(0, 1), \qquad
        s_k \propto (1 + k^2/4)^{-3/2},

    scaled so that each :math:`u(x)` has standard deviation ``size``. It
    depends on the distance only; its rank is 2 K.

    Parameters
    ----------
    points, waves
        n and K, with 2 K < n.
    size
        Standard deviation at each point.

    Returns
    -------
    Tensor
        Float64.

    Raises
    ------
    ValueError
        If there are too many waves for the points, or a number is not
        positive.
    """
    if not 0 < 2 * waves < points or not size > 0:
        raise ValueError(
            f"give size > 0 and 0 < 2 waves < points, got size={size}, "
            f"waves={waves}, points={points}"
        )
    k = torch.arange(1, waves + 1, dtype=torch.float64)
    power = (1 + k**2 / 4) ** -3
    x = torch.arange(points, dtype=torch.float64) / points
    apart = 2 * math.pi * (x[:, None] - x)
    waves_apart = (k[:, None, None] * apart).cos()
    return size**2 * torch.einsum(
        "k,kij->ij", power / power.sum(), waves_apart
    )
