r"""Noise in the measurement: how far to project, how much noise to add.

The back-projection carries the noise of ``y`` into the estimate. What it
carries must not be more than the noise that the next state has anyway:
where it is less, the rest is filled up; where it would be more, the
projection is weakened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pinv_edu.base import PseudoInvertible
from pinv_edu.linear import LinearOperator
from pinv_edu.priors.schedule import normal
from pinv_edu.sampling.loop import fresh_noise
from pinv_edu.sampling.schedule import Move

Strength = float | Callable[[int], float]
"""Strength of the projection: a number, or a function of the time t."""


@dataclass(frozen=True)
class Rule:
    r"""One correction: :math:`x_{t'} = \sqrt{\bar\alpha'}\,
    \mathrm{project}(x_{0|t}) + \mathrm{spread}(\varepsilon)`.
    """

    project: Callable[[Tensor, Move], Tensor]
    spread: Callable[[Tensor, Move], Tensor]


def at(strength: Strength, move: Move) -> float:
    """Strength of the projection at this move's time."""
    return strength(move.t) if callable(strength) else strength


def exact_rule(
    operator: PseudoInvertible,
    y: Tensor,
    eta: float,
    noise_rule: str,
    strength: Strength = 1.0,
    generator: torch.Generator | None = None,
) -> Rule:
    """Project fully: the measurement is exact. Its code is kept."""
    code = operator.null_code(y)
    return Rule(
        lambda x0, move: operator.project(
            x0, y, at(strength, move), code=code
        ),
        lambda noise, move: fresh_noise(
            noise, move, eta, noise_rule, generator
        ),
    )


def spectral_rule(
    operator: LinearOperator,
    y: Tensor,
    eta: float,
    sigma_y: float,
    strength: Strength = 1.0,
    generator: torch.Generator | None = None,
) -> Rule:
    r"""DDNM+ direction by direction, exactly.

    With :math:`a = \sqrt{\bar\alpha'}`, :math:`\sigma = \sqrt{1 -
    \bar\alpha'}` and a singular value :math:`s`:

    .. math::
        \hat x = x_{0|t} - V\lambda V^\top A^+(A x_{0|t} - y), \qquad
        x_{t'} = a\hat x + V d_1 V^\top z + V d_2 V^\top \varepsilon .

    Clean directions, :math:`\sigma \ge a\sigma_y / s` (or not seen,
    :math:`s = 0`): :math:`\lambda = 1`, and of the variance
    :math:`\sigma^2 - (a\sigma_y/s)^2` that is left a part :math:`\eta^2` is
    fresh, the rest old.

    Noisy directions: :math:`\lambda = s\sigma\sqrt{1 - \eta^2} /
    (a\sigma_y)`. The noise that ``y`` carries takes the place of the old
    noise, and :math:`d_1 = \eta\sigma`.

    The last step adds no noise; there :math:`\lambda = s^2 (1 - \bar\alpha)
    / (s^2 (1 - \bar\alpha) + \sigma_y^2)` weighs the estimate, whose error
    is about the noise that it was made from, against the measurement (the
    published program takes the estimate alone).

    The total variance is :math:`\sigma^2` in every direction. All is done
    by ``spectral_filter``, hence for every linear operator. The published
    program adds only fresh noise in clean directions, which is
    :func:`ddrm` with :math:`\eta_b = 1`; the share kept here makes DDNM
    the limit :math:`\sigma_y \to 0`.

    References
    ----------
    Wang, Yu, Zhang (2023), Section 3.3 and Appendix I (DDNM+).
    """
    target = operator.pinv(y)

    def gain(s: Tensor, move: Move) -> Tensor:
        a, sigma = move.alpha_next**0.5, (1 - move.alpha_next) ** 0.5
        if sigma == 0:
            trust = s**2 * (1 - move.alpha)
            return at(strength, move) * trust / (trust + sigma_y**2)
        weak = s * sigma * (1 - eta**2) ** 0.5 / (a * sigma_y)
        full = torch.where(s * sigma >= a * sigma_y, 1.0, weak)
        return at(strength, move) * full

    def left(s: Tensor, move: Move) -> Tensor:
        seen = torch.where(s > 0, s, 1.0)
        carried = move.alpha_next * (gain(s, move) * sigma_y / seen) ** 2
        taken = torch.where(s > 0, carried, 0.0)
        return (1 - move.alpha_next - taken).clamp(min=0)

    def fresh(s: Tensor, move: Move) -> Tensor:
        a, sigma = move.alpha_next**0.5, (1 - move.alpha_next) ** 0.5
        clean = (s == 0) | (s * sigma >= a * sigma_y)
        return torch.where(clean, eta**2, 1.0) * left(s, move)

    def old(s: Tensor, move: Move) -> Tensor:
        return left(s, move) - fresh(s, move)

    def project(x0: Tensor, move: Move) -> Tensor:
        error = operator.pinv(operator(x0)) - target
        return x0 - operator.spectral_filter(error, lambda s: gain(s, move))

    def spread(noise: Tensor, move: Move) -> Tensor:
        parts = (normal(noise, generator), fresh), (noise, old)
        return sum(
            operator.spectral_filter(part, lambda s, v=v: v(s, move).sqrt())
            for part, v in parts
        )

    return Rule(project, spread)


def scalar_rule(
    operator: PseudoInvertible,
    y: Tensor,
    eta: float,
    sigma_y: float,
    strength: Strength = 1.0,
    generator: torch.Generator | None = None,
) -> Rule:
    r"""DDNM+ with one number for all directions, for any operator.

    The noise that :math:`g^\dagger` makes of the measurement's noise is
    measured once, by one random draw, as a standard deviation
    :math:`\sigma_x` a pixel. Then

    .. math::
        \lambda = \min\!\big(1,\; \sigma / (a\sigma_x)\big), \qquad
        x_{t'} = a\hat x + \sqrt{\sigma^2 - (a\lambda\sigma_x)^2}\;
        (\eta z + \sqrt{1 - \eta^2}\,\varepsilon) .

    This over-counts the noise in directions that the measurement does not
    see. It is the simple case of DDNM+ with :math:`\sqrt{\bar\alpha}` where
    the published program has :math:`\bar\alpha`.
    """
    code = operator.null_code(y)
    noisy = y + sigma_y * normal(y, generator)
    moved = operator.pinv(noisy) - operator.pinv(y)
    sigma_x = float(moved.square().mean().sqrt())

    def gain(move: Move) -> float:
        sigma, carried = (1 - move.alpha_next) ** 0.5, move.alpha_next**0.5
        carried *= sigma_x
        weak = 1.0 if sigma >= carried else sigma / carried
        return at(strength, move) * weak

    def spread(noise: Tensor, move: Move) -> Tensor:
        total = 1 - move.alpha_next
        carried = move.alpha_next * (gain(move) * sigma_x) ** 2
        share = max(total - carried, 0.0) ** 0.5
        mixed = (1 - eta**2) ** 0.5 * noise + eta * normal(noise, generator)
        return share * mixed

    return Rule(
        lambda x0, move: operator.project(x0, y, gain(move), code=code),
        spread,
    )
