r"""Other methods with the same signature, as short as their papers allow."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pinv_edu.base import PseudoInvertible
from pinv_edu.linear import LinearOperator
from pinv_edu.priors.schedule import Prior, clean_estimate, normal
from pinv_edu.sampling.loop import (
    Callback,
    Run,
    check_noise,
    fresh_noise,
    reverse,
    start,
)
from pinv_edu.sampling.rules import Rule
from pinv_edu.sampling.samplers import check_fit, step_of
from pinv_edu.sampling.schedule import Move

Guide = Callable[[Tensor, Move], Tensor]
"""``(x0, move) -> scalar`` whose gradient in ``x_t`` guides the step."""


def _guided(
    prior: Prior,
    operator: PseudoInvertible,
    y: Tensor,
    guide: Guide,
    weight: Callable[[Move], float],
    eta: float,
    sigma_y: float,
    x_T: Tensor | None,
    run: Run,
) -> Tensor:
    r"""DDIM steps, each moved along :math:`-\nabla_{x_t}` of ``guide``.

    The gradient goes through the network: a step costs about twice as much
    as a plain one.

    Raises
    ------
    ValueError
        If the picture is no longer finite: the steps were too long.
    """
    check_noise(eta, "ddim")
    y = check_fit(prior, operator, y, sigma_y)
    run.check(len(prior.alphas_cumprod))

    def update(x: Tensor, move: Move) -> tuple[Tensor, Tensor, Tensor]:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            noise = prior.predict_noise(x, torch.tensor(move.t))
            x0 = clean_estimate(x, noise, move.alpha)
            if not bool(x0.isfinite().all()):
                raise ValueError(
                    f"the picture is no longer finite at t = {move.t}: give "
                    f"a smaller step_size"
                )
            (slope,) = torch.autograd.grad(guide(x0, move), x)
        x0, noise = x0.detach(), noise.detach()
        spread = fresh_noise(noise, move, eta, "ddim", run.generator)
        after = move.alpha_next**0.5 * x0 + spread
        return after - weight(move) * slope, x0, x0

    with torch.no_grad():
        x = start(prior, y, x_T, run.generator)
        return reverse(prior, x, update, run)


def dps(
    prior: Prior,
    operator: PseudoInvertible,
    y: Tensor,
    *,
    steps: int = 100,
    eta: float = 1.0,
    sigma_y: float = 0.0,
    step_size: float = 1.0,
    x_T: Tensor | None = None,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
    progress: bool = True,
) -> Tensor:
    r"""Diffusion posterior sampling: a gradient through the network.

    .. math::
        x_{t'} = \mathrm{DDIM}_\eta(x_t) -
        \zeta\,\nabla_{x_t} \|y - g(x_{0|t})\|_2 .

    Parameters
    ----------
    step_size
        :math:`\zeta`, in units of pictures in [-1, 1]; search it on
        validation pictures for each operator.
    prior, operator, y, steps, eta, sigma_y, x_T, generator, callback, progress
        As in :func:`ddnm`, with DDIM's :math:`\eta`; ``sigma_y`` does not
        enter the formula, whose step is normalised by the residual.

    References
    ----------
    Chung et al. (2023), arXiv 2209.14687, Algorithm 1 and Section 4.
    """

    def residual(x0: Tensor, move: Move) -> Tensor:
        return (y - operator(x0)).flatten(1).norm(dim=1).sum()

    run = Run(steps, generator=generator, callback=callback, progress=progress)
    return _guided(
        prior, operator, y, residual, lambda move: step_size,
        eta, sigma_y, x_T, run,
    )  # fmt: skip


def pigdm(
    prior: Prior,
    operator: PseudoInvertible,
    y: Tensor,
    *,
    steps: int = 100,
    eta: float = 1.0,
    sigma_y: float = 0.0,
    step_size: float = 1.0,
    x_T: Tensor | None = None,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
    progress: bool = True,
) -> Tensor:
    r"""Pseudo-inverse guidance.

    .. math::
        v = A^\top\Big(AA^\top + \tfrac{\sigma_y^2}{r_t^2} I\Big)^{-1}
        (y - A x_{0|t}), \qquad
        x_{t'} = \mathrm{DDIM}_\eta(x_t) +
        \zeta\sqrt{\bar\alpha_t}\,
        \Big(\frac{\partial x_{0|t}}{\partial x_t}\Big)^{\!\top} v ,

    :math:`r_t^2 = 1 - \bar\alpha_t`. Without noise :math:`v = g^\dagger(y) -
    g^\dagger(g(x_{0|t}))`, which is also used for non-linear operators.

    Parameters
    ----------
    step_size
        :math:`\zeta`; 1 in the paper.
    prior, operator, y, steps, eta, sigma_y, x_T, generator, callback, progress
        As in :func:`ddnm`, with DDIM's :math:`\eta`.

    References
    ----------
    Song, Vahdat, Mardani, Kautz (2023), ICLR, Algorithm 1.
    """
    target = operator.pinv(operator.check_y(y))

    def pull(x0: Tensor, move: Move) -> Tensor:
        v = target - operator.pinv(operator(x0))
        if sigma_y == 0 or not isinstance(operator, LinearOperator):
            return v
        ratio = sigma_y**2 / (1 - move.alpha)
        return operator.spectral_filter(v, lambda s: s**2 / (s**2 + ratio))

    def guide(x0: Tensor, move: Move) -> Tensor:
        return -(pull(x0.detach(), move) * x0).sum()

    run = Run(steps, generator=generator, callback=callback, progress=progress)
    return _guided(
        prior, operator, y, guide, lambda m: step_size * m.alpha**0.5,
        eta, sigma_y, x_T, run,
    )  # fmt: skip


@torch.no_grad()
def ddrm(
    prior: Prior,
    operator: LinearOperator,
    y: Tensor,
    *,
    steps: int = 100,
    eta: float = 0.85,
    eta_b: float = 1.0,
    sigma_y: float = 0.0,
    x_T: Tensor | None = None,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
    progress: bool = True,
) -> Tensor:
    r"""Denoising diffusion restoration, in the basis of the operator.

    In units where the noise of :math:`x_{t'} / \sqrt{\bar\alpha'}` is
    :math:`\sigma`, per direction with singular value :math:`s`:

    ====================================  ================================
    direction                             mean; standard deviation of z
    ====================================  ================================
    :math:`s = 0`                         :math:`x_0 + \sqrt{1 - \eta^2}\,
                                          \sigma\varepsilon`;
                                          :math:`\eta\sigma`
    :math:`\sigma < \sigma_y / s`         :math:`x_0 + \sqrt{1 - \eta^2}\,
                                          \sigma\,
                                          \frac{A^+y - x_0}{\sigma_y/s}`;
                                          :math:`\eta\sigma`
    :math:`\sigma \ge \sigma_y / s`       :math:`(1 - \eta_b) x_0 +
                                          \eta_b A^+y`;
                                          :math:`\sqrt{\sigma^2 -
                                          \eta_b^2\sigma_y^2/s^2}`
    ====================================  ================================

    With :math:`\eta_b = 1` this is the published DDNM+, in the right basis.
    In measured directions the noise is fresh whatever :math:`\eta` is: with
    :math:`\eta = 0` the result still depends on the generator.

    Parameters
    ----------
    eta_b
        Trust in the measurement where it is the cleaner of the two.
    prior, operator, y, steps, eta, sigma_y, x_T, generator, callback, progress
        As in :func:`ddnm`; the operator must be linear.

    References
    ----------
    Kawar, Elad, Ermon, Song (2022), arXiv 2201.11793, Eqs. 7 and 8.
    """
    check_noise(eta, "published")
    if not isinstance(operator, LinearOperator):
        raise TypeError(
            f"ddrm needs a LinearOperator, got {type(operator).__name__}: "
            f"use ddnm, dps or pigdm"
        )
    y = check_fit(prior, operator, y, sigma_y)
    target = operator.pinv(y)

    def gain(s: Tensor, move: Move) -> Tensor:
        sigma = (1 / move.alpha_next - 1) ** 0.5
        noise = sigma_y / torch.where(s > 0, s, 1.0)
        weak = (1 - eta**2) ** 0.5 * sigma / noise if sigma_y else s
        pulled = torch.where(sigma < noise, weak, eta_b)
        return torch.where(s > 0, pulled, 0.0)

    def fresh(s: Tensor, move: Move) -> Tensor:
        sigma = (1 / move.alpha_next - 1) ** 0.5
        noise = sigma_y / torch.where(s > 0, s, 1.0)
        clean = (sigma**2 - (eta_b * noise) ** 2).clamp(min=0).sqrt()
        known = (s > 0) & (sigma >= noise)
        return move.alpha_next**0.5 * torch.where(known, clean, eta * sigma)

    def project(x0: Tensor, move: Move) -> Tensor:
        error = target - operator.pinv(operator(x0))
        return x0 + operator.spectral_filter(error, lambda s: gain(s, move))

    def spread(noise: Tensor, move: Move) -> Tensor:
        z = normal(noise, generator)
        new = operator.spectral_filter(z, lambda s: fresh(s, move))
        kept = (1 - eta**2) ** 0.5 * (1 - move.alpha_next) ** 0.5
        lost = noise - operator.pinv(operator(noise))
        return new + kept * lost

    run = Run(
        steps, generator=generator, callback=callback, progress=progress
    ).check(len(prior.alphas_cumprod))
    x = start(prior, y, x_T, generator)
    return reverse(prior, x, step_of(prior, Rule(project, spread)), run)


@torch.no_grad()
def gradient_project(
    prior: Prior,
    operator: PseudoInvertible,
    y: Tensor,
    *,
    steps: int = 100,
    eta: float = 0.85,
    sigma_y: float = 0.0,
    step_size: float = 1.0,
    inner_steps: int = 5,
    x_T: Tensor | None = None,
    clip: tuple[float, float] | None = None,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
    progress: bool = True,
) -> Tensor:
    r"""DDNM's loop with gradient descent in place of back-projection.

    At every time ``inner_steps`` steps on
    :math:`\tfrac12\|g(x) - y\|^2` from :math:`x_{0|t}`; the gradient goes
    through the operator, not through the network. It needs a known,
    differentiable ``g`` and is not exact.

    Parameters
    ----------
    step_size, inner_steps
        Of the descent; :math:`1/\sigma_{\max}^2` suits a linear operator.
    prior, operator, y, steps, eta, sigma_y
        As in :func:`ddnm`; ``sigma_y`` does not enter.
    x_T, clip, generator, callback, progress
        As in :func:`ddnm`.
    """
    check_noise(eta, "published")
    y = check_fit(prior, operator, y, sigma_y)

    def project(x0: Tensor, move: Move) -> Tensor:
        for _ in range(inner_steps):
            with torch.enable_grad():
                x0 = x0.detach().requires_grad_()
                loss = 0.5 * (operator(x0) - y).square().sum()
                (slope,) = torch.autograd.grad(loss, x0)
            x0 = x0.detach() - step_size * slope
        return x0

    def spread(noise: Tensor, move: Move) -> Tensor:
        return fresh_noise(noise, move, eta, "published", generator)

    run = Run(
        steps, generator=generator, callback=callback, progress=progress
    ).check(len(prior.alphas_cumprod))
    x = start(prior, y, x_T, generator)
    return reverse(prior, x, step_of(prior, Rule(project, spread), clip), run)
