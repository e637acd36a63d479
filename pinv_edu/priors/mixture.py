r"""A Gaussian mixture as a diffusion prior: every formula is exact."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinv_edu.checks import as_constant, check_finite
from pinv_edu.linear import LinearOperator
from pinv_edu.priors.kalman import independent_rows, kalman, matrix_of
from pinv_edu.priors.schedule import linear_alphas_cumprod


class GaussianMixturePrior:
    r""":math:`p(x_0) = \sum_k w_k\,\mathcal N(x_0; \mu_k, \Sigma_k)`.

    Noised, it stays a mixture, with means :math:`\sqrt{\bar\alpha}\mu_k` and
    covariances :math:`C_k = \bar\alpha\Sigma_k + (1 - \bar\alpha) I`, so
    that score, noise and posterior are known in closed form:

    .. math::
        \varepsilon(x, t) = \sqrt{1 - \bar\alpha}\,
        \sum_k p(k \mid x)\,C_k^{-1}(x - \sqrt{\bar\alpha}\,\mu_k) .

    Parameters
    ----------
    means
        (K, d).
    covariances
        (K, d, d), symmetric and positive semidefinite; singular ones are
        allowed (points, lines).
    weights
        (K,), none negative; normalised to sum 1. Default: equal.
    alphas_cumprod
        Noise schedule; default linear with 1,000 steps.

    Raises
    ------
    ValueError
        If shapes do not fit, a covariance is not symmetric positive
        semidefinite, a weight is negative or all are zero.
    """

    def __init__(
        self,
        means: Tensor,
        covariances: Tensor,
        weights: Tensor | None = None,
        alphas_cumprod: Tensor | None = None,
    ) -> None:
        self.means = _constant(means, "means")
        self.covariances = _constant(covariances, "covariances")
        if self.means.dim() != 2:
            raise ValueError(
                f"means must have shape (K, d), got {tuple(self.means.shape)}"
            )
        k, d = self.means.shape
        if self.covariances.shape != (k, d, d):
            raise ValueError(
                f"covariances must have shape {(k, d, d)}, got "
                f"{tuple(self.covariances.shape)}"
            )
        self.weights = _weights(weights, k)
        self.spread, self.axes = _eigen(self.covariances)
        self.shape = (d,)
        if alphas_cumprod is None:
            alphas_cumprod = linear_alphas_cumprod()
        self.alphas_cumprod = alphas_cumprod

    def predict_noise(self, x_t: Tensor, t: Tensor | int) -> Tensor:
        r"""Exact :math:`E[\varepsilon \mid x_t]`, shape (B, d)."""
        alpha = float(self.alphas_cumprod[int(t)])
        return -((1 - alpha) ** 0.5) * self.score(x_t, alpha)

    def score(self, x: Tensor, alpha: float = 1.0) -> Tensor:
        r""":math:`\nabla_x \log p(x)` of the mixture noised to
        :math:`\bar\alpha`.
        """
        share, pull = self._components(x.double(), alpha)
        return -(share[..., None] * pull).sum(1).to(x.dtype)

    def log_prob(self, x: Tensor, alpha: float = 1.0) -> Tensor:
        r""":math:`\log p(x)` of the mixture noised to :math:`\bar\alpha`."""
        joint = self._joint(x.double(), alpha)[0]
        return torch.logsumexp(joint, 1).to(x.dtype)

    def responsibilities(self, x: Tensor, alpha: float = 1.0) -> Tensor:
        """Return p(k | x), shape (B, K)."""
        return self._joint(x.double(), alpha)[0].softmax(1).to(x.dtype)

    def sample(
        self, n: int, generator: torch.Generator | None = None
    ) -> Tensor:
        """Draw exactly, without diffusion: (n, d), float64."""
        which = torch.multinomial(
            self.weights, n, replacement=True, generator=generator
        )
        z = torch.randn(
            n, self.shape[0], generator=generator, dtype=torch.float64
        )
        scaled = self.spread[which].sqrt() * z
        return (
            self.means[which] + (self.axes[which] @ scaled[..., None])[..., 0]
        )

    def mean(self) -> Tensor:
        """Mean of the whole mixture, (d,)."""
        return self.weights @ self.means

    def covariance(self) -> Tensor:
        """Covariance of the whole mixture, (d, d)."""
        off = self.means - self.mean()
        outer = self.covariances + off[:, :, None] * off[:, None, :]
        return (self.weights[:, None, None] * outer).sum(0)

    def posterior(
        self, A: LinearOperator | Tensor, y: Tensor, sigma: float = 0.0
    ) -> GaussianMixturePrior:
        r"""Exact posterior for :math:`y = Ax + \sigma n`.

        Each component is updated by its own Kalman gain and the weights by
        its evidence:

        .. math::
            K_k = \Sigma_k A^\top (A\Sigma_k A^\top + \sigma^2 I)^{-1},
            \qquad \mu_k' = \mu_k + K_k (y - A\mu_k), \qquad
            \Sigma_k' = (I - K_k A)\,\Sigma_k .

        Without noise this is the limit :math:`\sigma \to 0`: a component
        of lower dimension (a point, a line) that explains ``y`` outweighs
        every component that is spread over more dimensions of ``y``.

        Parameters
        ----------
        A
            Linear operator on (d,), or a matrix (m, d).
        y
            One measurement, (m,) or (1, m).
        sigma
            Standard deviation of the noise; 0 for exact measurements.

        Returns
        -------
        GaussianMixturePrior
            With the same noise schedule; its covariances are singular when
            ``sigma`` is 0.

        Raises
        ------
        ValueError
            If shapes do not fit, or ``y`` is impossible: no component gives
            it a positive density.
        """
        matrix = matrix_of(A, self.shape[0])
        y = check_finite(y.double().flatten())
        if len(y) != len(matrix):
            raise ValueError(
                f"y must hold {len(matrix)} numbers, got {len(y)}"
            )
        if not sigma >= 0:
            raise ValueError(f"sigma must not be negative, got {sigma!r}")
        if sigma == 0:
            matrix, y = independent_rows(matrix, y)
        roots = self.axes * self.spread[:, None].sqrt()
        parts = [
            kalman(mu, root, matrix, y, sigma)
            for mu, root in zip(self.means, roots)
        ]
        means, covariances, evidence, rank = map(torch.stack, zip(*parts))
        evidence = evidence + self.weights.log()
        if bool((evidence == -math.inf).all()):
            raise ValueError("y is impossible under this prior")
        thinnest = rank[evidence > -math.inf].min()
        evidence[rank > thinnest] = -math.inf
        kept = evidence > evidence.max() - 700  # the others weigh nothing
        return GaussianMixturePrior(
            means[kept],
            covariances[kept],
            (evidence - evidence.max()).exp()[kept],
            self.alphas_cumprod,
        )

    def _joint(self, x: Tensor, alpha: float) -> tuple[Tensor, ...]:
        """Log joint density (B, K), coordinates and variances."""
        axes, spread = self.axes.to(x.device), self.spread.to(x.device)
        off = x[:, None] - alpha**0.5 * self.means.to(x.device)
        along = torch.einsum("kij,bki->bkj", axes, off)
        variance = alpha * spread + (1 - alpha)
        squares = (along**2 / variance + variance.log()).sum(-1)
        constant = self.shape[0] * math.log(2 * math.pi)
        log_weight = self.weights.to(x.device).log()
        return log_weight - 0.5 * (squares + constant), along, variance

    def _components(self, x: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
        """Responsibilities (B, K) and C^-1 (x - mean), (B, K, d)."""
        joint, along, variance = self._joint(x, alpha)
        axes = self.axes.to(x.device)
        pull = torch.einsum("kij,bkj->bki", axes, along / variance)
        return joint.softmax(1), pull


def _constant(values: Tensor, what: str) -> Tensor:
    return check_finite(as_constant(values, what).double(), what)


def _weights(weights: Tensor | None, k: int) -> Tensor:
    if weights is None:
        weights = torch.ones(k)
    weights = _constant(weights, "weights")
    fits = weights.shape == (k,) and bool((weights >= 0).all())
    if not fits or not bool(weights.any()):
        raise ValueError(
            f"weights must be {k} numbers, none negative and not all zero, "
            f"got {weights}"
        )
    return weights / weights.sum()


def _eigen(covariances: Tensor) -> tuple[Tensor, Tensor]:
    """Variances (K, d) and axes (K, d, d) of symmetric matrices."""
    size = covariances.abs().amax((-1, -2)).clamp(min=1e-300)
    skew = (covariances - covariances.mT).abs().amax((-1, -2))
    values, vectors = torch.linalg.eigh((covariances + covariances.mT) / 2)
    if bool((skew > 1e-9 * size).any()) or bool(
        (values[:, 0] < -1e-9 * size).any()
    ):
        raise ValueError(
            "every covariance must be symmetric and positive semidefinite"
        )
    resolved = values > 1e-15 * len(values[0]) * values[:, -1:]
    return torch.where(resolved, values, 0.0), vectors
