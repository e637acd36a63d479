"""Priors: every formula of the mixture, and networks from files."""

from __future__ import annotations

import hashlib
import json
import math
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pinv_edu import MatrixOperator
from pinv_edu.priors import (
    DiffusersPrior,
    GaussianMixturePrior,
    Prior,
    add_noise,
    clean_estimate,
    linear_alphas_cumprod,
    load_prior,
)
from pinv_edu.priors import network as network_module

F64 = torch.float64
LINE = torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=F64)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mixture(k: int = 3, d: int = 2, seed: int = 0) -> GaussianMixturePrior:
    g = seeded(seed)
    root = torch.randn(k, d, d, generator=g, dtype=F64)
    return GaussianMixturePrior(
        torch.randn(k, d, generator=g, dtype=F64),
        root @ root.mT / d + 0.1 * torch.eye(d, dtype=F64),
        torch.rand(k, generator=g, dtype=F64) + 0.2,
    )


def moments(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    weight = weight / weight.sum()
    mean = weight @ x
    off = x - mean
    return mean, (weight[:, None] * off).T @ off


# The schedule


def test_schedule_is_that_of_the_papers():
    alphas = linear_alphas_cumprod()
    assert alphas.dtype == F64 and len(alphas) == 1000
    table = {0: 0.9999, 100: 0.89514, 500: 0.0778, 700: 0.00687}
    for t, alpha in table.items():
        assert float(alphas[t]) == pytest.approx(alpha, rel=1e-3)


def test_clean_estimate_undoes_add_noise():
    x, noise = torch.randn(2, 5, 3, generator=seeded(), dtype=F64)
    noised = add_noise(x, noise, 0.3)
    assert torch.allclose(noised, 0.3**0.5 * x + 0.7**0.5 * noise)
    assert torch.allclose(clean_estimate(noised, noise, 0.3), x)


# The mixture


@pytest.mark.parametrize("d", [1, 2, 7])
@pytest.mark.parametrize("alpha", [1.0, 0.9, 0.3, 1e-4])
def test_score_is_the_gradient_of_log_prob(d, alpha):
    prior = mixture(d=d)
    x = torch.randn(20, d, generator=seeded(1), dtype=F64).requires_grad_()
    (slope,) = torch.autograd.grad(prior.log_prob(x, alpha).sum(), x)
    assert torch.allclose(prior.score(x, alpha), slope, atol=1e-9)


def test_log_prob_is_that_of_torch():
    prior, x = mixture(), torch.randn(9, 2, generator=seeded(1), dtype=F64)
    normal = torch.distributions.MultivariateNormal
    for alpha in (1.0, 0.4):
        noisy = alpha * prior.covariances + (1 - alpha) * torch.eye(2)
        parts = normal(alpha**0.5 * prior.means, noisy).log_prob(x[:, None])
        joint = prior.weights.log() + parts
        assert torch.allclose(prior.log_prob(x, alpha), joint.logsumexp(1))
        shares = prior.responsibilities(x, alpha)
        assert torch.allclose(shares, joint.softmax(1))


@pytest.mark.parametrize("t", [0, 10, 500, 999])
def test_noise_is_the_scaled_score(t):
    prior = mixture(d=3)
    x = torch.randn(8, 3, generator=seeded(1), dtype=F64)
    alpha = float(prior.alphas_cumprod[t])
    noise = prior.predict_noise(x, torch.tensor(t))
    assert torch.equal(noise, prior.predict_noise(x, t))
    assert torch.allclose(noise, -((1 - alpha) ** 0.5) * prior.score(x, alpha))


def test_noise_is_the_mean_of_the_noise():
    """Tweedie for one Gaussian: the regression of eps on x_t."""
    prior = mixture(k=1, d=2)
    x = torch.randn(4, 2, generator=seeded(1), dtype=F64)
    alpha = float(prior.alphas_cumprod[300])
    noisy = alpha * prior.covariances[0] + (1 - alpha) * torch.eye(2)
    off = x - alpha**0.5 * prior.means[0]
    wanted = (1 - alpha) ** 0.5 * torch.linalg.solve(noisy, off.T).T
    assert torch.allclose(prior.predict_noise(x, 300), wanted)


def test_samples_have_the_moments_of_the_mixture():
    prior = mixture(d=3)
    x = prior.sample(100_000, seeded())
    mean, cov = moments(x, torch.ones(len(x), dtype=F64))
    assert torch.allclose(mean, prior.mean(), atol=0.02)
    assert torch.allclose(cov, prior.covariance(), atol=0.05)


def test_randomness_comes_from_the_generator_alone():
    prior, before = mixture(), torch.get_rng_state()
    a, b, c = (prior.sample(5, seeded(s)) for s in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, c)
    assert torch.equal(torch.get_rng_state(), before)


def test_dtype_is_kept_and_it_is_a_prior():
    prior, x = mixture(), torch.zeros(4, 2)
    assert isinstance(prior, Prior)
    for out in (prior.score(x), prior.log_prob(x), prior.predict_noise(x, 5)):
        assert out.dtype == torch.float32


def test_weights_are_normalised_and_default_to_equal():
    means, covs = torch.zeros(2, 1), torch.ones(2, 1, 1)
    given = GaussianMixturePrior(means, covs, torch.tensor([3.0, 1.0]))
    assert given.weights.tolist() == [0.75, 0.25]
    assert GaussianMixturePrior(means, covs).weights.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("alpha", [0.9999, 0.5])
def test_a_line_and_a_point_have_finite_scores(alpha):
    covs = torch.stack([LINE, torch.zeros(2, 2, dtype=F64)])
    prior = GaussianMixturePrior(torch.zeros(2, 2), covs)
    x = torch.randn(6, 2, generator=seeded(), dtype=F64).requires_grad_()
    (slope,) = torch.autograd.grad(prior.log_prob(x, alpha).sum(), x)
    assert torch.allclose(prior.score(x, alpha), slope)
    assert bool((prior.sample(50, seeded())[:, 1] == 0).all())


# The exact posterior


@pytest.mark.parametrize("d", [2, 5])
def test_posterior_against_importance_sampling(d):
    prior = mixture(d=d)
    A = torch.randn(2, d, generator=seeded(3), dtype=F64)
    y, sigma = torch.tensor([0.4, -0.3], dtype=F64), 0.5
    x = prior.sample(300_000, seeded())
    log_weight = -0.5 * ((x @ A.T - y) / sigma).square().sum(1)
    weight = (log_weight - log_weight.max()).exp()
    effective = float(weight.sum() ** 2 / weight.square().sum())
    mean, cov = moments(x, weight)
    posterior = prior.posterior(A, y, sigma)
    error = 5 * posterior.covariance().trace().sqrt() / effective**0.5
    assert torch.allclose(posterior.mean(), mean, atol=float(error))
    error = 8 * posterior.covariance().trace() / effective**0.5
    assert torch.allclose(posterior.covariance(), cov, atol=float(error))


def grid() -> Tensor:
    side = torch.linspace(-12, 12, 769, dtype=F64)
    return torch.cartesian_prod(side, side)


@pytest.mark.parametrize("sigma", [0.1, 1.0])
def test_posterior_against_quadrature(sigma):
    prior, x = mixture(), grid()
    A = torch.tensor([[1.0, 0.5]], dtype=F64)
    y = torch.tensor([0.7], dtype=F64)
    log_weight = -0.5 * ((x @ A.T - y) / sigma).square().sum(1)
    weight = (prior.log_prob(x) + log_weight).exp()
    mean, cov = moments(x, weight)
    posterior = prior.posterior(A, y, sigma)
    assert torch.allclose(posterior.mean(), mean, atol=1e-6)
    assert torch.allclose(posterior.covariance(), cov, atol=1e-6)
    density = weight / weight.sum() / (24 / 768) ** 2
    assert torch.allclose(posterior.log_prob(x).exp(), density, atol=1e-6)


def test_exact_posterior_against_quadrature_on_the_fibre():
    prior = mixture()
    along = torch.linspace(-9, 9, 4001, dtype=F64)
    x = torch.stack([torch.full_like(along, 0.3), along], 1)
    mean, cov = moments(x, prior.log_prob(x).exp())
    first = torch.tensor([[1.0, 0.0]])
    posterior = prior.posterior(first, torch.tensor([0.3], dtype=F64))
    assert torch.allclose(posterior.mean(), mean, atol=1e-8)
    assert torch.allclose(posterior.covariance(), cov, atol=1e-8)


MATRICES = {
    "row": torch.tensor([[1.0, 2.0, -1.0, 0.5]], dtype=F64),
    "redundant": torch.tensor([[1.0, 2.0, 0, 0], [2, 4, 0, 0]], dtype=F64),
    "deficient": torch.ones(3, 4, dtype=F64),
    "square": torch.eye(4, dtype=F64) + 0.1,
    "tall": torch.randn(6, 4, generator=seeded(5), dtype=F64),
    "nothing": torch.zeros(2, 4, dtype=F64),
}


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_exact_posterior_lies_on_the_fibre(matrix):
    prior = mixture(d=4)
    y = matrix @ torch.randn(4, generator=seeded(1), dtype=F64)
    posterior = prior.posterior(matrix, y)
    x = posterior.sample(200, seeded())
    assert float((x @ matrix.T - y).abs().max()) < 1e-10
    rank = int(torch.linalg.matrix_rank(matrix))
    assert ((posterior.spread > 1e-9).sum(1) == 4 - rank).all()


def test_redundant_measurements_change_nothing():
    prior, y = mixture(d=4), torch.tensor([0.3], dtype=F64)
    row = MATRICES["row"]
    once = prior.posterior(row, y)
    twice = prior.posterior(
        torch.cat([row, -2 * row]), torch.tensor([1, -2]) * y
    )
    assert torch.allclose(once.means, twice.means)
    assert torch.allclose(once.covariances, twice.covariances)
    assert torch.allclose(once.weights, twice.weights)


@pytest.mark.parametrize("sigma", [0.0, 0.3])
def test_posterior_of_a_posterior(sigma):
    """Two measurements at once, or one after the other."""
    prior, y = mixture(d=4), torch.tensor([0.3, -0.5], dtype=F64)
    A = torch.randn(2, 4, generator=seeded(2), dtype=F64)
    both = prior.posterior(A, y, sigma)
    turn = prior.posterior(A[:1], y[:1], sigma)
    turn = turn.posterior(A[1:], y[1:], sigma)
    assert torch.allclose(both.means, turn.means)
    assert torch.allclose(both.covariances, turn.covariances, atol=1e-12)
    assert torch.allclose(both.weights, turn.weights)


@pytest.mark.parametrize("name", ["row", "square"])
def test_the_same_exact_measurement_again_changes_nothing(name):
    prior, A = mixture(d=4), MATRICES[name]
    y = A @ torch.randn(4, generator=seeded(1), dtype=F64)
    once = prior.posterior(A, y)
    again = once.posterior(A, y)
    assert torch.allclose(once.weights, again.weights)
    assert torch.allclose(once.means, again.means)


@pytest.mark.parametrize("sigma", [0.0, 0.5])
def test_far_components_lose_their_weight(sigma):
    means = torch.tensor([[0.0, 0.0], [900.0, 0.0]], dtype=F64)
    prior = GaussianMixturePrior(means, torch.eye(2).expand(2, 2, 2))
    posterior = prior.posterior(torch.eye(2)[:1], torch.zeros(1), sigma)
    assert len(posterior.means) == 1 and posterior.weights.tolist() == [1]


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.2])
def test_a_measured_line_becomes_a_point(angle):
    axis = torch.tensor([math.cos(angle), math.sin(angle)], dtype=F64)
    prior = GaussianMixturePrior(
        torch.zeros(1, 2), torch.outer(axis, axis)[None]
    )
    truth, A = 0.7 * axis, torch.tensor([[1.0, 2.0]], dtype=F64)
    posterior = prior.posterior(A, A @ truth)
    assert torch.allclose(posterior.means[0], truth)
    assert float(posterior.covariances.abs().max()) < 1e-20


def test_lines_and_points_are_the_limit_of_little_noise():
    """A point that explains y exactly outweighs every density."""
    means = torch.tensor([[0.0, 0.0], [0.3, 1.0], [0.0, 0.0]], dtype=F64)
    covs = torch.stack([LINE, 0 * LINE, torch.eye(2, dtype=F64)])
    prior = GaussianMixturePrior(means, covs)
    A = torch.tensor([[1.0, 0.0]], dtype=F64)
    hit = torch.tensor([0.3], dtype=F64)
    for y in (hit, hit + 0.1):
        exact, nearly = prior.posterior(A, y), prior.posterior(A, y, 1e-5)
        assert torch.allclose(exact.mean(), nearly.mean(), atol=1e-3)
        assert torch.allclose(
            exact.covariance(), nearly.covariance(), atol=1e-3
        )


def test_impossible_measurements_are_refused():
    prior = mixture()
    redundant = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    with pytest.raises(ValueError, match="not in the range of A"):
        prior.posterior(redundant, torch.tensor([0.0, 1.0]))
    noisy = prior.posterior(redundant, torch.tensor([0.0, 1.0]), 0.1)
    assert noisy.mean().isfinite().all()
    line = GaussianMixturePrior(torch.zeros(1, 2), LINE[None])
    with pytest.raises(ValueError, match="impossible"):
        line.posterior(torch.tensor([[0.0, 1.0]]), torch.tensor([0.5]))


def test_float32_measurements_of_a_redundant_operator_are_possible():
    A = torch.randn(6, 2, generator=seeded(1))
    truth = torch.tensor([0.3, -0.8])
    posterior = mixture().posterior(A, A @ truth)
    assert torch.allclose(posterior.mean().float(), truth, atol=1e-5)


def test_operator_and_matrix_give_the_same_posterior():
    prior, A = mixture(d=4), MATRICES["row"]
    y = torch.tensor([[0.3]], dtype=F64)
    a = prior.posterior(MatrixOperator(A), y, 0.1)
    b = prior.posterior(A, y[0], 0.1)
    assert torch.equal(a.means, b.means)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"means": torch.zeros(2)}, "shape \\(K, d\\)"),
        ({"covariances": torch.eye(2)}, "covariances must have shape"),
        ({"covariances": -torch.eye(2)[None]}, "positive semidefinite"),
        ({"covariances": torch.tensor([[[1.0, 0.5], [0, 1]]])}, "symmetric"),
        ({"weights": torch.ones(2)}, "weights must be 1 numbers"),
        ({"weights": -torch.ones(1)}, "none negative"),
        ({"weights": torch.zeros(1)}, "not all zero"),
        ({"means": torch.full((1, 2), math.nan)}, "NaN"),
    ],
)
def test_a_wrong_mixture_is_refused(change, words):
    good = {"means": torch.zeros(1, 2), "covariances": torch.eye(2)[None]}
    with pytest.raises(ValueError, match=words):
        GaussianMixturePrior(**{**good, **change})


@pytest.mark.parametrize(
    "A, y, sigma, words",
    [
        (torch.eye(3), torch.zeros(3), 0.1, "vectors of 2 numbers"),
        (torch.eye(2), torch.zeros(3), 0.1, "must hold 2 numbers"),
        (torch.eye(2), torch.zeros(2), -0.1, "must not be negative"),
        (torch.eye(2), torch.zeros(2), math.nan, "must not be negative"),
        (torch.eye(2), torch.tensor([0, math.inf]), 0.1, "infinite"),
    ],
)
def test_a_wrong_measurement_is_refused(A, y, sigma, words):
    with pytest.raises(ValueError, match=words):
        mixture().posterior(A, y, sigma)


# Networks


class Doubled(nn.Module):
    """Returns ``times`` as many channels as it gets."""

    def __init__(self, times: int = 2) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3 * times, 1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.conv(x) + t[:, None, None, None] / 1000


class Output:
    def __init__(self, sample: Tensor) -> None:
        self.sample = sample


class Boxed(Doubled):
    def forward(self, x: Tensor, t: Tensor) -> Output:
        return Output(super().forward(x, t))


@pytest.mark.parametrize("net", [Doubled(1), Boxed(1), Doubled(2)])
def test_every_kind_of_network_is_a_prior(net):
    prior = DiffusersPrior(net, shape=(3, 4, 4))
    x = torch.randn(2, 3, 4, 4, generator=seeded())
    out = net(x, torch.full((2,), 7))
    wanted = (out if isinstance(out, Tensor) else out.sample)[:, :3]
    assert torch.equal(prior.predict_noise(x, torch.tensor(7)), wanted)
    assert isinstance(prior, Prior) and prior.shape == (3, 4, 4)
    assert len(prior.alphas_cumprod) == 1000
    assert not any(p.requires_grad for p in net.parameters())


def test_a_float32_network_serves_float64_states():
    prior = DiffusersPrior(Doubled(), shape=(3, 4, 4))
    x = torch.randn(2, 3, 4, 4, generator=seeded(), dtype=F64)
    noise = prior.predict_noise(x, 3)
    assert noise.dtype == F64
    assert torch.equal(noise.float(), prior.predict_noise(x.float(), 3))


def test_wrong_networks_are_refused():
    with pytest.raises(ValueError, match="does not say its picture size"):
        DiffusersPrior(Doubled())
    prior = DiffusersPrior(Doubled(3), shape=(3, 4, 4))
    with pytest.raises(ValueError, match="returns 9 channels for 3"):
        prior.predict_noise(torch.zeros(1, 3, 4, 4), 0)


@pytest.fixture
def unet():
    diffusers = pytest.importorskip("diffusers")
    torch.manual_seed(0)
    return diffusers.UNet2DModel(
        sample_size=(8, 4),
        in_channels=1,
        out_channels=1,
        block_out_channels=(8, 8),
        attention_head_dim=4,
        layers_per_block=1,
        norm_num_groups=2,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
    )


def test_a_saved_folder_loads_equal(unet, tmp_path):
    unet.save_pretrained(tmp_path)
    loaded, original = load_prior(tmp_path), DiffusersPrior(unet)
    x = torch.randn(2, 1, 8, 4, generator=seeded())
    assert loaded.shape == original.shape == (1, 8, 4)
    wanted = original.predict_noise(x, 500)
    assert torch.equal(loaded.predict_noise(x, 500), wanted)
    assert torch.equal(loaded.alphas_cumprod, linear_alphas_cumprod())
    assert load_prior(str(tmp_path)).to("cpu").shape == (1, 8, 4)


def test_half_precision_files_are_read_as_float32(unet, tmp_path):
    unet.half().save_pretrained(tmp_path)
    weights = load_prior(tmp_path).unet.parameters()
    assert {w.dtype for w in weights} == {torch.float32}


@pytest.mark.parametrize("place", ["unet", "scheduler"])
def test_the_schedule_beside_the_network_counts(unet, tmp_path, place):
    unet.save_pretrained(tmp_path / "unet")
    (tmp_path / place).mkdir(exist_ok=True)
    config = {
        "num_train_timesteps": 200,
        "beta_start": 0.001,
        "beta_end": 0.05,
        "beta_schedule": "linear",
    }
    file = tmp_path / place / "scheduler_config.json"
    file.write_text(json.dumps(config))
    alphas = load_prior(tmp_path / "unet").alphas_cumprod
    wanted = linear_alphas_cumprod(200, 0.001, 0.05)
    assert alphas.dtype == F64
    assert torch.allclose(alphas, wanted, rtol=1e-4)


def test_networks_that_do_not_predict_noise_are_refused(unet, tmp_path):
    unet.save_pretrained(tmp_path)
    file = tmp_path / "scheduler_config.json"
    file.write_text(json.dumps({"prediction_type": "v_prediction"}))
    with pytest.raises(ValueError, match="predicts 'v_prediction'"):
        load_prior(tmp_path)


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match="there is no prior 'emojis'") as e:
        load_prior("emojis")
    for name in ("fashion-mnist", "emoji", "celebahq-256", "config.json"):
        assert name in str(e.value)
    with pytest.raises(ValueError, match="there is no prior"):
        load_prior(tmp_path)


def test_a_damaged_file_is_refused(tmp_path):
    file = tmp_path / "weights.safetensors"
    file.write_bytes(b"weights")
    total = hashlib.sha256(b"weights").hexdigest()
    sums = file.parent / "SHA256SUMS"
    sums.write_text(f"{total}  {file.name}\n")
    network_module._check_sum(file)
    file.write_bytes(b"weightz")
    with pytest.raises(ValueError, match="is damaged"):
        network_module._check_sum(file)


def test_a_hub_model_out_of_reach_says_so(tmp_path, monkeypatch):
    pytest.importorskip("diffusers")
    from diffusers import UNet2DModel

    def offline(repository: str, **options: bool) -> None:
        raise OSError("offline")

    monkeypatch.setattr(UNet2DModel, "from_pretrained", offline)
    with pytest.raises(ValueError, match="is not stored on this") as e:
        load_prior("celebahq-256")
    assert "fashion-mnist" in str(e.value)


def test_diffusers_itself_raises_what_we_catch(tmp_path, monkeypatch):
    """Offline and with an empty store, without a stand-in."""
    pytest.importorskip("diffusers")
    from diffusers import DDPMScheduler, UNet2DModel
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(network_module, "hub_answers", lambda: False)
    for kind in (UNet2DModel, DDPMScheduler):
        method = partial(
            kind.from_pretrained, cache_dir=tmp_path, local_files_only=True
        )
        monkeypatch.setattr(kind, "from_pretrained", method)
    with pytest.raises(ValueError, match="connect to the network once"):
        load_prior("celebahq-256")


@pytest.mark.parametrize(
    ("name", "shape"), [("fashion-mnist", (1, 28, 28)), ("emoji", (3, 32, 32))]
)
def test_bundled_priors_predict_noise(name, shape):
    """Whole files, and better than the zero guess by far at middle times."""
    pytest.importorskip("diffusers")
    prior = load_prior(name)
    assert prior.shape == shape
    background = -1.0 if name == "fashion-mnist" else 1.0
    x_0 = torch.full((2, *shape), background)
    noise = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(0))
    alpha = float(prior.alphas_cumprod[300])
    guess = prior.predict_noise(add_noise(x_0, noise, alpha), 300)
    assert (guess - noise).square().mean() < 0.1
