"""Non-linear degradations, and the rivals of DDNM that they call for.

The stages of every chain but the last are bijections, the last is linear.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

import pinv_edu as pe

Shape = tuple[int, int, int]
TONES = [[0.70, 0.20, 0.10], [0.15, 0.70, 0.15], [0.10, 0.20, 0.70]]


def chains(shape: Shape) -> dict[str, pe.Chain]:
    """Non-linear degradations by name."""
    drawn = torch.Generator().manual_seed(0)
    seen = (torch.rand(shape[1:], generator=drawn) < 0.5).float()
    nine = pe.gaussian_kernel(9, 1.6)
    sensor = pe.SensorResponse(shape, 2.5, 0.5, 0.1)
    if shape[0] == 3:
        mix = pe.ColorMix(shape, torch.tensor(TONES))
        return {
            "tone-mapped colour, grayscale": pe.Chain(
                mix, sensor, pe.Grayscale(shape)
            )
        }
    return {
        "gamma 2.2, block means x4": pe.Chain(
            pe.Gamma(shape, 2.2), pe.AveragePool(shape, 4)
        ),
        "saturating sensor, blur 9x9": pe.Chain(
            sensor, pe.SeparableBlur(shape, nine, nine, rcond=1e-2)
        ),
        "log exposure, inpainting 50 %": pe.Chain(
            pe.LogExposure(shape, 6.0), pe.Inpainting(shape, seen)
        ),
    }


class Clamped(pe.PseudoInvertible):
    """``g`` of the picture clamped to its range, for gradient methods.

    Early estimates lie far outside the range; there the slope of a power
    is huge, and steps along it diverge. The published programs clamp, too.
    """

    def __init__(self, operator: pe.PseudoInvertible) -> None:
        super().__init__(operator.in_shape, operator.out_shape)
        self.operator = operator

    def forward(self, x: Tensor) -> Tensor:
        return self.operator(x.clamp(-1, 1))


class Linearised(pe.LinearOperator):
    r"""The derivative :math:`Dg(x_0)`, by automatic differentiation."""

    def __init__(self, operator: pe.PseudoInvertible, x0: Tensor) -> None:
        super().__init__(operator.in_shape, operator.out_shape)
        self.operator, self.x0 = operator, x0

    def forward(self, x: Tensor) -> Tensor:
        x0 = self.x0.to(x.dtype).expand_as(x).clone()
        return torch.func.jvp(self.operator, (x0,), (x,))[1]

    def adjoint(self, y: Tensor) -> Tensor:
        x0 = self.x0.to(y.dtype).expand(len(y), *self.in_shape).clone()
        return torch.func.vjp(self.operator, x0)[1](y)[0]


class Moved(pe.PseudoInvertible):
    r"""A chain with another move in place of its projection.

    With :math:`g = A\varphi`, one Gauss-Newton step from :math:`x` is
    :math:`x + d`, :math:`d = Dg(x)^+ (y - g(x))`, by 20 steps of conjugate
    gradients, with slopes of ``x`` clamped to its range. With ``exact`` the
    step is walked where the rest is linear, and the little that is left is
    projected: :math:`\varphi(x') = \varphi(x) + D\varphi(x)\,d + A^+(\dots)`.
    """

    def __init__(self, chain: pe.Chain, exact: bool) -> None:
        super().__init__(chain.in_shape, chain.out_shape)
        self.chain, self.exact = chain, exact

    def null_code(self, y: Tensor) -> tuple[()]:
        return ()

    def project(
        self, x: Tensor, y: Tensor, strength: float = 1.0, **_: object
    ) -> Tensor:
        place = x.clamp(-1, 1)
        slope = Linearised(self.chain, place)
        d = strength * least_squares(slope, y - self.chain(x))
        if not self.exact:
            return x + d
        *bend, last = self.chain.stages
        phi = pe.Chain(*bend)
        v = phi(x) + Linearised(phi, place)(d)
        return phi.pinv(last.project(v, y, strength))


def least_squares(A: pe.LinearOperator, y: Tensor, steps: int = 20) -> Tensor:
    """Shortest least-squares solution by conjugate gradients, per item."""

    def size(v: Tensor) -> Tensor:
        return v.square().flatten(1).sum(1).reshape(-1, 1, 1, 1)

    def over(a: Tensor, b: Tensor) -> Tensor:
        return torch.where(b > 1e-12, a / b.clamp(min=1e-12), 0.0)

    x = torch.zeros(len(y), *A.in_shape)
    left = y
    pull = along = A.adjoint(y)
    for _ in range(steps):
        before, image = size(pull), A(along)
        step = over(before, size(image))
        x, left = x + step * along, left - step * image
        pull = A.adjoint(left)
        along = pull + over(size(pull), before) * along
    return x


def ignored(
    prior: pe.DiffusersPrior, chain: pe.Chain, y: Tensor, **settings: object
) -> Tensor:
    """DDNM with the last stage only, as if there were no response."""
    return pe.ddnm(prior, chain.stages[-1], y, **settings)


def decoded(
    prior: pe.DiffusersPrior, chain: pe.Chain, y: Tensor, **settings: object
) -> Tensor:
    """DDNM with the curve undone in ``y``, as if it came last."""
    *others, curve, last = chain.stages
    light = 2 * curve.light((y + 1) / 2) - 1
    known = last(last.pinv(light))  # back into the range
    rest = pe.Chain(*others, last) if others else last
    return pe.ddnm(prior, rest, known, **settings)


def linear_model(
    prior: pe.DiffusersPrior,
    chain: pe.Chain,
    y: Tensor,
    name: str,
    **settings: object,
) -> Tensor:
    """DDNM with the tangent at the mean of 64 validation pictures."""
    pictures = pe.held_out(name, 64, part="validation")
    x0 = pictures.mean(0, keepdim=True)
    tangent = Linearised(chain, x0)
    moved = y - chain(x0) + tangent(x0)
    return pe.ddnm(prior, tangent, moved, **settings)


def moved(
    prior: pe.DiffusersPrior,
    chain: pe.Chain,
    y: Tensor,
    exact: bool = False,
    **settings: object,
) -> Tensor:
    """DDNM with a tangent step at every estimate, exact or not."""
    return pe.ddnm(prior, Moved(chain, exact), y, **settings)


def clamped(restore: object) -> object:
    """Give a gradient method the clamped operator."""

    def run(prior: pe.DiffusersPrior, chain: pe.Chain, *rest, **settings):
        return restore(prior, Clamped(chain), *rest, **settings)

    return run


def rivals(name: str) -> dict[str, tuple[object, float | None]]:
    """Method by name, with the middle of its step sizes if it has any."""
    return {
        "ignored": (ignored, None),
        "decoded": (decoded, None),
        "linear": (functools.partial(linear_model, name=name), None),
        "tangents": (moved, None),
        "near": (functools.partial(moved, exact=True), None),
        "dps": (clamped(pe.dps), 3.0),
        "descent": (clamped(pe.gradient_project), 0.5),
    }


def chain_methods(
    sigma_y: float, name: str
) -> dict[str, tuple[object, float | None]]:
    """Methods for chains by name; all draw fresh noise alike."""
    ours = functools.partial(pe.ddnm, eta=1.0)
    if sigma_y:
        plus = functools.partial(ours, sigma_y=sigma_y)
        return {"ddnm": (ours, None), "plus": (plus, None)}
    others = {
        key: (functools.partial(restore, eta=1.0), middle)
        for key, (restore, middle) in rivals(name).items()
    }
    return {"ddnm": (ours, None)} | others
