"""The quiz: its text is read strictly, and the page answers back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from built_book import Tab
from quiz_text import Answer, QuizError, parse

ROOT = Path(__file__).resolve().parents[1]
PAGE = "book/quiz.html"
TEXT = """Which one?
Say it.

( ) the
    first
:   No: it is
    not.
(x) the second
:   Yes.
"""
needs_the_book = pytest.mark.book


def test_a_question_is_read() -> None:
    asked = parse(TEXT.splitlines())
    assert asked.text == "Which one?\nSay it."
    assert asked.answers == (
        Answer("the first", False, "No: it is not."),
        Answer("the second", True, "Yes."),
    )


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("Which one?\nSay it.\n", "", "no question"),
        ("(x)", "( )", r"marked \(x\)"),
        ("( ) the\n", "(x) the\n", r"marked \(x\)"),
        ("(x) the second\n:   Yes.\n", "", "2 to 5 different"),
        ("the second", "the first", "2 to 5 different"),
        (":   Yes.\n", "", "needs one line"),
        (":   Yes.\n", ":\n", "needs one line"),
        (":   Yes.\n", ":   Yes.\n:   Yes.\n", "needs one line"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(
    old: str, new: str, words: str
) -> None:
    assert old in TEXT
    with pytest.raises(QuizError, match=words):
        parse(TEXT.replace(old, new).splitlines())


def test_the_script_is_small_and_asks_nobody() -> None:
    script = (ROOT / "book/_static/quiz.js").read_text()
    assert len(script) <= 4_000
    for word in ("http", "fetch", "import", "require", "innerHTML"):
        assert word not in script


def first(page: Page) -> tuple[Locator, Locator, Locator]:
    """The first question, its button and its status line."""
    quiz = page.locator(".pinv-quiz").first
    return quiz, quiz.get_by_role("button"), quiz.get_by_role("status")


@needs_the_book
def test_it_asks_for_a_choice_first(tab: Tab, site: str) -> None:
    _, button, status = first(tab.open(site + PAGE))
    button.click()
    assert status.inner_text() == "Choose an answer first."
    assert status.get_attribute("aria-live") == "polite"


@needs_the_book
def test_the_keyboard_is_enough(tab: Tab, site: str) -> None:
    page = tab.open(site + PAGE)
    quiz, button, status = first(page)
    quiz.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    assert button.evaluate("e => e === document.activeElement")
    page.keyboard.press("Enter")
    assert status.inner_text().startswith(("Right.", "Wrong."))
    said = status.inner_text()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    assert status.inner_text() == "", "what was said stays after a change"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert status.inner_text() not in ("", said)
    assert tab.problems == []


@needs_the_book
def test_every_question_answers_every_choice(tab: Tab, site: str) -> None:
    page = tab.open(site + PAGE)
    questions = page.locator(".pinv-quiz").all()
    assert len(questions) >= 15
    for quiz in questions:
        said = []
        for choice in quiz.get_by_role("radio").all():
            choice.check()
            quiz.get_by_role("button").click()
            said.append(quiz.get_by_role("status").inner_text())
            right = choice.get_attribute("data-right") is not None
            state = quiz.get_attribute("data-state")
            assert state == ("right" if right else "wrong")
            assert said[-1].startswith("Right." if right else "Wrong.")
        assert len(set(said)) == len(said)
        assert sum(words.startswith("Right.") for words in said) == 1
    assert tab.problems == []


@needs_the_book
def test_questions_and_choices_have_names(tab: Tab, site: str) -> None:
    page = tab.open(site + PAGE)
    for quiz in page.locator(".pinv-quiz").all():
        group = quiz.get_by_role("group").first
        assert 'group "Question ' in group.aria_snapshot()
        for choice in quiz.get_by_role("radio").all():
            label = quiz.locator(f"label[for={choice.get_attribute('id')}]")
            assert label.inner_text().strip()


@needs_the_book
def test_without_a_script_the_answers_can_be_read(
    browser: Browser, site: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site + PAGE)
    quiz = page.locator(".pinv-quiz").first
    assert not quiz.locator("button").is_visible()
    words = quiz.locator("details li").first
    assert not words.is_visible()
    quiz.locator("summary").click()
    assert words.is_visible()
    assert "Right." in quiz.locator("details").inner_text()
    context.close()
