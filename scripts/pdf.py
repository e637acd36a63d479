"""Print the built book into one PDF, _build/pinv-edu.pdf.

    python scripts/pdf.py

Every page of _toc.yml as the browser prints it, with book/_static/print.css,
behind a title page and a table of contents. Links from page to page lead to
places of the PDF.
"""

from __future__ import annotations

import html
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import yaml
from playwright.sync_api import Browser, Page, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    Fit,
    NameObject,
    NullObject,
    NumberObject,
    TextStringObject,
)

import built_book
import pinv_edu

OUT = built_book.ROOT / "_build" / "pinv-edu.pdf"
PREPARE = Path(__file__).with_suffix(".js")
CONFIG = yaml.safe_load((built_book.ROOT / "_config.yml").read_text())
# the folder of this version, as the workflow `site` names it
ONLINE = CONFIG["sphinx"]["config"]["ogp_site_url"].replace(
    "/main/", f"/{CONFIG['repository']['branch']}/"
)
SUBTITLE = "From the pseudo-inverse to restored pictures"
WIDTH = 658  # CSS pixels: A4 without its margins
PAPER = """
@page { size: A4; margin: 18mm 18mm 22mm; }
@page {
  @bottom-left { content: TITLE; font: 8pt sans-serif; color: #555; }
  @bottom-right { content: counter(page); font: 8pt sans-serif; }
}
@page title { @bottom-left { content: none } @bottom-right { content: none } }
html { counter-reset: page BEFORE; }
.pinv-address { font-size: 0.85em; }
"""
FRONT = """
body { font: 10.5pt/1.4 sans-serif; margin: 0; }
header { page: title; height: 240mm; padding-top: 60mm; }
header { box-sizing: border-box; }
header h1 { font-size: 34pt; margin: 0; }
header p:first-of-type { font-size: 17pt; margin: 0 0 20mm; }
nav { break-before: page; }
h2 { font-size: 12pt; margin: 1em 0 0.3em; break-after: avoid; }
nav a { display: flex; gap: 1em; color: inherit; text-decoration: none; }
span { flex: 1; }
header a { color: #0062a3; }
"""

Parts = list[tuple[str, list[str]]]  # captions, each with names of pages
Place = tuple[str, str]  # a page of the book, and an id in it or ""


@dataclass
class Printed:
    """One page of the book on paper."""

    headings: list[tuple[str, str]]  # id and words; the first is the title
    pdf: PdfReader

    @property
    def title(self) -> str:
        """Its title, with the number of a lesson."""
        return self.headings[0][1]


def parts() -> Parts:
    """What _toc.yml lists; the first page stands before the first part."""
    toc = yaml.safe_load((built_book.ROOT / "_toc.yml").read_text())
    found = [
        (part.get("caption", ""), [c["file"] for c in part["chapters"]])
        for part in toc["parts"]
    ]
    found.insert(0, ("", [toc["root"]]))
    return [(c, [f"{name}.html" for name in names]) for c, names in found]


def paper(page: Page, title: str, first: int) -> PdfReader:
    """What the browser prints, with page numbers from `first` on."""
    style = PAPER.replace("TITLE", json.dumps(title))
    page.add_style_tag(content=style.replace("BEFORE", str(first - 1)))
    pdf = page.pdf(print_background=True, prefer_css_page_size=True)
    return PdfReader(io.BytesIO(pdf))


def print_page(browser: Browser, site: str, name: str, first: int) -> Printed:
    """Print one page of the book; stop if anything in it is broken."""
    tab = built_book.Tab(browser, width=WIDTH)
    tab.page.emulate_media(media="print")
    page = tab.open(site + name)
    page.evaluate("Promise.all([...document.images].map(i => i.decode()))")
    script = PREPARE.read_text(encoding="utf-8")
    headings = page.evaluate(script, ONLINE + name)
    pdf = paper(page, headings[0][1], first)
    tab.context.close()
    if tab.problems:
        sys.exit("\n".join([name, *tab.problems]))
    return Printed(headings, pdf)


def print_front(
    browser: Browser, site: str, parts: Parts, lines: dict[str, str]
) -> PdfReader:
    """Print the title page and the table of contents."""
    lists = "".join(
        f"<h2>{html.escape(caption)}</h2>"
        + "".join(
            f'<a href="{site}{name}">{lines.get(name, name)}</a>'
            for name in names
        )
        for caption, names in parts
    )
    page = browser.new_page()
    page.set_content(
        f"<style>{FRONT}</style><header><h1>{CONFIG['title']}</h1>"
        f"<p>{SUBTITLE}</p><p>Version {pinv_edu.__version__}</p>"
        f"<p>{CONFIG['author']}, {CONFIG['copyright']}</p>"
        f'<p>With figures that move: <a href="{ONLINE}">{ONLINE}</a></p>'
        "<p>Text and figures: CC BY 4.0. Code: MIT License.</p></header>"
        f"<nav><h1>Contents</h1>{lists}</nav>"
    )
    pdf = paper(page, "Contents", 1)
    page.close()
    return pdf


def line(printed: Printed, first: int) -> str:
    """A line of the table of contents."""
    return f"<span>{html.escape(printed.title)}</span>{first}"


class Book:
    """The pages of paper in one PDF, with links and an outline."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.writer = PdfWriter()
        self.places: dict[Place, tuple[int, float]] = {}
        self.sources: list[str] = []

    def add(self, name: str, pdf: PdfReader) -> None:
        """Append one page of the book."""
        start = len(self.sources)
        self.places[name, ""] = start, float(pdf.pages[0].mediabox.top)
        for key, place in pdf.named_destinations.items():
            number = pdf.get_destination_page_number(place)
            self.places[name, unquote(key[1:])] = (
                start + number, float(place.top)
            )  # fmt: skip
        for page in pdf.pages:
            self.writer.add_page(page)
            self.sources.append(name)

    def target(self, name: str, link: DictionaryObject) -> Place | None:
        """Where a link leads inside the book."""
        if "/Dest" in link:
            return name, unquote(str(link["/Dest"])[1:])
        address = str(link["/A"]["/URI"])
        if not address.startswith(self.site):
            return None
        page, anchor = urldefrag(address.removeprefix(self.site))
        return unquote(page), unquote(anchor)

    def lead(self, name: str, link: DictionaryObject) -> None:
        """Make a link lead to its place in the PDF, or to the published."""
        target = self.target(name, link)
        if target is None:
            return
        place = self.places.get(target) or self.places.get((target[0], ""))
        if place:
            link.pop("/A", None)
            link[NameObject("/Dest")] = self.destination(*place)
        else:
            link["/A"][NameObject("/URI")] = TextStringObject(
                ONLINE + "#".join(filter(None, target))
            )

    def destination(self, number: int, top: float) -> ArrayObject:
        """A place on a page, as PDF writes it."""
        page = self.writer.pages[number]
        keep = NullObject()
        return ArrayObject(
            [page.indirect_reference, NameObject("/XYZ"), keep,
             NumberObject(round(top)), keep]
        )  # fmt: skip

    def lead_all(self) -> None:
        """Mend every link."""
        for name, page in zip(self.sources, self.writer.pages):
            for link in page.get("/Annots", []):
                self.lead(name, link.get_object())

    def outline(self, parts: Parts, pages: dict[str, Printed]) -> None:
        """List the parts, the pages in them, and the sections of these."""
        for caption, names in parts:
            start = self.places[names[0], ""]
            part = self.item(caption, start, None, True) if caption else None
            for name in names:
                self.outline_page(name, pages[name], part)

    def outline_page(self, name: str, printed: Printed, part: Any) -> None:
        """List a page and its sections."""
        page = self.item(printed.title, self.places[name, ""], part)
        for anchor, words in printed.headings[1:]:
            self.item(words, self.places[name, anchor], page)

    def item(
        self,
        words: str,
        place: tuple[int, float],
        parent: Any,
        is_open: bool = False,
    ) -> Any:
        """Add a line of the outline under its parent."""
        number, top = place
        return self.writer.add_outline_item(
            title=words,
            page_number=number,
            parent=parent,
            fit=Fit.xyz(top=top),
            is_open=is_open,
        )

    def save(self, out: Path) -> None:
        """Write the file; equal fonts are stored once."""
        title = f"{CONFIG['title']}: {SUBTITLE}"
        self.writer.add_metadata(
            {"/Title": title, "/Author": CONFIG["author"]}
        )
        self.writer.page_mode = "/UseOutlines"
        self.writer.compress_identical_objects()
        self.writer.write(out)


def bind(browser: Browser, site: str, parts: Parts) -> Book:
    """Print the pages, and put them behind a title page with contents."""
    pages: dict[str, Printed] = {}
    lines: dict[str, str] = {}
    # the contents are as long before the numbers are known
    first = 1 + len(print_front(browser, site, parts, lines).pages)
    for name in (name for _, names in parts for name in names):
        pages[name] = print_page(browser, site, name, first)
        lines[name] = line(pages[name], first)
        first += len(pages[name].pdf.pages)
    book = Book(site)
    book.add("", print_front(browser, site, parts, lines))
    for name, printed in pages.items():
        book.add(name, printed.pdf)
    book.lead_all()
    book.outline(parts, pages)
    return book


def main() -> None:
    with built_book.served() as site, sync_playwright() as playwright:
        browser = built_book.launch(playwright)
        book = bind(browser, site, parts())
        browser.close()
    book.save(OUT)
    size = OUT.stat().st_size / 1e6
    print(f"{len(book.sources)} pages, {size:.1f} MB: {OUT.as_uri()}")


if __name__ == "__main__":
    main()
