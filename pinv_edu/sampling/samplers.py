r"""DDNM: a diffusion sampler with back-projection inside."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.base import PseudoInvertible
from pinv_edu.linear import LinearOperator
from pinv_edu.priors.schedule import Prior, clean_estimate
from pinv_edu.sampling.loop import (
    Callback,
    Run,
    Update,
    check_noise,
    clamp,
    fresh_noise,
    reverse,
    start,
)
from pinv_edu.sampling.response import needs_directions, response_rule
from pinv_edu.sampling.rules import (
    Rule,
    exact_rule,
    scalar_rule,
    spectral_rule,
)
from pinv_edu.sampling.schedule import Move
from pinv_edu.sampling.strengths import Strength, sensing_strength


@torch.no_grad()
def sample(
    prior: Prior,
    n: int,
    steps: int = 100,
    eta: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    noise_rule: str = "ddim",
    x_T: Tensor | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    callback: Callback | None = None,
    progress: bool = True,
) -> Tensor:
    r"""Draw pictures from a prior: DDPM (``eta=1``) to DDIM (``eta=0``).

    Parameters
    ----------
    prior
        Anything with ``shape``, ``alphas_cumprod`` and ``predict_noise``.
    n
        Number of samples.
    steps
        Network calls; times :math:`t_i = i \lfloor T/steps\rfloor`.
    eta
        DDIM's :math:`\eta` (the default rule): 0 is deterministic given
        ``x_T``, 1 is ancestral sampling.
    generator
        All randomness comes from here.
    noise_rule, x_T, callback, progress
        As in :func:`ddnm`.
    dtype, device
        Of the result.

    Returns
    -------
    Tensor
        Shape (n, \*prior.shape), in the prior's units.

    References
    ----------
    Ho, Jain, Abbeel (2020); Song, Meng, Ermon (2021).
    """
    check_noise(eta, noise_rule)
    run = Run(steps, generator=generator, callback=callback, progress=progress)
    run.check(len(prior.alphas_cumprod))
    like = torch.empty(n, 0, dtype=dtype, device=device)
    rule = Rule(
        project=lambda x0, move: x0,
        spread=lambda noise, move: fresh_noise(
            noise, move, eta, noise_rule, generator
        ),
    )
    x = start(prior, like, x_T, generator)
    return reverse(prior, x, step_of(prior, rule), run)


@torch.no_grad()
def ddnm(
    prior: Prior,
    operator: PseudoInvertible,
    y: Tensor,
    *,
    steps: int = 100,
    eta: float = 0.85,
    sigma_y: float = 0.0,
    strength: Strength | None = None,
    noise_rule: str = "published",
    travel_length: int = 1,
    travel_repeat: int = 1,
    x_T: Tensor | None = None,
    clip: tuple[float, float] | None = None,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
    progress: bool = True,
) -> Tensor:
    r"""Restore ``x`` from ``y = operator(x)`` with a diffusion prior.

    At every time the clean estimate :math:`x_{0|t}` is back-projected onto
    the measurement, then noised to the next time:

    .. math::
        \hat x_{0|t} = \mathrm{project}(x_{0|t}, y), \qquad
        x_{t'} = \sqrt{\bar\alpha_{t'}}\,\hat x_{0|t} +
        \sqrt{1 - \bar\alpha_{t'}}\,
        (\eta z + \sqrt{1 - \eta^2}\,\varepsilon_\theta) .

    The last :math:`\bar\alpha` is 1, so that without noise (and without
    clipping) the result measures ``y`` to rounding.

    Parameters
    ----------
    prior
        Anything with ``shape``, ``alphas_cumprod`` and ``predict_noise``.
    operator
        Any :class:`~pinv_edu.PseudoInvertible`, linear or not.
    y
        Measurements (B, \*out_shape); one restoration each. Repeat one
        ``y`` for several restorations of it.
    steps
        Down steps of the schedule; network calls without time travel.
    eta
        Under ``noise_rule="published"`` the *share of fresh noise*, not
        DDIM's :math:`\eta`: a part :math:`\eta^2` of the noise is drawn
        anew at every step, however small the step. 0 is deterministic
        given ``x_T``.
    sigma_y
        Standard deviation of the noise in ``y``, in the units of ``y``.
        Positive: DDNM+; the exact spectral rule for linear operators
        (:func:`spectral_rule`), the same behind a curve
        (:func:`response_rule`), one scalar for the rest
        (:func:`scalar_rule`); fresh noise then enters at every ``eta``.
    strength
        :math:`\lambda` of the back-projection: a number, or a function of
        the time ``t`` such as :func:`over_relaxed` gives. Default: 1; for
        DDNM+ with an ``incoherent`` operator (random sensing)
        ``over_relaxed(prior, 2, power=1, memory=0.8)``, faded in below
        ``sigma_y`` = 0.02, so that DDNM+ tends to DDNM.
    noise_rule
        ``"published"`` (above) or ``"ddim"``; DDNM+ (``sigma_y > 0``) has
        its own rule and does not use it.
    travel_length, travel_repeat
        Time travel: climb ``travel_length`` steps, ``travel_repeat - 1``
        times (see :func:`travel_schedule`). With repeat 1 there is none.
    x_T
        First state (B, \*prior.shape); default: standard normal.
    clip
        Range to which :math:`x_{0|t}` is clamped before and after the
        projection. Needed for trained networks as operators; it costs
        exactness, so report the residual.
    generator
        All randomness comes from here: the same seed, the same picture.
    callback
        Called as ``callback(step, t, x0, x0_projected)``.
    progress
        Show a progress bar.

    Returns
    -------
    Tensor
        Restored pictures (B, \*in_shape), in the type of ``y``.

    Raises
    ------
    ValueError
        If a setting is out of range or a shape does not fit.

    References
    ----------
    Wang, Yu, Zhang (2023), arXiv 2212.00490, Algorithm 1 and Section 3.3;
    the noise rule is that of the authors' program.
    """
    check_noise(eta, noise_rule)
    y = check_fit(prior, operator, y, sigma_y)
    run = Run(steps, travel_length, travel_repeat, generator, callback)
    run = run if progress else run.quiet()
    run.check(len(prior.alphas_cumprod))
    strength = chosen(strength, prior, operator, sigma_y)
    if sigma_y == 0:
        rule = exact_rule(operator, y, eta, noise_rule, strength, generator)
    elif isinstance(operator, LinearOperator):
        rule = spectral_rule(operator, y, eta, sigma_y, strength, generator)
    elif needs_directions(operator):
        rule = response_rule(operator, y, eta, sigma_y, strength, generator)
    else:
        rule = scalar_rule(operator, y, eta, sigma_y, strength, generator)
    x = start(prior, y, x_T, generator)
    return reverse(prior, x, step_of(prior, rule, clip), run)


def chosen(
    strength: Strength | None,
    prior: Prior,
    operator: PseudoInvertible,
    sigma_y: float,
) -> Strength:
    """Return the strength given or the default, if it suits the operator."""
    if strength is None:
        slow = isinstance(operator, LinearOperator) and operator.incoherent
        return sensing_strength(prior, sigma_y) if slow and sigma_y else 1.0
    linear = isinstance(operator, LinearOperator)
    if getattr(strength, "memory", 0) and not linear:
        raise ValueError(
            "a strength with memory needs a linear operator, got "
            f"{type(operator).__name__}: use over_relaxed(..., memory=0)"
        )
    return strength


def step_of(
    prior: Prior, rule: Rule, clip: tuple[float, float] | None = None
) -> Update:
    """One network call, one correction, one noising."""

    def update(x: Tensor, move: Move) -> tuple[Tensor, Tensor, Tensor]:
        noise = prior.predict_noise(x, torch.tensor(move.t))
        x0 = clamp(clean_estimate(x, noise, move.alpha), clip)
        projected = clamp(rule.project(x0, move), clip)
        after = move.alpha_next**0.5 * projected + rule.spread(noise, move)
        return after, x0, projected

    return update


def check_fit(
    prior: Prior, operator: PseudoInvertible, y: Tensor, sigma_y: float
) -> Tensor:
    """Return ``y`` if prior, operator and noise level fit it, or raise."""
    if tuple(prior.shape) != operator.in_shape:
        raise ValueError(
            f"the prior makes {tuple(prior.shape)}, the operator takes "
            f"{operator.in_shape}: build the operator with prior.shape"
        )
    if not sigma_y >= 0:
        raise ValueError(f"sigma_y must not be negative, got {sigma_y!r}")
    return operator.check_y(y)
