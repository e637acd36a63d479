r"""The shortest move towards a measurement, to first order."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.base import PseudoInvertible
from pinv_edu.checks import check_strength
from pinv_edu.codes import Code, per_item


class GaussNewtonStep(PseudoInvertible):
    r"""The same measurement :math:`g`, with the shortest move to first order.

    .. math::
        \mathrm{project}(x, y) = x + \lambda\,J^+\,(y - g(x)), \qquad
        J = Dg(x) .

    Nearly exact close to the fibre only, and orthogonal to it: what
    :class:`AlternatingProjections` needs of a network. It costs one run
    forward and one backward for each number that ``g`` measures, so it is
    for a few attributes, not for pictures.

    Parameters
    ----------
    operator
        A differentiable operator whose ``y`` is a vector (m,).

    Raises
    ------
    ValueError
        If ``y`` is not a vector.
    """

    def __init__(self, operator: PseudoInvertible) -> None:
        super().__init__(operator.in_shape, operator.out_shape)
        if len(self.out_shape) != 1:
            raise ValueError(
                f"the operator must measure a vector (m,), got "
                f"{self.out_shape}: its Jacobian takes one backward run for "
                f"each number"
            )
        self.operator = operator

    def forward(self, x: Tensor) -> Tensor:
        """Measure with the operator."""
        return self.operator(x)

    def complete(self, x: Tensor) -> tuple[Tensor, Code]:
        """Complete as the operator does."""
        return self.operator.complete(x)

    def complete_inverse(self, y: Tensor, z: Code) -> Tensor:
        """Undo as the operator does."""
        return self.operator.complete_inverse(y, z)

    def null_code(self, y: Tensor) -> Code:
        """Return the operator's; the move does not use it."""
        return self.operator.null_code(y)

    def project(
        self,
        x: Tensor,
        y: Tensor,
        strength: float | Tensor = 1.0,
        *,
        completion: str = "raw",
        code: Code | None = None,
    ) -> Tensor:
        r"""Take one step; ``completion`` and ``code`` play no part.

        Parameters
        ----------
        x, y
            Estimate (B, \*in_shape) and measurement (B, m).
        strength
            :math:`\lambda`, one number or one for each item.
        completion, code
            Accepted as in :meth:`PseudoInvertible.project`.
        """
        x, y = self._check_pair(x, y)
        strength = check_strength(strength, x)
        seen, jacobian = self._linearise(x)
        gram = torch.linalg.pinv(jacobian @ jacobian.mT, hermitian=True)
        step = jacobian.mT @ (gram @ (y - seen)[..., None])  # J⁺ (y - g(x))
        return x + per_item(strength, x) * step.reshape(x.shape)

    def _linearise(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return g(x) and its Jacobian (B, m, n), row by row."""
        with torch.enable_grad():
            x = x.detach().requires_grad_(True)
            seen = self.operator(x)
            rows = [
                torch.autograd.grad(part.sum(), x, retain_graph=True)[0]
                for part in seen.unbind(1)
            ]
        return seen.detach(), torch.stack(rows, 1).flatten(2)
