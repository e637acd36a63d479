"""Full size both ways: with stand-ins for the hub's files, and without."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell

import notebooks as tool
from pinv_edu import (
    AveragePool,
    GaussianMixturePrior,
    ddnm,
    load_prior,
    photograph,
    spnn_celebahq256,
)
from pinv_edu import hub as hub_module
from pinv_edu import workplace as workplace_module
from pinv_edu.memory import BatchPlan, free_memory, peak_memory, plan_batch
from pinv_edu.metrics import consistency
from pinv_edu.priors import ThriftyPrior, celebahq_unet
from pinv_edu.priors import network as network_module
from pinv_edu.spnn.celeba import ATTRIBUTES
from pinv_edu.spnn.celebahq import official_names
from pinv_edu.workplace import find_attributes, find_workplace, half_precision

NAME = "19-full-size-on-a-gpu"


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def save_model(folder, side):
    """A tiny network with random weights, in diffusers' layout."""
    from diffusers import DDPMScheduler, UNet2DModel

    torch.manual_seed(0)
    UNet2DModel(
        sample_size=side,
        block_out_channels=(2, 4),
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=2,
        add_attention=False,
    ).save_pretrained(folder)
    DDPMScheduler().save_pretrained(folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    pytest.importorskip("diffusers")
    folder = tmp_path_factory.mktemp("model")
    save_model(folder, 256)
    return folder


@pytest.fixture(scope="module")
def spnn_file(tmp_path_factory):
    """All names and shapes of the published file; each tensor constant."""
    with torch.device("meta"):
        network = spnn_celebahq256()
    ours, generator = network.state_dict(), torch.Generator().manual_seed(0)
    tensors = {
        name: 0.02 * torch.randn(1, generator=generator).expand_as(ours[our])
        for name, our in official_names(network).items()
    }
    file = tmp_path_factory.mktemp("spnn") / "spnn_celebahq_256.pth"
    torch.save(tensors, file)
    return file


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in ("PRIOR", "SPNN", "STEPS"):
        monkeypatch.delenv(f"PINV_EDU_{name}", raising=False)


@pytest.fixture
def gpu(monkeypatch):
    """A machine that says it has a GPU; what goes there stays here."""

    def stay(name, device="cpu"):
        return load_prior(name)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cuda, "get_device_capability", lambda device: (7, 5)
    )
    monkeypatch.setattr(workplace_module, "load_prior", stay)
    return stay


def test_without_a_gpu_the_bundled_prior_is_taken_and_nothing_fetched(
    monkeypatch,
):
    def no_connection(*args, **options):
        raise AssertionError("tried the network")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(socket, "create_connection", no_connection)
    place = find_workplace()
    assert not place.full and place.prior.shape == (3, 32, 32)
    assert "No GPU" in place.notice and "emoji" in place.notice
    assert "on a machine with a CUDA GPU" in place.notice
    assert (place.dtype, place.steps) == (torch.float32, 20)
    assert place.picture(2).shape == (2, 3, 32, 32)


def test_a_gpu_without_the_model_says_what_is_missing(monkeypatch, gpu):
    def unreachable(name, device="cpu"):
        if name == "celebahq-256":
            raise ValueError("not stored, not within reach")
        return gpu(name)

    monkeypatch.setattr(workplace_module, "load_prior", unreachable)
    place = find_workplace()
    assert not place.full and place.device.type == "cuda"
    assert "neither stored nor within reach" in place.notice
    assert "PINV_EDU_PRIOR" in place.notice


def test_a_gpu_with_the_model_is_full_size(monkeypatch, gpu, model):
    asked = []

    def stored(name, device="cpu"):
        asked.append((name, str(device)))
        return gpu(model)

    monkeypatch.setattr(workplace_module, "load_prior", stored)
    place = find_workplace()
    assert asked == [("celebahq-256", "cuda")]
    assert place.full and place.prior.shape == (3, 256, 256)
    assert (place.dtype, place.steps) == (torch.float16, 100)


def test_a_folder_is_full_size_on_any_device(monkeypatch, model):
    monkeypatch.setenv("PINV_EDU_PRIOR", str(model))
    monkeypatch.setenv("PINV_EDU_STEPS", "3")
    place = find_workplace("cpu")
    assert place.full and place.steps == 3 and "cpu" in place.notice
    x = place.picture(2)
    assert torch.equal(x, photograph("portrait").expand(2, -1, -1, -1))
    A = AveragePool(place.prior.shape, 4)
    restored = ddnm(place.prior, A, A(x), steps=3, progress=False)
    assert consistency(A, restored, A(x)).max() < 1e-5


def test_the_portrait_has_the_size_of_the_model(monkeypatch, tmp_path):
    pytest.importorskip("diffusers")
    save_model(tmp_path, 64)
    monkeypatch.setenv("PINV_EDU_PRIOR", str(tmp_path))
    assert find_workplace("cpu").picture().shape == (1, 3, 64, 64)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PINV_EDU_PRIOR", "nowhere", "there is no prior 'nowhere'"),
        ("PINV_EDU_STEPS", "many", "positive integer, got 'many'"),
        ("PINV_EDU_STEPS", "0", "positive integer, got '0'"),
    ],
)
def test_what_was_asked_for_is_not_replaced(monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=words):
        find_workplace("cpu")


def test_the_hub_branch_reads_a_model_by_its_name(monkeypatch, model):
    """The hub's own loader, with a folder where the hub's name would be."""
    monkeypatch.setitem(network_module.HUB, "celebahq-256", str(model))
    monkeypatch.setattr(network_module, "hub_answers", lambda: False)
    fetched, given = load_prior("celebahq-256"), load_prior(model)
    assert fetched.shape == (3, 256, 256)
    weights = (p.unet.state_dict() for p in (fetched, given))
    for one, other in zip(*map(dict.values, weights), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(fetched.alphas_cumprod, given.alphas_cumprod)


@pytest.mark.parametrize("answers", [True, False])
def test_the_spnn_is_asked_of_the_hub(monkeypatch, answers):
    hub = pytest.importorskip("huggingface_hub")
    asked = []
    monkeypatch.setattr(
        hub, "hf_hub_download", lambda *a, **k: asked.append((a, k))
    )
    monkeypatch.setattr(workplace_module, "hub_answers", lambda: answers)
    workplace_module._fetch_spnn()
    file = ("yamitehr/SPNN", "spnn_celebahq_256.pth")
    assert asked == [(file, {"local_files_only": not answers})]


def test_the_official_file_edits_the_portrait(monkeypatch, model, spnn_file):
    monkeypatch.setenv("PINV_EDU_PRIOR", str(model))
    monkeypatch.setenv("PINV_EDU_SPNN", str(spnn_file))
    place = find_workplace("cpu")
    attributes = find_attributes(place)
    assert attributes.place is place and attributes.names == ATTRIBUTES
    k, g = attributes.number("Eyeglasses"), attributes.network
    assert k == 15 and not any(w.requires_grad for w in g.parameters())
    x = place.picture()
    wanted = g(x)
    wanted[:, k] += 1
    assert (g(g.project(x, wanted)) - wanted).abs().max() < 1e-4


def test_attributes_fall_back_and_say_so(monkeypatch, model):
    monkeypatch.setenv("PINV_EDU_PRIOR", str(model))

    def unreachable():
        raise FileNotFoundError("not stored")

    monkeypatch.setattr(workplace_module, "_fetch_spnn", unreachable)
    attributes = find_attributes(find_workplace("cpu"))
    assert "spnn_celebahq_256.pth" in attributes.place.notice
    assert attributes.network.in_shape == attributes.place.prior.shape
    assert attributes.network.out_shape == (len(attributes.names),)
    assert not attributes.place.full


def test_a_wrong_attribute_file_is_an_error(monkeypatch, model):
    monkeypatch.setenv("PINV_EDU_PRIOR", str(model))
    monkeypatch.setenv("PINV_EDU_SPNN", str(model / "config.json"))
    with pytest.raises(ValueError, match="not a file of weights"):
        find_attributes(find_workplace("cpu"))


def test_the_forty_attributes():
    assert len(ATTRIBUTES) == len(set(ATTRIBUTES)) == 40
    assert list(ATTRIBUTES) == sorted(ATTRIBUTES)
    assert ATTRIBUTES.index("Smiling") == 31


@pytest.mark.parametrize(
    ("capability", "dtype"),
    [((7, 5), torch.float16), ((8, 0), torch.bfloat16)],
)
def test_half_precision_of_a_gpu(monkeypatch, capability, dtype):
    monkeypatch.setattr(
        torch.cuda, "get_device_capability", lambda device: capability
    )
    assert half_precision("cuda") is dtype
    assert half_precision("cpu") is torch.float32


def test_an_unreachable_hub_is_noticed_at_once(monkeypatch):
    def refuse(address, timeout):
        asked.append((address, timeout))
        raise OSError("no network")

    asked = []
    monkeypatch.setattr(hub_module, "getproxies", dict)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example:8443")
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert not hub_module.hub_answers()
    assert asked == [(("hub.example", 8443), hub_module.SECONDS)]

    opened = SimpleNamespace(close=lambda: None)
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: opened)
    assert hub_module.hub_answers()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert not hub_module.hub_answers()


def test_behind_a_proxy_the_hub_may_answer(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(
        hub_module, "getproxies", lambda: {"https": "http://proxy:3128"}
    )
    assert hub_module.hub_answers()


class Recorder:
    """A prior that writes down in which type and batch it was asked."""

    shape, alphas_cumprod = (4,), torch.linspace(0.99, 0.01, 10)

    def __init__(self):
        self.asked = []

    def predict_noise(self, x_t, t):
        product = x_t @ torch.eye(4)
        self.asked.append((len(x_t), product.dtype))
        return product


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bfloat16, torch.float16]
)
def test_a_thrifty_prior_spares_the_network_only(dtype):
    inner = Recorder()
    prior = ThriftyPrior(inner, dtype, batch=2)
    x = random(5, 4)
    noise = prior.predict_noise(x, 3)
    assert inner.asked == [(2, dtype), (2, dtype), (1, dtype)]
    assert noise.dtype == x.dtype and noise.shape == x.shape
    assert (noise - x).abs().max() <= torch.finfo(dtype).eps * x.abs().max()
    inner.asked.clear()
    ThriftyPrior(inner, dtype).predict_noise(x, 3)
    assert inner.asked == [(5, dtype)]


def test_a_thrifty_prior_restores_consistently():
    prior = load_prior("emoji")
    A = AveragePool(prior.shape, 4)
    y = A(random(3, *prior.shape))
    run = {"steps": 4, "progress": False}
    thrifty = ThriftyPrior(prior, torch.bfloat16, batch=2)
    pictures = [
        ddnm(p, A, y, generator=torch.Generator().manual_seed(1), **run)
        for p in (prior, thrifty)
    ]
    assert all(consistency(A, x, y).max() < 1e-5 for x in pictures)
    assert 0 < (pictures[0] - pictures[1]).abs().mean() < 0.05


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": torch.float64}, "dtype must be one of"),
        ({"batch": 0}, "positive integer or None, got 0"),
        ({"batch": 1.5}, "positive integer or None, got 1.5"),
    ],
)
def test_wrong_economies_are_refused(options, words):
    prior = GaussianMixturePrior([[0.0]], [[[1.0]]])
    with pytest.raises(ValueError, match=words):
        ThriftyPrior(prior, **options)


def test_peak_memory_counts_what_is_alive():
    old = torch.zeros(1000)

    def call():
        a = torch.ones(1000)  # 4,000 bytes
        b = a + old  # 8,000
        del a
        b = b * 2  # 8,000: the first b is still there
        c = b.view(10, 100)[0]  # a view takes nothing
        return c + torch.ones(100)  # 4,000 + 800, after the release of b

    assert peak_memory(call, "cpu") == 8000
    assert peak_memory(lambda: old.add_(1), "cpu") == 0
    assert peak_memory(lambda: torch.empty(10, device="meta"), "meta") == 40


def test_a_plan_is_a_line_through_two_points():
    def call(n):
        return torch.zeros(1000), torch.zeros(n, 50)

    plan = plan_batch(call, "cpu", free=10_000, share=1.0)
    assert (plan.fixed, plan.per_item) == (4000, 200)
    assert plan.batch == 30
    assert plan.needed(30) == peak_memory(lambda: call(30), "cpu") == 10_000
    assert plan_batch(call, "cpu", free=10_000).batch == 20
    assert plan_batch(call, "cpu", free=10**9, most=7).batch == 7


def test_a_plan_that_does_not_fit_says_so():
    with pytest.raises(ValueError, match=r"one item takes 300 bytes .*80%"):
        _ = BatchPlan(fixed=100, per_item=200, free=370).batch
    assert BatchPlan(fixed=100, per_item=200, free=380).batch == 1


def test_free_memory_is_some_of_this_machine():
    assert 2**20 < free_memory("cpu") < 2**44


def test_the_large_network_can_be_counted_without_weights():
    pytest.importorskip("diffusers")
    with torch.device("meta"):
        network = celebahq_unet()
    assert sum(w.numel() for w in network.parameters()) == 113_673_219
    assert network.config.sample_size == 256


RUN = """\
import sys, nbformat
from nbclient import NotebookClient
lesson = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(lesson, timeout=300, kernel_name="python3").execute()
nbformat.write(lesson, sys.argv[2])"""


@pytest.mark.lesson
def test_the_lesson_takes_the_path_of_full_size(tmp_path, model, spnn_file):
    """Device by device the same cells: here on the CPU, offline."""
    lesson = nbformat.read(
        tool.ROOT / "notebooks" / f"{NAME}.ipynb", as_version=4
    )
    last = (
        "print(place.full, spot.full, x.shape, edited['from t = 700'].shape)"
    )
    lesson.cells.append(new_code_cell(last))
    nbformat.write(lesson, tmp_path / "lesson.ipynb")
    kernel = tool.ROOT / "tests" / "kernel"
    path = os.pathsep.join([str(kernel), str(tool.ROOT)])
    environment = os.environ | {
        "PYTHONPATH": path,
        "HF_HUB_OFFLINE": "1",
        "PINV_EDU_PRIOR": str(model),
        "PINV_EDU_SPNN": str(spnn_file),
        "PINV_EDU_STEPS": "2",
    }
    files = tmp_path / "lesson.ipynb", tmp_path / "done.ipynb"
    result = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, files)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    done = nbformat.read(files[1], as_version=4)
    (printed,) = done.cells[-1].outputs
    assert printed.text.split(" torch")[0] == "True True"
    assert "[6, 3, 256, 256]" in printed.text
    assert "[4, 3, 256, 256]" in printed.text
