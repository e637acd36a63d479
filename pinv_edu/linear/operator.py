r"""Linear operators: :math:`A`, its adjoint, :math:`A^+`, its spectrum."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pinv_edu.base import PseudoInvertible
from pinv_edu.checks import Shape
from pinv_edu.linear.responses import Response
from pinv_edu.linear.spectra import Spectrum, choose_spectrum


class LinearOperator(PseudoInvertible):
    r"""A linear map :math:`A` with its Moore-Penrose inverse :math:`A^+`.

    The completion keeps the null-space part,
    :math:`G(x) = (Ax,\; (I - A^+A)x)`, and the null code of every ``y`` is
    zero. Hence ``project`` is :math:`x + \lambda A^+(y - Ax)`.

    A subclass must define ``forward``. All else has a default that needs
    nothing but ``forward``: ``adjoint`` by automatic differentiation;
    ``pinv`` and ``spectral_filter`` exactly where
    :math:`AA^\top` is diagonal or the matrix is small, else by Krylov
    methods to a relative tolerance of 1e-10 (see
    :mod:`pinv_edu.linear.spectra`). The operators of this package override
    them with their own fast bases.
    """

    incoherent: bool = False
    """Whether ``y`` is random sensing: a small part of everything in each
    number. A network follows such a measurement slowly, and
    :func:`~pinv_edu.ddnm` then tells it louder."""

    def forward(self, x: Tensor) -> Tensor:
        r"""Measure :math:`y = Ax`."""
        raise NotImplementedError(
            f"{type(self).__name__} must define forward(x) -> y"
        )

    def adjoint(self, y: Tensor) -> Tensor:
        r"""Transpose :math:`A^\top y`: :math:`\langle Ax, y\rangle =
        \langle x, A^\top y\rangle`.
        """
        y = self.check_y(y)
        origin = y.new_zeros(len(y), *self.in_shape)
        return torch.func.vjp(self.forward, origin)[1](y)[0]

    def pinv(self, y: Tensor) -> Tensor:
        r"""Moore-Penrose inverse :math:`A^+y`: least squares, least norm."""
        return self._spectrum().pinv(self.check_y(y))

    def singular_values(self) -> Tensor:
        r"""All :math:`\min(m, n)` singular values, descending, float64.

        Raises
        ------
        NotImplementedError
            If the structure does not give them and the matrix is too large
            for a dense decomposition.
        """
        return self._spectrum().singular_values()

    def spectral_filter(self, x: Tensor, response: Response) -> Tensor:
        r"""Filter in the basis of :math:`A`:
        :math:`V\,\mathrm{response}(\sigma)\,V^\top x`.

        All of the spectral theory in one method; directions that
        :math:`A` does not see have :math:`\sigma = 0`.

        Parameters
        ----------
        x
            Batch (B, \*in_shape).
        response
            Maps a float64 tensor of :math:`\sigma \ge 0` to multipliers of
            the same shape. Examples: ``lambda s: (s > 0).double()`` is
            :math:`A^+A`; ``lambda s: s**2 / (s**2 + alpha)`` is Tikhonov's
            filter.
        """
        return self._spectrum().filter(self.check_x(x), response)

    def complete(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""Return :math:`(Ax,\; (I - A^+A)x)`."""
        y = self(x)
        return y, x - self.pinv(y)

    def complete_inverse(self, y: Tensor, z: Tensor) -> Tensor:
        r"""Return :math:`A^+y + z`, for ``z`` in the null space."""
        return self.pinv(y) + self.check_x(z)

    def null_code(self, y: Tensor) -> Tensor:
        """Zero: Moore and Penrose add nothing that was not measured."""
        self.check_y(y)
        return y.new_zeros(len(y), *self.in_shape)

    def _spectrum(self) -> Spectrum:
        """Return the decomposition behind the defaults, made at first use."""
        known: dict[Any, Spectrum] = self.__dict__.setdefault("_known", {})
        device = self._device()
        if device not in known:
            known[device] = choose_spectrum(self, device)
        return known[device]


def sizes(operator: LinearOperator) -> tuple[int, int]:
    """Numbers of measurements and unknowns, ``(m, n)``."""
    return _size(operator.out_shape), _size(operator.in_shape)


def _size(shape: Shape) -> int:
    return int(torch.Size(shape).numel())
