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
from pinv_edu.sampling.strengths import Missed, Strength


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
    code, missed = operator.null_code(y), Missed(strength)

    def project(x0: Tensor, move: Move) -> Tensor:
        lam = at(strength, move)
        if not missed.memory:
            return operator.project(x0, y, lam, code=code)
        # A linear operator may be told a y that goes too far.
        error = y - operator(x0)
        beyond = missed.told(error, lam) - error
        return operator.project(x0, y + beyond)

    return Rule(
        project,
        lambda noise, move: fresh_noise(
            noise, move, eta, noise_rule, generator
        ),
    )


def estimate_error(alpha: float) -> float:
    r"""Variance of the error of :math:`x_{0|t}` that DDNM+ reckons with.

    :math:`e^2 = \tau^2 / (1 + \tau / 0.4)`, where :math:`\tau^2 = (1 -
    \bar\alpha) / \bar\alpha` is the variance of the noise in
    :math:`x_t / \sqrt{\bar\alpha}`: a network takes little away from
    little noise, and most of much noise. The 0.4 was chosen on validation
    pictures, for 10 to 50 steps.
    """
    tau = ((1 - alpha) / alpha) ** 0.5
    return tau**2 / (1 + tau / 0.4)


def fresh_share(eta: float, alpha: float) -> float:
    r"""Share of the added noise that is fresh in DDNM+, of its variance.

    :math:`\eta^{2w}` with :math:`w = (1 - \bar\alpha)^2`: it grows from
    DDNM's :math:`\eta^2` in the noise to 1 near the picture. There the
    noise that the network sees is partly picture, and to use it again
    would keep its mistakes. The exponent was chosen on validation pictures.
    """
    return eta ** (2 * (1 - alpha) ** 2)


def covered(s: Tensor, move: Move, sigma: float) -> Tensor:
    r"""Where :math:`\sigma / s` is at most the noise of the next state."""
    return s**2 * (1 - move.alpha_next) >= move.alpha_next * sigma**2


def weight(s: Tensor, move: Move, sigma: float) -> Tensor:
    r"""Weight of a measurement with noise :math:`\sigma / s`.

    1 where the next state or the error of the estimate covers the noise,
    elsewhere both are weighed by their variances; see :func:`spectral_rule`.
    """
    trust = s**2 * estimate_error(move.alpha)
    weighed = trust / (trust + sigma**2)
    whole = covered(s, move, sigma) | (trust >= sigma**2)
    return torch.where(whole, 1.0, weighed)


def spectral_rule(
    operator: LinearOperator,
    y: Tensor,
    eta: float,
    sigma_y: float,
    strength: Strength = 1.0,
    generator: torch.Generator | None = None,
) -> Rule:
    r"""DDNM+ direction by direction.

    With :math:`a = \sqrt{\bar\alpha'}`, :math:`\sigma = \sqrt{1 -
    \bar\alpha'}`, a singular value :math:`s`, and :math:`e^2` the variance
    of the error of :math:`x_{0|t}` (:func:`estimate_error`):

    .. math::
        \hat x = x_{0|t} - V\lambda V^\top A^+(A x_{0|t} - y), \qquad
        x_{t'} = a\hat x + V d_1 V^\top z + V d_2 V^\top \varepsilon .

    The measurement is taken whole, :math:`\lambda = 1`, where its noise is
    at most that of the next state, :math:`\sigma_y / s \le \sigma / a`, or
    at most the error of the estimate, :math:`\sigma_y / s \le e`.
    Elsewhere both are weighed by their variances: :math:`\lambda = s^2 e^2
    / (s^2 e^2 + \sigma_y^2)`. A ``strength`` multiplies :math:`\lambda`, or
    adds to the residual what :func:`over_relaxed` remembers.

    What is left of the variance, :math:`\sigma^2 - (a\lambda\sigma_y /
    s)^2` or zero, is filled up: all of it fresh where :math:`\sigma_y / s >
    \sigma / a`, elsewhere (and where nothing is measured, :math:`s = 0`) a
    share :math:`\eta^{2w}` fresh and the rest old (:func:`fresh_share`).

    All is done by ``spectral_filter``, hence for every linear operator.
    The published rule, which is :func:`ddrm` with :math:`\eta_b = 1`, adds
    only fresh noise in clean directions and pulls weakly,
    :math:`\lambda = s\sigma\sqrt{1 - \eta^2} / (a\sigma_y)`, in noisy
    ones; lesson 9 measures both.

    References
    ----------
    Wang, Yu, Zhang (2023), Section 3.3 and Appendix I (DDNM+).
    """
    target, missed = operator.pinv(y), Missed(strength)

    def trust(s: Tensor, move: Move) -> Tensor:
        return weight(s, move, sigma_y)

    def left(s: Tensor, move: Move) -> Tensor:
        seen = torch.where(s > 0, s, 1.0)
        gain = at(strength, move) * trust(s, move)
        carried = move.alpha_next * (gain * sigma_y / seen) ** 2
        taken = torch.where(s > 0, carried, 0.0)
        return (1 - move.alpha_next - taken).clamp(min=0)

    def fresh(s: Tensor, move: Move) -> Tensor:
        shared = covered(s, move, sigma_y) | (s == 0)
        share = torch.where(shared, fresh_share(eta, move.alpha), 1.0)
        return share * left(s, move)

    def old(s: Tensor, move: Move) -> Tensor:
        return left(s, move) - fresh(s, move)

    def project(x0: Tensor, move: Move) -> Tensor:
        error = operator.pinv(operator(x0)) - target
        error = missed.told(error, at(strength, move))
        return x0 - operator.spectral_filter(error, lambda s: trust(s, move))

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
        (\sqrt{f} z + \sqrt{1 - f}\,\varepsilon)

    with :math:`f` of :func:`fresh_share`.

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
        fresh = fresh_share(eta, move.alpha)
        mixed = (1 - fresh) ** 0.5 * noise
        mixed = mixed + fresh**0.5 * normal(noise, generator)
        return max(total - carried, 0.0) ** 0.5 * mixed

    return Rule(
        lambda x0, move: operator.project(x0, y, gain(move), code=code),
        spread,
    )
