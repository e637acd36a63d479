"""The built book in a real browser: nothing broken, every slider moves."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
import yaml
from axe_core_python.base import AXE_SCRIPT
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Locator, Page
from pypdf import PdfReader
from pypdf.generic import Destination

import built_book
import pdf
from built_book import HTML, Tab

pytestmark = pytest.mark.book
PAGES = built_book.pages()
BRANCH = yaml.safe_load((built_book.ROOT / "_config.yml").read_text())[
    "repository"
]["branch"]
LESSONS = [page for page in PAGES if page.startswith("notebooks/")]

BROKEN_MATH = r"""() => {
  const bad = "mjx-merror, mjx-mtext[style*='color: red']";  // unknown macro
  const found = [...document.querySelectorAll(bad)]
    .map(e => "error in a formula: " + e.textContent);
  document.querySelectorAll("span.math, div.math").forEach(e => {
    if (!e.querySelector("mjx-container"))
      found.push("no formula: " + e.textContent.slice(0, 60));
  });
  const body = document.body.cloneNode(true);
  body.querySelectorAll("pre, code, script, style, mjx-container")
    .forEach(e => e.remove());
  const raw = body.textContent.match(/\\[(\[].{0,40}/);
  return raw ? [...found, "raw formula: " + raw[0]] : found;
}"""
BROKEN_PICTURES = """async () => {
  const found = [];
  for (const picture of document.images) {
    picture.loading = "eager";
    await picture.decode().catch(() => 0);
    const name = picture.src.slice(0, 80);
    if (!picture.naturalWidth) found.push("broken picture: " + name);
    if (!picture.alt.trim()) found.push("picture without alt: " + name);
  }
  return found;
}"""
AXE = """async () => (await axe.run(document, {
  resultTypes: ["violations"],
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
})).violations
  .filter(v => ["serious", "critical"].includes(v.impact))
  .flatMap(v => v.nodes.map(n => `${v.id}: ${n.html.slice(0, 160)}`))"""


@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole(tab: Tab, site: str, name: str) -> None:
    page = tab.open(site + name)
    found = page.evaluate(BROKEN_MATH) + page.evaluate(BROKEN_PICTURES)
    found += tab.problems
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_a_telephone(
    browser: Browser, site: str, name: str
) -> None:
    tab = Tab(browser, width=360, height=740)
    page = tab.open(site + name)
    width = page.evaluate("document.documentElement.scrollWidth")
    tab.context.close()
    assert width <= 361


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible(tab: Tab, site: str, name: str) -> None:
    page = tab.open(site + name)
    page.evaluate(AXE_SCRIPT)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_selector(f"html[data-theme={theme}]")
        found = page.evaluate(AXE)
        assert not found, "\n".join([theme, *found])


def test_links_inside_the_book(site: str) -> None:
    soups = {
        HTML / name: BeautifulSoup((HTML / name).read_text(), "html.parser")
        for name in [*PAGES, "index.html"]
    }
    anchors = {
        file: {tag["id"] for tag in soup.find_all(id=True)}
        for file, soup in soups.items()
    }
    broken = []
    for file, soup in soups.items():
        for tag in soup.find_all(href=True):
            link, anchor = urldefrag(tag["href"])
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            path = unquote(parts.path)
            target = (file.parent / path).resolve() if path else file
            missing = anchor and unquote(anchor) not in anchors.get(
                target, {unquote(anchor)}
            )
            if not target.exists() or missing:
                broken.append(f"{file.relative_to(HTML)}: {tag['href']}")
    assert not broken, "\n".join(broken)


def test_every_claim_is_listed(site: str) -> None:
    def soup(name: str) -> BeautifulSoup:
        return BeautifulSoup((HTML / name).read_text(), "html.parser")

    def spaced(text: str) -> str:
        return " ".join(text.split())

    lessons = {name: soup(name) for name in LESSONS}
    printed = [
        [spaced(part) for part in line.removeprefix("✓").rsplit("   ", 1)]
        for lesson in lessons.values()
        for block in lesson.select(".cell_output pre")
        for line in block.get_text().splitlines()
        if re.match(r"✓ .*\S {3,}\S", line)
    ]
    rows = soup("book/all-claims.html").select("table.pinv-claims tbody tr")
    listed = [[cell.get_text() for cell in row.select("td")] for row in rows]
    assert len(LESSONS) < len(printed) == len(listed)
    assert sorted(listed) == sorted(printed)
    for row in rows:
        file, anchor = urldefrag(row.a["href"])
        lesson = lessons[file.removeprefix("../")]
        assert row.a.get_text() in spaced(lesson.find(id=anchor).get_text())


def test_first_page_leads_to_the_book(tab: Tab, site: str) -> None:
    tab.page.goto(site)
    tab.page.wait_for_url("**/book/intro.html")


def test_search_finds_a_word(tab: Tab, site: str) -> None:
    page = tab.open(f"{site}search.html?q=pseudo-inverse")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    assert tab.problems == []


@pytest.mark.parametrize("name", LESSONS)
def test_colab_button(tab: Tab, site: str, name: str) -> None:
    page = tab.open(site + name)
    links = page.eval_on_selector_all("a[href]", "a => a.map(e => e.href)")
    lesson = name.removesuffix(".html") + ".ipynb"
    place = "https://colab.research.google.com/github/pinv-edu/pinv-edu/blob"
    assert f"{place}/{BRANCH}/{lesson}" in links


def check_slider(page: Page, slider: Locator) -> None:
    """The keyboard, the mouse and the pixels."""
    slider.scroll_into_view_if_needed()
    picture = slider.locator("xpath=ancestor::div[@data-frame]").locator("img")

    def seen() -> tuple[str, str, bytes]:
        return (
            str(picture.get_attribute("src")),
            str(picture.get_attribute("alt")),
            picture.screenshot(),
        )

    def value() -> str | None:
        return slider.get_attribute("aria-valuetext")

    slider.focus()
    page.keyboard.press("Home")
    first, views = value(), [seen()]
    page.keyboard.press("ArrowRight")
    assert value() != first
    page.keyboard.press("End")
    last = value()
    assert last != first
    views.append(seen())
    box = slider.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, middle, steps=5)
    page.mouse.up()
    assert value() != last
    views.append(seen())
    # both ends may show the same, a turn by 180 degrees say; all three not
    for sources_alts_pixels in zip(*views):
        assert len(set(sources_alts_pixels)) > 1


def drag(page: Page, handle: Locator, right: float, down: float) -> None:
    """Take the point in its middle and pull it by so many pixels."""
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=4)
    page.mouse.up()


def check_handle(page: Page, handle: Locator) -> None:
    """A point that can be held: the keyboard, the mouse and the pixels."""
    handle.scroll_into_view_if_needed()
    stage = handle.locator("xpath=..")
    picture = stage.locator("svg[role=img]")

    def seen() -> tuple[str, str, bytes]:
        return (
            str(handle.get_attribute("aria-valuetext")),
            str(picture.get_attribute("aria-label")),
            stage.screenshot(),
        )

    views = [seen()]
    handle.focus()
    for key in ("ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    views.append(seen())
    before = handle.get_attribute("aria-valuetext")
    drag(page, handle, -34, -9)
    if handle.get_attribute("aria-valuetext") == before:
        drag(page, handle, 9, 34)  # it stood at the end of its range
    views.append(seen())
    for values_alts_pixels in zip(*views):
        assert len(set(values_alts_pixels)) == 3


def check_handles(page: Page) -> int:
    handles = page.locator(".pinv-grab [role=slider]")
    for i in range(handles.count()):
        assert re.match(r'- slider "\S', handles.nth(i).aria_snapshot())
        check_handle(page, handles.nth(i))
    return handles.count()


def check_sliders(page: Page) -> int:
    """Move every slider and every point that can be held; count them."""
    sliders = page.locator(".pinv-explore input[type=range]")
    for i in range(sliders.count()):
        slider = sliders.nth(i)
        assert re.match(r'- slider "\S', slider.aria_snapshot()), "no name"
        assert slider.get_attribute("aria-valuetext")
        check_slider(page, slider)
    return sliders.count() + check_handles(page)


@pytest.mark.parametrize("name", PAGES)
def test_sliders_move(tab: Tab, site: str, name: str) -> None:
    sliders = check_sliders(tab.open(site + name))
    assert sliders > 0 or name not in LESSONS, "a lesson without a slider"
    assert tab.problems == []


@pytest.mark.parametrize("name", LESSONS)
def test_no_cell_shows_a_bare_object(tab: Tab, site: str, name: str) -> None:
    page = tab.open(site + name)
    assert page.locator(".cell_output .text_plain").count() == 0


def test_a_lesson_works_from_a_folder(tab: Tab, site: str) -> None:
    page = tab.open((HTML / LESSONS[0]).as_uri())
    assert page.evaluate(BROKEN_MATH) + page.evaluate(BROKEN_PICTURES) == []
    assert check_sliders(page) > 0


@pytest.fixture(scope="module")
def paper(
    browser: Browser, site: str, tmp_path_factory: pytest.TempPathFactory
) -> PdfReader:
    """A book of three pages, printed."""
    pages = [LESSONS[0], "book/quiz.html"]
    parts = [("", ["book/intro.html"]), ("A part", pages)]
    out = tmp_path_factory.mktemp("paper") / "book.pdf"
    pdf.bind(browser, site, parts).save(out)
    return PdfReader(out)


def starts(paper: PdfReader) -> dict[str, int]:
    """The pages where the pages of the book begin, by their titles."""
    first, _, _, part = paper.outline
    titles = [first, *(x for x in part if isinstance(x, Destination))]
    return {
        str(x.title): paper.get_destination_page_number(x) for x in titles
    }


def test_paper_has_contents_and_an_outline(paper: PdfReader) -> None:
    texts = [page.extract_text() for page in paper.pages]
    assert "pinv-edu" in texts[0] and pdf.SUBTITLE in texts[0]
    _, sections, part, _ = paper.outline
    assert part.title == "A part" and len(sections) > 2
    assert list(starts(paper)) == ["pinv-edu", "1. Many x, one y", "Quiz"]
    for title, number in starts(paper).items():
        assert title in texts[number].splitlines()
        page = re.compile(rf"(?<!\d){number + 1}")
        assert page.search(texts[number])
        assert page.search(texts[1], texts[1].index(title))


def test_paper_links_inside_and_to_the_published_book(
    paper: PdfReader,
) -> None:
    links = [
        link.get_object()
        for page in paper.pages
        for link in page.get("/Annots", [])
    ]
    inside = [link for link in links if "/Dest" in link]
    pages = {page.indirect_reference for page in paper.pages}
    assert inside and {link["/Dest"][0] for link in inside} <= pages
    outside = [link["/A"]["/URI"] for link in links if "/A" in link]
    assert any(uri.startswith(pdf.ONLINE) for uri in outside)
    assert [uri for uri in outside if "127.0.0.1" in uri] == []


def test_paper_shows_still_figures_and_the_answers(paper: PdfReader) -> None:
    lesson, quiz = list(starts(paper).values())[1:]
    pages = paper.pages[lesson:quiz]
    still = [p for p in pages if "moves in the online" in p.extract_text()]
    assert any("another x with" in page.extract_text() for page in still)
    text = "".join(page.extract_text() for page in pages)
    assert "Solutions" in text and "# Solution" in text
    answers = "".join(page.extract_text() for page in paper.pages[quiz:])
    assert answers.count("Right.") == answers.count("Question") / 2


@pytest.mark.parametrize("name", [LESSONS[1], "book/quiz.html"])
def test_print_is_light_and_without_controls(
    tab: Tab, site: str, name: str
) -> None:
    tab.page.emulate_media(media="print", color_scheme="dark")
    page = tab.open(site + name)
    page.wait_for_selector("html[data-theme=dark]")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("html").get_attribute("data-theme") == "light"
    for control in ("button", "input[type=range]", "summary"):
        assert page.locator(f"{control}:visible").count() == 0, control
    stills = page.locator(".pinv-grab svg[role=img], .pinv-explore img")
    assert stills.count() or name not in LESSONS
    assert all(still.is_visible() for still in stills.all())
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_size_of_the_book(site: str) -> None:
    def size(path: Path) -> int:
        return path.stat().st_size if path.is_file() else 0

    assert sum(map(size, HTML.rglob("*"))) < 60_000_000
