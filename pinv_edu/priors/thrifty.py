"""A prior that saves memory and time: half precision, small batches."""

from __future__ import annotations

import torch
from torch import Tensor

from pinv_edu.priors.schedule import Prior

PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)


class ThriftyPrior:
    r"""The same prior, with its network in half precision, a few at a time.

    Only the network is spared: :math:`\varepsilon_\theta` is computed under
    ``torch.autocast`` and handed back in the type of :math:`x_t`. What a
    sampler does with it, and above all the back-projection, keeps the
    precision of the measurement.

    Parameters
    ----------
    prior
        Any prior.
    dtype
        float32 (as it is), bfloat16 or float16 for the layers that torch
        runs in half precision, which are those that multiply matrices.
    batch
        At most so many items go through the network at once; default all.
        The noise of an item does not depend on its neighbours, so this
        changes memory and time and, up to rounding, nothing else.

    Raises
    ------
    ValueError
        If ``dtype`` is not one of the three or ``batch`` is no positive
        integer.
    """

    def __init__(
        self,
        prior: Prior,
        dtype: torch.dtype = torch.float32,
        batch: int | None = None,
    ) -> None:
        if dtype not in PRECISIONS:
            raise ValueError(f"dtype must be one of {PRECISIONS}, got {dtype}")
        if batch is not None and (not isinstance(batch, int) or batch < 1):
            raise ValueError(
                f"batch must be a positive integer or None, got {batch!r}"
            )
        self.prior, self.dtype, self.batch = prior, dtype, batch
        self.shape, self.alphas_cumprod = prior.shape, prior.alphas_cumprod

    def predict_noise(self, x_t: Tensor, t: Tensor | int) -> Tensor:
        r"""Return :math:`\varepsilon_\theta(x_t, t)`, typed like x_t."""
        half = self.dtype != torch.float32
        with torch.autocast(x_t.device.type, self.dtype, enabled=half):
            parts = [
                self.prior.predict_noise(part, t)
                for part in x_t.split(self.batch or len(x_t))
            ]
        return torch.cat(parts).to(x_t.dtype)
