"""Rulers: against hand computations, scikit-image and known laws."""

from __future__ import annotations

import builtins
import math

import pytest
import torch
from torch import Tensor

from pinv_edu import AveragePool, MatrixOperator
from pinv_edu.metrics import consistency, psnr, sliced_wasserstein, ssim

F64 = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int = 3, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, 12, 10, generator=seeded(seed)) * 2 - 1


def cloud(n: int = 500, d: int = 3, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=seeded(seed), dtype=F64)


# Pictures


def test_psnr_by_hand():
    truth = torch.zeros(2, 1, 2, 2)
    x = torch.stack([truth[0] + 0.2, truth[0]])
    x[1, 0, 0, 0] = 1.0
    wanted = [10 * math.log10(4 / 0.04), 10 * math.log10(4 / 0.25)]
    assert psnr(x, truth).tolist() == pytest.approx(wanted)
    half = psnr(x, truth, data_range=4.0) - psnr(x, truth)
    assert half.tolist() == pytest.approx([20 * math.log10(2)] * 2)


def test_psnr_is_that_of_scikit_image():
    metrics = pytest.importorskip("skimage.metrics")
    a, b = pictures(), pictures(seed=1)
    wanted = [
        metrics.peak_signal_noise_ratio(t.numpy(), x.numpy(), data_range=2.0)
        for x, t in zip(a, b)
    ]
    assert psnr(a, b).tolist() == pytest.approx(wanted, rel=1e-5)


def test_psnr_clamps_and_is_infinite_for_equal_pictures():
    truth = torch.ones(1, 1, 2, 2)
    assert psnr(truth + 5, truth).item() == math.inf
    assert psnr(truth * 3, truth, data_range=6.0).item() < 10


def test_ssim_is_that_of_scikit_image():
    metrics = pytest.importorskip("skimage.metrics")
    b = pictures()
    a = (b + 0.5 * pictures(seed=1)).clamp(-1, 1)
    values = ssim(a, b)
    for x, t, value in zip(a, b, values.tolist()):
        wanted = metrics.structural_similarity(
            x.permute(1, 2, 0).numpy(),
            t.permute(1, 2, 0).numpy(),
            data_range=2.0,
            channel_axis=2,
        )
        assert value == pytest.approx(wanted, abs=1e-5)
    assert values.shape == (3,) and float(values.max()) < 0.95


def test_ssim_by_hand_for_flat_pictures():
    """Without variance only the means count."""
    pytest.importorskip("skimage")
    a, b = torch.full((1, 1, 8, 8), 0.5), torch.full((1, 1, 8, 8), 0.2)
    c1 = (0.01 * 2) ** 2
    wanted = (2 * 0.5 * 0.2 + c1) / (0.5**2 + 0.2**2 + c1)
    assert ssim(a, b).item() == pytest.approx(wanted, rel=1e-4)
    assert ssim(b, b).item() == pytest.approx(1)
    assert ssim(b + 9, 0 * b + 1).item() == pytest.approx(1)


def test_ssim_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name: str, *args: object, **more: object) -> object:
        if name.startswith("skimage"):
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pinv-edu\[metrics\]"):
        ssim(pictures(), pictures())


@pytest.mark.parametrize("ruler", [psnr, ssim])
def test_pictures_must_match(ruler):
    with pytest.raises(ValueError, match="batches of the same shape"):
        ruler(pictures(2), pictures(3))
    with pytest.raises(ValueError, match="batches of the same shape"):
        ruler(torch.zeros(3), torch.zeros(3))


def test_consistency_by_hand():
    op = MatrixOperator([[1.0, 0.0], [0.0, 2.0]])
    x = torch.tensor([[1.0, 1.0], [3.0, 2.0]], dtype=F64)
    y = torch.tensor([[1.0, 1.0], [3.0, 4.0]], dtype=F64)
    values = consistency(op, x, y)
    assert values.tolist() == pytest.approx([1 / 2**0.5, 0.0])
    nothing = torch.zeros(2, 2, dtype=F64)
    x[1] = 0
    assert consistency(op, x, nothing).tolist() == [math.inf, 0.0]


def test_consistency_of_an_exact_pre_image_and_its_scale():
    op = AveragePool((3, 12, 10), 2)
    x = pictures().double()
    y = op(x)
    assert float(consistency(op, op.pinv(y), y).max()) < 1e-14
    once, scaled = consistency(op, x, 2 * y), consistency(op, 5 * x, 10 * y)
    assert once.tolist() == pytest.approx([0.5] * 3)
    assert torch.allclose(once, scaled)


# Clouds


def test_on_a_line_it_is_the_sorted_distance():
    a, b = cloud(d=1), 2 * cloud(d=1, seed=1)
    wanted = (a.sort(0).values - b.sort(0).values).square().mean().sqrt()
    assert sliced_wasserstein(a, b) == pytest.approx(float(wanted))


def test_two_points_by_hand():
    a, b = torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])
    wanted = 5 / 2**0.5
    value = sliced_wasserstein(a, b, directions=20_000)
    assert value == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize("d", [1, 2, 8])
def test_a_shift_costs_its_length_over_the_root_of_d(d):
    a, shift = cloud(d=d), torch.arange(1.0, d + 1)
    value = sliced_wasserstein(a, a + shift, directions=5000)
    assert value == pytest.approx(float(shift.norm()) / d**0.5, rel=0.05)


def test_scaling_a_normal_cloud_costs_the_difference_of_the_widths():
    a = cloud(20_000, 2)
    assert sliced_wasserstein(a, 3 * a) == pytest.approx(2, rel=0.03)


def test_it_is_a_distance():
    a, b, c = cloud(), cloud(seed=1) + 1, 2 * cloud(seed=2)
    ab, bc, ac = (
        sliced_wasserstein(*pair) for pair in ((a, b), (b, c), (a, c))
    )
    assert sliced_wasserstein(a, a.flip(0)) == 0
    assert ab == sliced_wasserstein(b, a) > 0
    assert ac <= ab + bc
    assert sliced_wasserstein(4 * a, 4 * b) == pytest.approx(4 * ab)
    assert sliced_wasserstein(a + 7, b + 7) == pytest.approx(ab)


def test_unequal_numbers_of_points():
    a = cloud(400)
    doubled = a.repeat(3, 1)  # the same distribution
    assert sliced_wasserstein(a, doubled) < 1e-9
    few, many = cloud(2000, 2), cloud(7001, 2, seed=1)
    assert sliced_wasserstein(few, many) < 0.06
    assert sliced_wasserstein(few, many + 3) == pytest.approx(3, rel=0.06)
    assert sliced_wasserstein(many, few) == sliced_wasserstein(few, many)


def test_directions_come_from_the_generator():
    a, b, before = cloud(), cloud(seed=1), torch.get_rng_state()
    assert sliced_wasserstein(a, b) == sliced_wasserstein(a, b)
    assert sliced_wasserstein(a, b) == sliced_wasserstein(
        a, b, generator=seeded(0)
    )
    other = sliced_wasserstein(a, b, generator=seeded(1))
    assert other != sliced_wasserstein(a, b)
    assert torch.equal(torch.get_rng_state(), before)
    assert isinstance(other, float)


@pytest.mark.parametrize(
    "a, b",
    [
        (torch.zeros(3), torch.zeros(3)),
        (torch.zeros(3, 2), torch.zeros(3, 1)),
        (torch.zeros(3, 2), torch.zeros(3, 2, 1)),
        (torch.zeros(0, 2), torch.zeros(3, 2)),
    ],
)
def test_wrong_clouds_are_refused(a, b):
    with pytest.raises(ValueError, match="give clouds"):
        sliced_wasserstein(a, b)
