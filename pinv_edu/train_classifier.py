"""Train a bundled classifier: ``python -m pinv_edu.train_classifier``.

A pseudo-invertible network learns the classes of Fashion-MNIST, or groups
and measures of emoji, and, on a quarter of each batch, to give the picture
back; or, as a warning, not to. Beside it a plain convolutional network
learns the classes alone, from the same pictures, for comparison and as an
independent judge.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pinv_edu.judges import MEANS, plain_network
from pinv_edu.spnn.batches import Draw, Pair
from pinv_edu.spnn.bundled import BUNDLED
from pinv_edu.spnn.network import SPNN
from pinv_edu.spnn.training import train_spnn
from pinv_edu.training.bundle import law_residuals, save_weights, versions
from pinv_edu.training.classifiers import PLANS, Plan

CARD = """\
# Network `{name}`

{what}
{size} bytes, {precision}, sha256
`{digest}`.

- Data: {source}
- Training: {steps} steps of {batch} in {minutes:.0f} minutes of one thread;
  {training}
  AdamW, learning rate 2e-3.
- Accuracy on the {count:,} test pictures: {accuracy:.2%}. Mean squared error
  of g†(g(x)): {error:.4f}.
- Largest residual of any law (`check_operator`) after training: {single:.0e}
  in float32, {double:.0e} in float64.
- `mean_logits.txt`: means of g(x) over the training pictures of each class
  that the network puts there, one row for each class.
{rival}- Weights: MIT licence, as pinv-edu. Data: the licence named above.
- Versions: {versions}.

Command:

    {command}
"""
RIVAL = """\
- A plain convolutional network ({weights:,} weights) after {steps} steps on
  the same pictures: {accuracy:.2%}. It is the judge, in `judge/`.
"""
TIMED = """\
- The same network after {steps} steps, about the processor time that this
  one had: {accuracy:.2%}.
"""
JUDGE = """\
# Judge of `{name}`

A plain convolutional network, `pinv_edu.judges.plain_network`; {steps} steps
of 128, seed 0. {size} bytes, half precision, sha256
`{digest}`.
Data, accuracy, licence, versions and command: in the card above this folder.
"""


@torch.no_grad()
def seen(network: nn.Module, x: Tensor) -> Tensor:
    """Return what a network says, a few pictures at a time."""
    return torch.cat([network(part) for part in x.split(500)])


def accuracy(y: Tensor, labels: Tensor, classes: int) -> float:
    """Share of the pictures whose largest logit is the right one."""
    return float((y[:, :classes].argmax(1) == labels).float().mean())


@torch.no_grad()
def inverse_error(spnn: SPNN, x: Tensor) -> float:
    """Mean squared error of g†(g(x))."""
    errors = [(spnn.pinv(spnn(p)) - p).square().mean() for p in x.split(500)]
    return float(torch.stack(errors).mean())


def class_means(y: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Means of ``y`` over the rightly classified pictures of each class."""
    right = y[:, :classes].argmax(1) == labels
    means = [y[right & (labels == k)].mean(0) for k in range(classes)]
    return torch.stack(means)


def train_plain(
    network: nn.Module, draw: Draw, classes: int, steps: int
) -> nn.Module:
    """Train a plain network as the SPNN is trained, but without inverse."""
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3)
    for step in range(steps):
        share = min(1.0, (step + 1) / 100) * (1 - step / steps) ** 0.7
        optimizer.param_groups[0]["lr"] = 2e-3 * share
        x, wanted = draw(generator, 128)
        # Of groups and measures the groups alone.
        wanted = wanted[:, :classes] if wanted.dim() > 1 else wanted
        loss = F.cross_entropy(network(x), wanted, label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return network.eval()


def make_judge(plan: Plan, train: Pair, steps: int) -> nn.Module:
    """Return the trained judge."""
    torch.manual_seed(0)
    network = plain_network(train[0].shape[1:], plan.classes)
    return train_plain(network, plan.draw(*train), plan.classes, steps)


def equal_time(plan: Plan, train: Pair, test: Pair, steps: int) -> str:
    """Return the line of a plain network that had as much time."""
    network = make_judge(plan, train, steps)
    right = accuracy(seen(network, test[0]), test[1], plan.classes)
    return TIMED.format(steps=steps, accuracy=right)


def make_spnn(
    name: str, plan: Plan, train: Pair, steps: int, out: Path
) -> SPNN:
    """Return the trained pseudo-invertible network."""
    spnn = BUNDLED[name]()
    train_spnn(
        spnn, plan.pairs(*train), **plan.settings(steps), every=500,
        checkpoint=out / "checkpoint.pt",
    )  # fmt: skip
    return spnn.eval().requires_grad_(False)


def write_judge(
    judge: nn.Module, name: str, plan: Plan, test: Pair, steps: int, out: Path
) -> str:
    """Write weights and card of the judge; return its line in the other."""
    out.mkdir(exist_ok=True)
    about = save_weights(judge, out, half=True)
    judge.half().float()  # measure what is shipped
    card = JUDGE.format(name=name, steps=steps, **about)
    (out / "README.md").write_text(card, encoding="utf-8")
    return RIVAL.format(
        weights=sum(p.numel() for p in judge.parameters()),
        steps=steps,
        accuracy=accuracy(seen(judge, test[0]), test[1], plan.classes),
    )


def write(
    spnn: SPNN, name: str, plan: Plan, pairs: tuple[Pair, Pair], out: Path,
    **facts: object,
) -> None:  # fmt: skip
    """Write weights, their sum, mean logits and a card."""
    (x, labels), (test, answers) = pairs
    facts |= save_weights(spnn, out, half=plan.half)
    if plan.half:
        spnn.half().float()  # measure what is shipped
    means = class_means(seen(spnn, x), labels, plan.classes)
    np.savetxt(out / MEANS, means.numpy(), fmt="%.4f")
    card = CARD.format(
        name=name, what=plan.what, source=plan.source, training=plan.training,
        precision="half precision" if plan.half else "float32",
        batch=plan.options["batch"], count=len(test),
        accuracy=accuracy(seen(spnn, test), answers, plan.classes),
        error=inverse_error(spnn, test), versions=versions(),
        **facts, **law_residuals(spnn, test[:8]),
    )  # fmt: skip
    (out / "README.md").write_text(card, encoding="utf-8")
    print(card)


def settings(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line; what is not given comes from the plan."""
    parser = argparse.ArgumentParser("python -m pinv_edu.train_classifier")
    parser.add_argument(
        "name", choices=list(PLANS), nargs="?", default="fashion-classifier"
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--data", type=Path, help="folder of the IDX files, "
                        "or path of NotoColorEmoji.ttf")  # fmt: skip
    parser.add_argument("--steps", type=int)
    parser.add_argument("--plain", type=int, help="steps of the judge")
    parser.add_argument("--timed", type=int, help="steps of a plain network "
                        "that has about the SPNN's time")  # fmt: skip
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(arguments)
    plan = PLANS[args.name]
    args.out = args.out or Path(args.name)
    args.steps = plan.steps if args.steps is None else args.steps
    args.plain = plan.plain if args.plain is None else args.plain
    args.timed = plan.timed if args.timed is None else args.timed
    return args


def main(arguments: list[str] | None = None) -> None:
    """Train, measure on the test pictures, write."""
    args = settings(arguments)
    torch.set_num_threads(args.threads)
    plan = PLANS[args.name]
    train, test = (plan.load(p, args.data) for p in ("train", "test"))
    args.out.mkdir(parents=True, exist_ok=True)
    begun = time.process_time()
    spnn = make_spnn(args.name, plan, train, args.steps, args.out)
    minutes, rival = (time.process_time() - begun) / 60, ""
    if args.plain:
        judge = make_judge(plan, train, args.plain)
        rival = write_judge(
            judge, args.name, plan, test, args.plain, args.out / "judge"
        )
    if args.timed:
        rival += equal_time(plan, train, test, args.timed)
    write(
        spnn, args.name, plan, (train, test), args.out, rival=rival,
        steps=args.steps, minutes=minutes, command=command(args),
    )  # fmt: skip


def command(args: argparse.Namespace) -> str:
    """Return the command line that gives these weights."""
    words = f"python -m pinv_edu.train_classifier {args.name}"
    words = f"{words} --steps {args.steps} --plain {args.plain}"
    return f"{words} --timed {args.timed}" if args.timed else words


if __name__ == "__main__":
    main()
