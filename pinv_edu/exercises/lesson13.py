"""Exercises of lesson 13: the swap, small steps, the code of Gauss."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pinv_edu.exercises import Exercise

Forth = Callable[[Tensor], tuple[Tensor, Tensor]]
Back = Callable[[Tensor, Tensor], Tensor]
Pick = Callable[[Tensor], Tensor]

# 13a: the swap for one block, given as three functions


def _block(generator: torch.Generator) -> tuple:
    a, b, c = (1 + torch.rand(3, generator=generator).double()).tolist()

    def forth(x: Tensor) -> tuple[Tensor, Tensor]:
        y, z = x[:, :2], x[:, 2:]
        return y * (a * z.tanh()).exp() + (b * z).sin(), z

    def back(y: Tensor, z: Tensor) -> Tensor:
        return torch.cat([(y - (b * z).sin()) / (a * z.tanh()).exp(), z], 1)

    x, truth = torch.randn(2, 5, 4, generator=generator).double()
    lam = 0.2 + 0.6 * float(torch.rand(1, generator=generator))
    return forth, back, lambda y: (c * y).cos(), x, forth(truth)[0], lam


def _swap(
    G: Forth, back: Back, q: Pick, x: Tensor, y: Tensor, lam: float
) -> Tensor:
    y_x, z_x = G(x)
    return back(y_x + lam * (y - y_x), z_x + lam * (q(y) - q(y_x)))


def _no_old_code(
    G: Forth, back: Back, q: Pick, x: Tensor, y: Tensor, lam: float
) -> Tensor:
    y_x, z_x = G(x)
    return back(y_x + lam * (y - y_x), z_x + lam * q(y))


def _still_code(
    G: Forth, back: Back, q: Pick, x: Tensor, y: Tensor, lam: float
) -> Tensor:
    y_x, z_x = G(x)
    return back(y_x + lam * (y - y_x), z_x)


def _whole_code(
    G: Forth, back: Back, q: Pick, x: Tensor, y: Tensor, lam: float
) -> Tensor:
    y_x, z_x = G(x)
    return back(y_x + lam * (y - y_x), z_x + q(y) - q(y_x))


def _code_of_middle(
    G: Forth, back: Back, q: Pick, x: Tensor, y: Tensor, lam: float
) -> Tensor:
    y_x, z_x = G(x)
    middle = y_x + lam * (y - y_x)
    return back(middle, z_x + q(middle) - q(y_x))


def _in_x(
    G: Forth, back: Back, q: Pick, x: Tensor, y: Tensor, lam: float
) -> Tensor:
    return x + lam * (_swap(G, back, q, x, y, 1.0) - x)


SWAP = Exercise(
    key="13a",
    draw=_block,
    solution=_swap,
    mistakes={
        "you added the new code to the old one. The code moves by a "
        "difference: what did q say before?": _no_old_code,
        "your code z stays where it was. That is the special case in which "
        "q is zero.": _still_code,
        "you moved y by the share lam and z by all of its way. Both entries "
        "travel together.": _whole_code,
        "you asked q about the measurement part of the way. It keeps the "
        "height above the curve of answers; the formula of the lesson goes "
        "straight on the map, and asks q about y itself.": _code_of_middle,
        "you took a share of the way in x, where it is bent. Take it on the "
        "map, then come back.": _in_x,
    },
    hint="Measure your result with G: the first entry must be "
    "(1 - lam) y_x + lam y. Then compare the second with its line.",
)

# 13b: one strength for several steps


def _strengths(generator: torch.Generator) -> tuple[Tensor]:
    k = int(torch.randint(2, 6, (1,), generator=generator))
    return (1.3 * torch.rand(k, generator=generator).double(),)


STEPS = Exercise(
    key="13b",
    draw=_strengths,
    solution=lambda strengths: 1 - (1 - strengths).prod(),
    mistakes={
        "strengths do not add up: the second step takes its share of what "
        "the first one has left.": lambda strengths: strengths.sum(),
        "this is the product of the strengths. What does each step leave "
        "over?": lambda strengths: strengths.prod(),
        "this is the share of the residual that is left, not the strength "
        "that leaves it.": lambda strengths: (1 - strengths).prod(),
        "the order does not matter, and neither does the mean: follow the "
        "residual through two steps.": lambda strengths: strengths.mean(),
    },
    hint="After one step the residual is 1 - lambda times what it was. What "
    "is it after two?",
)

# 13c: the code of a Gaussian world


def _covariance(generator: torch.Generator) -> tuple[Tensor, int]:
    root = torch.randn(6, 6, generator=generator).double()
    m = int(torch.randint(2, 5, (1,), generator=generator))
    return root @ root.T + 0.1 * torch.eye(6).double(), m


def _regression(Sigma: Tensor, m: int) -> Tensor:
    return Sigma[m:, :m] @ torch.linalg.inv(Sigma[:m, :m])


CODE = Exercise(
    key="13c",
    draw=_covariance,
    solution=_regression,
    mistakes={
        "this is the covariance of z and y. How much z goes with *one unit* "
        "of y?": lambda Sigma, m: Sigma[m:, :m],
        "you divided by the variances alone. The measured entries are "
        "correlated with each other, too.": lambda Sigma, m: (
            Sigma[m:, :m] / Sigma.diagonal()[:m]
        ),
        "you inverted the block of z. Known is y: whose covariance has to "
        "be divided out?": lambda Sigma, m: (
            torch.linalg.inv(Sigma[m:, m:]) @ Sigma[m:, :m]
        ),
        "this is the best guess of y from z, the wrong way round.": (
            lambda Sigma, m: Sigma[:m, m:] @ torch.linalg.inv(Sigma[m:, m:])
        ),
        "the sign: what goes up together is corrected together.": (
            lambda Sigma, m: -_regression(Sigma, m)
        ),
    },
    hint="The best code is the mean of z given y. In the plane it was the "
    "covariance over the variance of y.",
)

EXERCISES = [SWAP, STEPS, CODE]
