r"""The surjective coupling block: a layer that loses channels knowingly."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pinv_edu.base import PseudoInvertible
from pinv_edu.bijections import evaluate, small_net
from pinv_edu.bijections.base import check_positive
from pinv_edu.checks import Shape, check_batch, check_shape
from pinv_edu.codes import Code

CODES = ("learned", "natural")


class SurjectiveCoupling(PseudoInvertible):
    r"""Affine coupling that drops the channels that it was steered by.

    With :math:`x = [x_0 \mid x_1]`, :math:`x_0` the first
    ``out_channels`` channels, and one network for :math:`S` and :math:`T`:

    .. math::
        y &= x_0 \odot e^{b \tanh(S(x_1)/b)} + T(x_1), \qquad z = x_1, \\
        g^\dagger(y) &= [\,(y - T(r)) \odot e^{-b \tanh(S(r)/b)} \mid r\,],
        \qquad r = r(y) .

    Laws, for *any* network ``r``, trained or not: :math:`g g^\dagger = id`,
    hence :math:`g g^\dagger g = g` and
    :math:`g^\dagger g g^\dagger = g^\dagger`; and
    :math:`G^{-1}(G(x)) = x`. The scale lies in
    :math:`[e^{-b}, e^b]`, so that rounding errors stay bounded; ``T`` and
    ``r`` are unbounded. The last layers start at zero: the new block copies
    :math:`x_0` and its code is zero. Mix the channels *before* the block,
    for example with :class:`~pinv_edu.CayleyMix`; the block does not.

    Parameters
    ----------
    shape
        Event shape, a picture (C, H, W) or a vector (n,).
    out_channels
        Channels (or entries) kept, from 1 to C - 1.
    hidden
        Width of the default networks.
    scale_bound
        :math:`b > 0`.
    code
        What :meth:`null_code` returns. ``"learned"``: :math:`r(y)`, a
        network trained by :func:`~pinv_edu.train_spnn`. ``"natural"``: the
        constant :math:`q(0) = 0`, the code of the zero picture. On a fibre
        :math:`\|G(x)\|^2 = \|y\|^2 + \|x_1\|^2`, so zero is the code of
        least norm; and a chain of such blocks has the least norm of its
        stacked completion. (Inside a *trained* chain the zero picture no
        longer has code zero, since earlier blocks shift it: distance to
        that code is what ``train_spnn(..., dial=1)`` makes small.)
    net
        Your own network from :math:`x_1` (B, C - c, ...) to :math:`S` and
        :math:`T` stacked (B, 2 c, ...), c = ``out_channels``. It need not
        be invertible, but must be deterministic and treat each item alone:
        no batch norm, no dropout.
    r
        Your own network from ``y`` (B, c, ...) to :math:`x_1`.
    generator
        Draws the default networks' weights; None draws from seed 0.

    Raises
    ------
    TypeError, ValueError
        If a size, bound, code or network is not as described.

    References
    ----------
    Ehrlich, Berman, Shocher (2026), arXiv 2602.06042: the block (there
    :math:`T` and :math:`r` bounded by tanh) and the natural
    pseudo-inverse, Definition 4.2.
    """

    def __init__(
        self,
        shape: Sequence[int],
        out_channels: int,
        hidden: int = 32,
        scale_bound: float = 2.0,
        *,
        code: str = "learned",
        net: nn.Module | None = None,
        r: nn.Module | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        shape = check_shape(shape, dims=(1, 3))
        kept = check_out_channels(shape, out_channels)
        super().__init__(shape, (kept, *shape[1:]))
        self.code_shape: Shape = (shape[0] - kept, *shape[1:])
        self.code = check_code(code)
        self.scale_bound = check_positive(scale_bound, "scale_bound")
        if generator is None:
            generator = torch.Generator().manual_seed(0)
        self.net, self.r = check_net(net, "net"), check_net(r, "r")
        if net is None:
            self.net = small_net(self.code_shape, 2 * kept, hidden, generator)
        if r is None and code == "learned":
            lost = self.code_shape[0]
            self.r = small_net(self.out_shape, lost, hidden, generator)

    def complete(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and shift the first channels, keep the others as code."""
        x = self.check_x(x)
        x0, x1 = x.split((self.out_shape[0], self.code_shape[0]), 1)
        log_scale, shift = self.scale_shift(x1)
        return x0 * log_scale.exp() + shift, x1

    def complete_inverse(self, y: Tensor, z: Code) -> Tensor:
        r"""Return :math:`[(y - T(z)) \odot e^{-b\tanh(S(z)/b)} \mid z]`."""
        y = self.check_y(y)
        z = check_batch(z, self.code_shape, self._device(), "code z")
        log_scale, shift = self.scale_shift(z)
        return torch.cat([(y - shift) * (-log_scale).exp(), z], 1)

    def null_code(self, y: Tensor) -> Tensor:
        r"""Return :math:`r(y)`, or zeros for the natural code."""
        y = self.check_y(y)
        if self.code == "natural":
            return y.new_zeros(len(y), *self.code_shape)
        return self._sized(evaluate(self.r, y), self.code_shape, "r")

    def scale_shift(self, x1: Tensor) -> tuple[Tensor, Tensor]:
        r"""Return :math:`b \tanh(S(x_1)/b)` and :math:`T(x_1)`."""
        kept, *space = self.out_shape
        out = self._sized(evaluate(self.net, x1), (2 * kept, *space), "net")
        scale, shift = out.chunk(2, 1)
        return self.scale_bound * torch.tanh(scale / self.scale_bound), shift

    @staticmethod
    def _sized(out: Tensor, shape: Shape, name: str) -> Tensor:
        if tuple(out.shape[1:]) != shape:
            raise ValueError(
                f"the network {name} must return shape (B, "
                f"{', '.join(map(str, shape))}), got {tuple(out.shape)}"
            )
        return out

    def extra_repr(self) -> str:
        """Shapes, bound and code."""
        shapes = super().extra_repr()
        return f"{shapes}, scale_bound={self.scale_bound}, code={self.code!r}"


def check_out_channels(shape: Shape, out_channels: int) -> int:
    """Return ``out_channels`` if from 1 to one less than there are."""
    if not isinstance(out_channels, int) or isinstance(out_channels, bool):
        raise TypeError(
            f"out_channels must be an integer, got {out_channels!r}"
        )
    if not 1 <= out_channels < shape[0]:
        raise ValueError(
            f"out_channels must be from 1 to {shape[0] - 1}, one less than "
            f"the channels of {shape}, got {out_channels}: a block that "
            f"loses nothing is an AffineCoupling; PixelUnshuffle makes more "
            f"channels"
        )
    return out_channels


def check_code(code: str) -> str:
    """Return ``code`` if it names a kind of null code."""
    if code not in CODES:
        raise ValueError(f"code must be one of {CODES}, got {code!r}")
    return code


def check_net(net: nn.Module | None, name: str) -> nn.Module | None:
    """Return ``net`` if it gives the same output for the same input."""
    if net is not None and not isinstance(net, nn.Module):
        raise TypeError(
            f"{name} must be a torch.nn.Module, got {type(net).__name__}"
        )
    unsteady = nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd
    for part in net.modules() if net is not None else ():
        if isinstance(part, unsteady):
            raise ValueError(
                f"{name} holds {type(part).__name__}: forward and inverse "
                f"would see different numbers and the laws would break; "
                f"use GroupNorm, or no normalisation"
            )
    return net
