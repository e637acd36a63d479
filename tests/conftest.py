"""What all tests share."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:  # the library's tests start without a browser
    from playwright.sync_api import Browser

    from built_book import Tab

torch.set_num_threads(1)  # small pictures: threads only get in the way


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick ones first: the library, then the lessons, then the book."""

    def turn(item: pytest.Item) -> int:
        marks = [item.get_closest_marker(m) for m in ("book", "lesson")]
        return 2 if marks[0] else 1 if marks[1] else 0

    items.sort(key=turn)


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the book, built anew if anything changed."""
    import built_book

    made = subprocess.run(
        ["make", "book"], cwd=built_book.ROOT, capture_output=True, text=True
    )
    if made.returncode:
        request.session.shouldfail = "the book does not build"
        pytest.fail((made.stdout + made.stderr)[-8000:], pytrace=False)
    with built_book.served() as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of the book."""
    from playwright.sync_api import sync_playwright

    import built_book

    with sync_playwright() as playwright:
        browser = built_book.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Browser, site: str) -> Iterator[Tab]:
    """A new page that writes down everything that goes wrong in it."""
    from built_book import Tab

    tab = Tab(browser)
    yield tab
    tab.context.close()
