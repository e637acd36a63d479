r"""Learned bijections: affine coupling and normalisation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pinv_edu.bijections.base import (
    Bijection,
    check_channels,
    check_positive,
    constant_log_det,
)
from pinv_edu.bijections.networks import evaluate, small_net
from pinv_edu.checks import check_finite


class AffineCoupling(Bijection):
    r"""Scale and shift one half by what the other half says.

    .. math::
        y_0 = x_0, \qquad
        y_1 = x_1 \odot e^{b \tanh(S(x_0)/b)} + T(x_0)

    One network gives :math:`S` and :math:`T`, which need no inverse: the
    half that they read passes unchanged. The bound :math:`b` keeps every
    scale in :math:`[e^{-b}, e^b]`, so that no direction is nearly lost.

    Parameters
    ----------
    shape
        Event shape (C, H, W) or (n,), with at least two channels (entries).
        The first half, rounded up, passes.
    net
        Network from the passing half to twice the channels of the other
        one: :math:`S`, then :math:`T`. The default is
        :func:`~pinv_edu.bijections.small_net`, whose last layer is zero:
        the coupling starts as the identity. It must give the same answer
        twice (no dropout, no batch statistics).
    hidden
        Width of the default network.
    scale_bound
        :math:`b > 0`.
    swap
        Let the second half pass and change the first one.
    generator
        For the default network; None draws from seed 0.

    Raises
    ------
    ValueError
        If there are fewer than two channels or, when called, the network's
        output has a wrong shape.

    References
    ----------
    Dinh, Sohl-Dickstein, Bengio (2017), arXiv 1605.08803, Eq. 7-8. The
    bound is that of Ehrlich, Berman, Shocher (2026), arXiv 2602.06042.
    """

    def __init__(
        self,
        shape: Sequence[int],
        net: nn.Module | None = None,
        *,
        hidden: int = 32,
        scale_bound: float = 2.0,
        swap: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        channels, *rest = check_channels(shape)
        if channels < 2:
            raise ValueError(
                f"a coupling needs at least 2 channels to split, shape "
                f"{tuple(shape)} has 1: put a PixelUnshuffle before it"
            )
        super().__init__(shape)
        self.scale_bound = check_positive(scale_bound, "scale_bound")
        self.swap = swap
        self.changed = channels // 2
        if net is None:
            passing = channels - self.changed, *rest
            net = small_net(passing, 2 * self.changed, hidden, generator)
        elif not isinstance(net, nn.Module):
            raise TypeError(
                f"net must be a torch.nn.Module, got {type(net).__name__}"
            )
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        r"""Return :math:`(x_0,\; x_1 e^{s(x_0)} + T(x_0))`."""
        x0, x1 = self._split(self.check_x(x))
        s, t = self.log_scale_and_shift(x0)
        return self._join(x0, x1 * s.exp() + t)

    def inverse(self, y: Tensor) -> Tensor:
        r"""Return :math:`(y_0,\; (y_1 - T(y_0))\, e^{-s(y_0)})`."""
        y0, y1 = self._split(self.check_y(y))
        s, t = self.log_scale_and_shift(y0)
        return self._join(y0, (y1 - t) * (-s).exp())

    def log_det(self, x: Tensor) -> Tensor:
        r"""Return :math:`\sum_i s(x_0)_i`."""
        x0, _ = self._split(self.check_x(x))
        return self.log_scale_and_shift(x0)[0].flatten(1).sum(1)

    def log_scale_and_shift(self, x0: Tensor) -> tuple[Tensor, Tensor]:
        r"""Return :math:`s = b \tanh(S(x_0)/b)` and :math:`T(x_0)`."""
        out = evaluate(self.net, x0)
        wanted = len(x0), 2 * self.changed, *self.in_shape[1:]
        if tuple(out.shape) != wanted:
            raise ValueError(
                f"net must map {tuple(x0.shape)} to {wanted} (scale and "
                f"shift for {self.changed} channels), it gives "
                f"{tuple(out.shape)}"
            )
        scale, shift = out.chunk(2, dim=1)
        b = self.scale_bound
        return b * torch.tanh(scale / b), shift

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Passing half, changed half."""
        if self.swap:
            return x[:, self.changed :], x[:, : self.changed]
        return x[:, : -self.changed], x[:, -self.changed :]

    def _join(self, passing: Tensor, changed: Tensor) -> Tensor:
        halves = (changed, passing) if self.swap else (passing, changed)
        return torch.cat(halves, dim=1)


class ActNorm(Bijection):
    r"""A gain and an offset for each channel: :math:`y = e^{a_c} x + b_c`.

    Both start at zero, so it starts as the identity; :meth:`fit` sets them
    from data. Calling it never changes it, unlike batch normalisation.

    Parameters
    ----------
    shape
        Event shape (C, H, W), or (n,) with one pair for each entry.

    References
    ----------
    Kingma, Dhariwal (2018), arXiv 1807.03039, section 3.1.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__(check_channels(shape))
        ones = [1] * (len(self.in_shape) - 1)
        self.log_gain = nn.Parameter(torch.zeros(self.in_shape[0], *ones))
        self.offset = nn.Parameter(torch.zeros(self.in_shape[0], *ones))

    def forward(self, x: Tensor) -> Tensor:
        r"""Return :math:`e^a x + b`."""
        x = self.check_x(x)
        return x * self.log_gain.to(x.dtype).exp() + self.offset.to(x.dtype)

    def inverse(self, y: Tensor) -> Tensor:
        r"""Return :math:`(y - b)\, e^{-a}`."""
        y = self.check_y(y)
        return (y - self.offset.to(y.dtype)) * (
            -self.log_gain.to(y.dtype)
        ).exp()

    def log_det(self, x: Tensor) -> Tensor:
        r"""Return :math:`HW \sum_c a_c`."""
        pixels = math.prod(self.in_shape[1:])
        return constant_log_det(self.check_x(x), pixels * self.log_gain.sum())

    @torch.no_grad()
    def fit(self, x: Tensor) -> ActNorm:
        r"""Set gain and offset so that ``self(x)`` has mean 0 and std 1.

        In each channel, over the batch and its pixels; std as
        ``torch.std`` has it.

        Parameters
        ----------
        x
            Batch (B, \*shape).

        Returns
        -------
        The module itself, changed.

        Raises
        ------
        ValueError
            If ``x`` is not finite, or a channel is constant in it, so that
            no gain exists.
        """
        check_finite(self.check_x(x), "batch x")
        others = [0, *range(2, x.dim())]
        std, mean = torch.std_mean(x.double(), dim=others)
        if not bool((std > 0).all()):
            constant = (~(std > 0)).nonzero().flatten().tolist()
            raise ValueError(
                f"channels {constant} have no spread in the batch x: give "
                f"more or other pictures"
            )
        self.log_gain.copy_(-std.log().reshape(self.log_gain.shape))
        self.offset.copy_((-mean / std).reshape(self.offset.shape))
        return self
