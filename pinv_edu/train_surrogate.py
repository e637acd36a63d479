"""Train the bundled surrogates: ``python -m pinv_edu.train_surrogate``.

A pseudo-invertible network learns what :class:`~pinv_edu.BlackBoxCamera`
does, from pairs (x, camera(x)) alone: pictures of Fashion-MNIST, and what
the camera makes of them.  ``--pairs`` says how many, ``--without`` leaves
out a part of the network.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor

from pinv_edu.cameras import BlackBoxCamera
from pinv_edu.linear import AveragePool
from pinv_edu.spnn.builders import spnn_surrogate
from pinv_edu.spnn.bundled import BUNDLED, PARTS
from pinv_edu.spnn.network import SPNN
from pinv_edu.spnn.training import train_spnn
from pinv_edu.training.bundle import law_residuals, save_weights, versions
from pinv_edu.training.data import fashion_labelled

STEPS = 1_200
TEST = 2_000  # pictures of the test set to measure with
MADE = {
    None: "",
    "couplings": " with `couplings=0`",
    "haar": " with a first rotation that starts at the identity",
}
NOISE = 0.2  # on the held-out pictures, for the error off the data
CARD = """\
# Network `{name}`

`pinv_edu.spnn_surrogate((1, 28, 28), (1, 14, 14))`{made}: a model of
`pinv_edu.BlackBoxCamera()` with an exact pseudo-inverse, learned from
{pairs:,} pairs (x, camera(x)). {size} bytes, half precision, sha256
`{digest}`.

- Data: the first {pairs:,} training pictures of Fashion-MNIST (Zalando SE,
  MIT licence), and what the camera, rounding to 64 levels, makes of them.
- Training: {steps} steps of 32 in {seconds:.0f} CPU seconds on one thread;
  100 times the squared error of g(x), plus 3 times that of g†(y); AdamW,
  learning rate 4e-3.
- Relative error |g(x) - camera(x)| / |camera(x)| on {test:,} test
  pictures: {error:.2%}; with noise of standard deviation {noise} added to
  x: {off:.2%}; on the pairs it learned from: {seen:.2%}.
- To compare: average pool {pool:.2%}, with a gain and an offset for each
  pixel, fitted to the same pairs, {linear:.2%}; the rounding alone
  {floor:.2%}.
- Relative residual under the camera itself of A⁺y, the enlarged
  measurement: {before:.2%}; after back-projection with this network:
  {after:.2%}.
- Largest residual of any law (`check_operator`) after training: {single:.0e}
  in float32, {double:.0e} in float64.
- Weights: MIT licence, as pinv-edu. Data: the licence named above.
- Versions: {versions}.

Command:

    {command}
"""


def learn(
    x: Tensor,
    y: Tensor,
    steps: int = STEPS,
    progress: bool = True,
    surrogate: SPNN | None = None,
) -> SPNN:
    r"""Return a surrogate learned from pairs: the recipe of lesson 14.

    .. math::
        100\,\overline{|g(x) - y|^2} + 3\,\overline{|g^\dagger(y) - x|^2} .

    Parameters
    ----------
    x, y
        Pictures (N, C, H, W) and measurements (N, C', H', W').
    steps
        Steps of 32 pairs.
    progress
        Show a progress bar.
    surrogate
        The network to train; by default :func:`spnn_surrogate`'s.
    """
    if surrogate is None:
        surrogate = spnn_surrogate(x.shape[1:], y.shape[1:])
    train_spnn(
        surrogate, (x, y), task="mse", task_weight=100.0, reconstruction=0.0,
        inverse=3.0, share=1.0, steps=steps, batch=32, lr=4e-3, warmup=30,
        clip=5.0, progress=progress,
    )  # fmt: skip
    return surrogate.eval().requires_grad_(False)


def relative(guess: Tensor, y: Tensor) -> float:
    """Size of the error, relative to that of ``y``."""
    return float((guess - y).norm() / y.norm())


def pixel_fit(seen: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Gain and offset for each pixel, by least squares over the pairs."""
    centred = seen - seen.mean(0)
    gain = (centred * y).mean(0) / centred.square().mean(0).clamp(min=1e-12)
    return gain, y.mean(0) - gain * seen.mean(0)


def compare(x: Tensor, y: Tensor, test: Tensor) -> dict[str, float]:
    """Errors on test pictures of what needs no network."""
    camera, pool = BlackBoxCamera(x.shape[1:]), AveragePool(x.shape[1:], 2)
    gain, offset = pixel_fit(pool(x), y)
    wanted = camera(test)
    return {
        "pool": relative(pool(test), wanted),
        "linear": relative(gain * pool(test) + offset, wanted),
        "floor": relative(camera.smooth(test), wanted),
    }


def measure(surrogate: SPNN, x: Tensor, y: Tensor, test: Tensor) -> dict:
    """Errors of the surrogate, and what its back-projection is worth."""
    camera, pool = BlackBoxCamera(x.shape[1:]), AveragePool(x.shape[1:], 2)
    wanted = camera(test)
    generator = torch.Generator().manual_seed(0)
    noisy = test + NOISE * torch.randn(test.shape, generator=generator)
    start = pool.pinv(wanted)
    return {
        "error": relative(surrogate(test), wanted),
        "off": relative(surrogate(noisy), camera(noisy)),
        "seen": relative(surrogate(x), y),
        "before": relative(camera(start), wanted),
        "after": relative(camera(surrogate.project(start, wanted)), wanted),
    }


def write(args: argparse.Namespace, x: Tensor, test: Tensor) -> str:
    """Train on ``x``, write the weights, and return the card."""
    y = BlackBoxCamera(x.shape[1:])(x)
    part = args.without
    fresh = None if part is None else BUNDLED[f"camera-surrogate-no-{part}"]()
    begun = time.process_time()
    surrogate = learn(x, y, args.steps, surrogate=fresh)
    facts: dict[str, object] = {"seconds": time.process_time() - begun}
    facts |= save_weights(surrogate, args.out, half=True)
    surrogate.half().float()  # measure what is shipped
    facts |= compare(x, y, test) | measure(surrogate, x, y, test)
    facts |= law_residuals(surrogate, test[:8])
    name, steps = args.out.name, args.steps
    command = "python -m pinv_edu.train_surrogate"
    command += f" --out {name} --pairs {len(x)} --steps {steps}"
    command += f" --without {part}" if part else ""
    return CARD.format(
        name=name, pairs=len(x), steps=steps, test=len(test), noise=NOISE,
        command=command, versions=versions(), made=MADE[part], **facts,
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Train, measure on the test pictures, write."""
    parser = argparse.ArgumentParser("python -m pinv_edu.train_surrogate")
    parser.add_argument("--out", type=Path, default=Path("camera-surrogate"))
    parser.add_argument("--data", type=Path, help="folder of the IDX files")
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--without", choices=PARTS)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    x, test = (fashion_labelled(p, args.data)[0] for p in ("train", "test"))
    args.out.mkdir(parents=True, exist_ok=True)
    card = write(args, x[: args.pairs], test[:TEST])
    (args.out / "README.md").write_text(card)
    print(card)


if __name__ == "__main__":
    main()
