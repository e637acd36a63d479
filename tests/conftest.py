"""What all tests share."""

from __future__ import annotations

import pytest
import torch

torch.set_num_threads(1)  # small pictures: threads only get in the way


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick ones first: the library, then the lessons, then the book."""

    def turn(item: pytest.Item) -> int:
        marks = [item.get_closest_marker(m) for m in ("book", "lesson")]
        return 2 if marks[0] else 1 if marks[1] else 0

    items.sort(key=turn)
