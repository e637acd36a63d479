r"""DDNM+ for a curve that is followed by a loss with many singular values."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pinv_edu.base import PseudoInvertible
from pinv_edu.chain import Chain
from pinv_edu.linear import LinearOperator
from pinv_edu.linear.isometry import ScaledIsometry
from pinv_edu.priors.schedule import normal
from pinv_edu.sampling.loop import fresh_noise
from pinv_edu.sampling.rules import (
    Rule,
    at,
    fresh_share,
    weight,
)
from pinv_edu.sampling.schedule import Move
from pinv_edu.sampling.strengths import Strength


def needs_directions(operator: PseudoInvertible) -> bool:
    """Whether the last of several stages weakens some directions more."""
    if not isinstance(operator, Chain) or len(operator.stages) < 2:
        return False
    last = operator.stages[-1]
    linear = isinstance(last, LinearOperator)
    return linear and not isinstance(last, ScaledIsometry)


@dataclass(frozen=True)
class Response:
    r"""The stages before the last, :math:`u = f(x)`, and how steep they are.

    ``before`` takes pictures to what the last stage sees.
    """

    before: PseudoInvertible
    generator: torch.Generator | None

    def move(self, x: Tensor, by: Tensor) -> Tensor:
        r"""How ``x`` moves when :math:`f(x)` moves by ``by``."""
        return self.before.project(x, self.before(x) + by) - x

    def slope(self, x: Tensor, noise: float) -> float:
        r"""Root mean square of what noise in ``u`` does to ``x``, over it."""
        by = noise * normal(self.before(x), self.generator)
        return float(self.move(x, by).square().mean().sqrt()) / noise


def response_rule(
    operator: Chain,
    y: Tensor,
    eta: float,
    sigma_y: float,
    strength: Strength = 1.0,
    generator: torch.Generator | None = None,
) -> Rule:
    r"""DDNM+ direction by direction, in what the last stage sees.

    The chain is :math:`g = A \circ f`, with :math:`A = U S V^\top` linear.
    With :math:`u = f(x_{0|t})`,

    .. math::
        \hat u = u - V \lambda V^\top A^+(A u - y), \qquad
        \hat x = \mathrm{project}_f(x_{0|t}, \hat u),

    and :math:`\lambda` of :func:`spectral_rule`, for which the noise of a
    direction is :math:`k \sigma_y / s` on the screen, and the error of the
    estimate :math:`e / k` before it. The slope :math:`k` and the noise that
    :math:`\hat x` carries are measured at each step, by a random draw each.
    What is left of the variance is filled up as in :func:`scalar_rule`.

    Where all singular values are equal (a mask, means, gray) there is nothing
    to weigh, and :func:`scalar_rule` is used.

    Raises
    ------
    ValueError
        If :func:`needs_directions` says no.
    """
    if not needs_directions(operator):
        raise ValueError(
            "response_rule needs a Chain whose last stage is linear and has "
            "several singular values: use scalar_rule"
        )
    *first, last = operator.stages
    f = Response(Chain(*first), generator)
    target, carried = last.pinv(y), [0.0]

    def gain(s: Tensor, move: Move, k: float) -> Tensor:
        return at(strength, move) * weight(s, move, k * sigma_y)

    def project(x0: Tensor, move: Move) -> Tensor:
        k = f.slope(x0, sigma_y)

        def brought(s: Tensor) -> Tensor:
            seen = torch.where(s > 0, s, 1.0)
            return torch.where(s > 0, gain(s, move, k) * sigma_y / seen, 0.0)

        error = last.pinv(last(f.before(x0))) - target
        step = last.spectral_filter(error, lambda s: gain(s, move, k))
        x = x0 + f.move(x0, -step)
        noise = last.spectral_filter(normal(error, generator), brought)
        carried[0] = float(f.move(x, noise).square().mean())
        return x

    def spread(noise: Tensor, move: Move) -> Tensor:
        total = 1 - move.alpha_next
        if total == 0:
            return torch.zeros_like(noise)
        left = max(total - move.alpha_next * carried[0], 0.0) / total
        share = fresh_share(eta, move.alpha) ** 0.5
        full = fresh_noise(noise, move, share, "published", generator)
        return left**0.5 * full

    return Rule(project, spread)
