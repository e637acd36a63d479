"""Train the bundled classifier: ``python -m pinv_edu.train_classifier``.

A pseudo-invertible network learns the ten classes of Fashion-MNIST and, on a
quarter of each batch, to give the picture back.  Beside it a plain
convolutional network learns the classes alone, with the same pictures in the
same order, for comparison and as an independent judge.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import time
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pinv_edu.laws import check_operator
from pinv_edu.spnn.builders import spnn_classifier
from pinv_edu.spnn.bundled import WEIGHTS
from pinv_edu.spnn.network import SPNN
from pinv_edu.spnn.training import train_spnn
from pinv_edu.training.data import fashion_labelled

CARD = """\
# Network `fashion-classifier`

`pinv_edu.spnn_classifier((1, 28, 28), 10)`: pictures of clothes in [-1, 1] to
ten logits, with an exact pseudo-inverse. {size} bytes, float32, sha256
`{digest}`.

- Data: Fashion-MNIST (Zalando SE, MIT licence), 60,000 training pictures,
  half of them mirrored.
- Training: {steps} steps of 128 in {minutes:.0f} minutes on one thread;
  cross-entropy with label smoothing 0.05, plus 10 times the squared error of
  g†(g(x)) on a quarter of each batch; AdamW, learning rate 2e-3.
- Accuracy on the 10,000 test pictures: {accuracy:.2%}. Mean squared error of
  g†(g(x)): {error:.4f}.
- Largest residual of any law (`check_operator`) after training: {single:.0e}
  in float32, {double:.0e} in float64.
{rival}- Weights: MIT licence, as pinv-edu. Data: the licence named above.
- Versions: {versions}.

Command:

    {command}
"""
RIVAL = """\
- A plain convolutional network ({weights:,} weights) after {steps} steps on
  the same pictures: {accuracy:.2%}.
"""


def flip(x: Tensor, y: Tensor, generator: torch.Generator) -> tuple:
    """Mirror half of the pictures."""
    mirrored = torch.rand(len(x), generator=generator) < 0.5
    return torch.where(mirrored[:, None, None, None], x.flip(-1), x), y


def smoothed(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy with label smoothing 0.05."""
    return F.cross_entropy(logits, labels, label_smoothing=0.05)


@torch.no_grad()
def accuracy(network: nn.Module, x: Tensor, labels: Tensor) -> float:
    """Share of the pictures whose largest logit is the right one."""
    guesses = torch.cat([network(part).argmax(1) for part in x.split(500)])
    return float((guesses == labels).float().mean())


@torch.no_grad()
def inverse_error(spnn: SPNN, x: Tensor) -> float:
    """Mean squared error of g†(g(x))."""
    errors = [(spnn.pinv(spnn(p)) - p).square().mean() for p in x.split(500)]
    return float(torch.stack(errors).mean())


def plain_network() -> nn.Sequential:
    """Two pairs of convolutions and two full layers."""
    widths = ((1, 24), (24, 24), (24, 48), (48, 48))
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(widths):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.SiLU()]
        layers += [nn.MaxPool2d(2)] if i % 2 else []
    head = [nn.Flatten(), nn.Linear(48 * 49, 64), nn.SiLU()]
    return nn.Sequential(*layers, *head, nn.Dropout(0.3), nn.Linear(64, 10))


def train_plain(x: Tensor, labels: Tensor, steps: int) -> nn.Sequential:
    """Return the plain network, trained as the SPNN but without inverse."""
    torch.manual_seed(0)
    network, generator = plain_network(), torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3)
    for step in range(steps):
        share = min(1.0, (step + 1) / 100) * (1 - step / steps) ** 0.7
        optimizer.param_groups[0]["lr"] = 2e-3 * share
        which = torch.randint(len(x), (128,), generator=generator)
        loss = smoothed(
            network(flip(x[which], labels[which], generator)[0]), labels[which]
        )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return network.eval()


def write(spnn: SPNN, out: Path, facts: dict[str, object], rival: str) -> None:
    """Write weights, their sum and a card."""
    from safetensors.torch import save

    state = {k: v.contiguous() for k, v in spnn.state_dict().items()}
    content = save(state, {"format": "pt"})
    digest = hashlib.sha256(content).hexdigest()
    (out / WEIGHTS).write_bytes(content)
    (out / "SHA256SUMS").write_text(f"{digest}  {WEIGHTS}\n")
    named = ("pinv-edu", "torch", "numpy")
    versions = [f"{name} {metadata.version(name)}" for name in named]
    card = CARD.format(
        size=len(content),
        digest=digest,
        rival=rival,
        versions=", ".join([f"Python {platform.python_version()}", *versions]),
        **facts,
    )
    (out / "README.md").write_text(card)


def main(arguments: list[str] | None = None) -> None:
    """Train, measure on the test pictures, write."""
    parser = argparse.ArgumentParser("python -m pinv_edu.train_classifier")
    parser.add_argument("--out", type=Path, default=Path("fashion-classifier"))
    parser.add_argument("--data", type=Path, help="folder of the IDX files")
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--plain", type=int, default=6_000, help="steps")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    train, test = (fashion_labelled(p, args.data) for p in ("train", "test"))
    args.out.mkdir(parents=True, exist_ok=True)
    spnn = spnn_classifier((1, 28, 28), 10)
    begun = time.monotonic()
    train_spnn(
        spnn, train, task=smoothed, steps=args.steps, augment=flip, every=500,
        checkpoint=args.out / "checkpoint.pt",
    )  # fmt: skip
    minutes = (time.monotonic() - begun) / 60
    spnn.eval().requires_grad_(False)
    residuals = {
        kind: max(check_operator(model, test[0][:8].to(dtype)).values())
        for kind, dtype, model in (
            ("single", torch.float32, spnn),
            ("double", torch.float64, spnn),
        )
    }
    facts = {
        "steps": args.steps,
        "minutes": minutes,
        "accuracy": accuracy(spnn, *test),
        "error": inverse_error(spnn, test[0]),
        "command": f"python -m pinv_edu.train_classifier --steps {args.steps}"
        f" --plain {args.plain}",
        **residuals,
    }
    write(spnn, args.out, facts, "")
    print(facts)
    if args.plain:
        plain = train_plain(*train, args.plain)
        rival = RIVAL.format(
            weights=sum(p.numel() for p in plain.parameters()),
            steps=args.plain,
            accuracy=accuracy(plain, *test),
        )
        write(spnn, args.out, facts, rival)
        print(rival)


if __name__ == "__main__":
    main()
