"""Exercises of lesson 11: a coupling undone, Cayley undone, a density."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinv_edu.exercises import Exercise

# 11a: the inverse of a coupling whose second half passes


def _coupled(generator: torch.Generator) -> tuple[Tensor, ...]:
    y = torch.randn(5, 4, generator=generator, dtype=torch.float64)
    S, T = torch.randn(2, 2, 2, generator=generator, dtype=torch.float64)
    return y, S, T


def _halves(y: Tensor, S: Tensor, T: Tensor) -> tuple[Tensor, ...]:
    """Both halves, and the recipe read from the second one."""
    y0, y1 = y.chunk(2, dim=1)
    return y0, y1, torch.tanh(y1 @ S), y1 @ T


def _uncouple(y: Tensor, S: Tensor, T: Tensor) -> Tensor:
    y0, y1, s, t = _halves(y, S, T)
    return torch.cat([(y0 - t) * (-s).exp(), y1], dim=1)


def _shift_last(y: Tensor, S: Tensor, T: Tensor) -> Tensor:
    y0, y1, s, t = _halves(y, S, T)
    return torch.cat([y0 * (-s).exp() - t, y1], dim=1)


def _scale_again(y: Tensor, S: Tensor, T: Tensor) -> Tensor:
    y0, y1, s, t = _halves(y, S, T)
    return torch.cat([(y0 - t) * s.exp(), y1], dim=1)


def _forward_again(y: Tensor, S: Tensor, T: Tensor) -> Tensor:
    y0, y1, s, t = _halves(y, S, T)
    return torch.cat([y0 * s.exp() + t, y1], dim=1)


def _wrong_half(y: Tensor, S: Tensor, T: Tensor) -> Tensor:
    y0, y1 = y.chunk(2, dim=1)
    s, t = torch.tanh(y0 @ S), y0 @ T
    return torch.cat([y0, (y1 - t) * (-s).exp()], dim=1)


def _changed_half(y: Tensor, S: Tensor, T: Tensor) -> Tensor:
    y0, y1 = y.chunk(2, dim=1)
    s, t = torch.tanh(y0 @ S), y0 @ T
    return torch.cat([(y0 - t) * (-s).exp(), y1], dim=1)


COUPLING = Exercise(
    key="11a",
    draw=_coupled,
    solution=_uncouple,
    mistakes={
        "you divide before you subtract. The forward map scales first and "
        "shifts second: which of the two must be undone first?": _shift_last,
        "the shift is undone, the scale is applied a second time. What "
        "undoes a product with exp(s)?": _scale_again,
        "this is the forward map. Undo its two steps, the last one "
        "first.": _forward_again,
        "you read the recipe from the first half and changed the second "
        "one. In this coupling the halves have changed places.": _wrong_half,
        "you read the recipe from the half that has been changed. Which "
        "half still has the values that the forward map read?": (
            _changed_half
        ),
    },
    hint="Write down both halves of y. Which one equals its half of x? Read "
    "the recipe there.",
)

# 11b: the skew matrix of a given rotation


def _rotation(generator: torch.Generator) -> tuple[Tensor]:
    B = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    return (_cayley(0.4 * (B - B.T)),)


def _cayley(K: Tensor) -> Tensor:
    """Return (I + K)^-1 (I - K), which is its own inverse."""
    eye = torch.eye(len(K), dtype=K.dtype)
    return torch.linalg.solve(eye + K, eye - K)


CAYLEY = Exercise(
    key="11b",
    draw=_rotation,
    solution=_cayley,
    mistakes={
        "this is the skew matrix of the inverse rotation: the sign. Which "
        "of I - W and W - I follows from the equation?": (
            lambda W: -_cayley(W)
        ),
        "this is right for small angles only: half the skew part is the "
        "first term of a series. Solve the equation for K.": (
            lambda W: (W.T - W) / 4
        ),
        "the skew part of W. It is not yet K: solve (I + K) W = I - K for "
        "K.": lambda W: (W - W.T) / 2,
        "K stands on both sides of (I + K) W = I - K. You solved it as if "
        "it stood on one only.": (
            lambda W: torch.eye(len(W), dtype=W.dtype) - W
        ),
        "an inverse is missing: K times (I + W) is I - W, so a product "
        "with I + W goes the wrong way.": (
            lambda W: (
                (torch.eye(len(W), dtype=W.dtype) - W)
                @ (torch.eye(len(W), dtype=W.dtype) + W)
            )
        ),
    },
    hint="Write (I + K) W = I - K out and collect the terms with K on one "
    "side. Is your result skew?",
)

# 11c: the log-density of a point under a flow


def _latent(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    z = torch.randn(6, 2, generator=generator, dtype=torch.float64)
    s = torch.randn(6, 5, generator=generator, dtype=torch.float64)
    return z, s


def _normal(z: Tensor) -> Tensor:
    return -(z**2).sum(1) / 2 - math.log(2 * math.pi)


DENSITY = Exercise(
    key="11c",
    draw=_latent,
    solution=lambda z, s: _normal(z) + s.sum(1),
    mistakes={
        "the sign of the volume term. Where the flow stretches, the points "
        "of a small square spread over a larger one: was the density at x "
        "higher or lower than at z?": lambda z, s: _normal(z) - s.sum(1),
        "this is the density of z, not of x: the change of volume is "
        "missing.": lambda z, s: _normal(z),
        "a coupling multiplies by exp(s), so the logarithm of its volume "
        "change is s itself.": lambda z, s: _normal(z) + s.exp().sum(1),
        "the constant of the normal density is missing, so it does not "
        "integrate to 1.": lambda z, s: -(z**2).sum(1) / 2 + s.sum(1),
        "the constant belongs to one coordinate, and z has two.": (
            lambda z, s: _normal(z) + s.sum(1) + math.log(2 * math.pi) / 2
        ),
    },
    hint="Two terms: the logarithm of the normal density at z, and the sum "
    "of the volume changes of all couplings.",
)

EXERCISES = [COUPLING, CAYLEY, DENSITY]
