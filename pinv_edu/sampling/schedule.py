"""Which times a sampler visits: down, and up again when it travels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Move:
    r"""One step of a schedule, from time ``t`` to the next.

    ``alpha`` and ``alpha_next`` are :math:`\bar\alpha` before and after; the
    last step down ends at :math:`\bar\alpha = 1`.
    """

    t: int
    alpha: float
    alpha_next: float
    down: bool


def travel_schedule(steps: int, length: int = 1, repeat: int = 1) -> list[int]:
    """Indices that the sampler visits, ending at -1.

    From ``steps - 1`` down; whenever a multiple of ``length`` below
    ``steps - length`` is reached for the first ``repeat - 1`` times, climb
    ``length`` indices and go down again. The network is called
    ``steps + (repeat - 1) length ceil((steps - length) / length)`` times.

    Source: Lugmayr et al. (2022), RePaint; Wang, Yu, Zhang (2023), DDNM,
    Section 3.3, in the form of their program.
    """
    left = dict.fromkeys(range(0, steps - length, length), repeat - 1)
    visited, index = [], steps
    while index > 0:
        index -= 1
        visited.append(index)
        if left.get(index, 0) > 0:
            left[index] -= 1
            visited.extend(range(index + 1, index + length + 1))
            index += length
    return [*visited, -1]


def moves(
    alphas_cumprod: Tensor, steps: int, length: int = 1, repeat: int = 1
) -> Iterator[Move]:
    r"""Moves of a schedule over :math:`t_i = i\,\lfloor T / steps\rfloor`.

    A climb is one jump, whatever its length: noising in several small
    steps from a clean picture has the same law.
    """
    skip = len(alphas_cumprod) // steps

    def alpha(index: int) -> float:
        return 1.0 if index < 0 else float(alphas_cumprod[index * skip])

    visited = travel_schedule(steps, length, repeat)
    here = visited[0]
    for i, after in enumerate(visited[1:], start=1):
        climbing = after > here
        if climbing and i + 1 < len(visited) and visited[i + 1] > after:
            continue  # on the way up: only the top is drawn
        yield Move(here * skip, alpha(here), alpha(after), not climbing)
        here = after


def check_schedule(
    times: int, steps: int, length: int = 1, repeat: int = 1
) -> None:
    """Raise unless the numbers make a schedule."""
    for name, value in (
        ("steps", steps),
        ("travel_length", length),
        ("travel_repeat", repeat),
    ):
        if not isinstance(value, int) or value < 1:
            raise ValueError(
                f"{name} must be a positive integer, got {value!r}"
            )
    if steps > times:
        raise ValueError(
            f"steps must be at most the {times} times of the prior, got "
            f"{steps}"
        )
