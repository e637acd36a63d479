"""Figures that can be grabbed: the same numbers, by mouse, touch and keys."""

from __future__ import annotations

import base64
import html
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from axe_core_python.base import AXE_SCRIPT

from grab_moves import MOVES
from pinv_edu import grab
from pinv_edu.grabbing import figure
from pinv_edu.grabbing.parts import Parameter, fill, fixed
from pinv_edu.grabbing.scenes import SCENES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from built_book import Tab

AXE = """async () => (await axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
})).violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.html}`))"""
SHELL = """<!doctype html><html lang="en"><meta charset="utf-8">
<title>test</title><meta name="viewport" content="width=device-width">
<style>@media (prefers-color-scheme: dark) {{
  body {{ background: #121212; color: #eee; }} }}</style>
<main><h1>Figures</h1>{}</main></html>"""
LISTEN = """() => document.addEventListener("pinv-grab",
  event => { window.last = event.detail; })"""


# The module's own numbers


@pytest.fixture(scope="module")
def module(browser: Browser) -> Iterator[Page]:
    """A page in which ``module`` is the shipped file, imported as it is."""
    page = browser.new_page()
    source = base64.b64encode(figure.module().encode()).decode()
    page.goto("data:text/html,<title>module</title>")
    page.evaluate(
        "async source => { window.module = await import("
        "'data:text/javascript;base64,' + source); }",
        source,
    )
    yield page
    page.close()


def grid(name: str, most: int = 60) -> list[dict[str, float]]:
    """Starts, ends and random places of a scene's parameters."""
    parameters = SCENES[name].parameters
    random = np.random.default_rng(0)
    start = {n: float(p.start) for n, p in parameters.items()}
    places = [start]
    for n, p in parameters.items():
        places += [start | {n: float(end)} for end in (p.low, p.high)]
    while len(places) < most:
        places.append({n: somewhere(p, random) for n, p in parameters.items()})
    return places


def somewhere(p: Parameter, random: np.random.Generator) -> float:
    if p.log:
        return float(p.low * (p.high / p.low) ** random.random())
    value = p.low + (p.high - p.low) * random.random()
    return float(round(value / p.fine) * p.fine if p.fine >= 1 else value)


def differences(mine: Any, theirs: Any, path: str = "") -> list[str]:
    """Where two values differ by more than 1e-9, relative to their size."""
    if isinstance(mine, dict):
        found = [differences(mine[k], theirs[k], f"{path}.{k}") for k in mine]
        return list(itertools.chain(*found))
    if mine is None or isinstance(mine, str):
        return [] if mine == theirs else [f"{path}: {mine!r} {theirs!r}"]
    a, b = np.asarray(mine, float), np.asarray(theirs, float)
    if a.shape != b.shape:
        return [f"{path}: shapes {a.shape} {b.shape}"]
    gap = np.abs(a - b) / np.maximum(1, np.abs(a))
    return [f"{path}: {gap.max()}"] if gap.size and gap.max() > 1e-9 else []


@pytest.mark.parametrize("name", SCENES)
def test_numbers_are_those_of_the_library(module: Page, name: str) -> None:
    places = grid(name)
    theirs = module.evaluate(
        "([name, places]) => places.map(h => module.scenes[name].see(h))",
        [name, places],
    )
    for place, values in zip(places, theirs, strict=True):
        mine = SCENES[name].see(**place)
        assert mine.keys() == values.keys()
        assert not differences(mine, values), place


@pytest.mark.parametrize("name", SCENES)
def test_what_stands_still_is_the_same(module: Page, name: str) -> None:
    theirs = module.evaluate(
        "name => module.scenes[name].still?.() ?? {}", name
    )
    mine = SCENES[name].still()
    assert mine.keys() == theirs.keys()
    assert not differences(mine, theirs)


@pytest.mark.parametrize("name", SCENES)
def test_a_handle_taken_where_it_stands_stays(
    module: Page, name: str
) -> None:
    """``take`` inverts the place of the handle, at every start."""
    for handle in SCENES[name].handles:
        moved = module.evaluate(
            """([name, handle, h]) => {
              const scene = module.scenes[name];
              return scene.take[handle.name](scene.see(h)[handle.at], h);
            }""",
            [name, {"name": handle.name, "at": handle.at}, start(name)],
        )
        assert set(moved) == set(handle.moves)
        for parameter, value in moved.items():
            assert value == pytest.approx(start(name)[parameter], abs=1e-6)


def start(name: str) -> dict[str, float]:
    return {n: float(p.start) for n, p in SCENES[name].parameters.items()}


@pytest.mark.parametrize("value", [0.125, -0.125, 2.675, -0.001, 1e3, -7.0])
def test_words_are_the_same(module: Page, value: float) -> None:
    template = "{v} and {v:0} and {p:1} and {w}"
    values = {"v": value, "p": [value, -value], "w": "kept"}
    theirs = module.evaluate(
        "([text, values]) => module.fill(text, values)", [template, values]
    )
    assert fill(template, values) == theirs


def test_decimals() -> None:
    assert fixed(0.125) == "0.13" and fixed(-0.125) == "−0.13"
    assert fixed(-0.001) == "0.00" and fixed(12.0, 0) == "12"


@pytest.mark.parametrize("name", SCENES)
def test_words_need_only_known_values(name: str) -> None:
    scene = SCENES[name]
    values = start(name) | scene.see(**start(name)) | scene.still()
    for template in (scene.alt, scene.read, *(h.says for h in scene.handles)):
        assert "{" not in fill(template, values)
    for shape in scene.shapes:
        assert set(shape.values) <= set(values)


# The page


def test_module_is_small_and_fetches_nothing() -> None:
    source = figure.module()
    assert len(source.encode()) <= 40_000
    assert "import" not in source and "fetch(" not in source
    assert set(re.findall(r"https?://[^\"]*", source)) == {
        "http://www.w3.org/2000/svg"
    }


def test_script_drops_only_comments_and_other_scenes() -> None:
    """No text of the module goes over lines that look like comments."""
    texts = figure.module().split("`")[1::2]
    assert not any(re.search(r"^ *//", t, re.M) for t in texts)
    for name in SCENES:
        plain = figure.script(name)
        assert re.findall(r"^scenes\.(\w+) =", plain, re.M) == [name]
        assert not re.search(r"^ *//|^export", plain, re.M)


@pytest.mark.parametrize("name", SCENES)
def test_html_is_self_contained(name: str) -> None:
    text = figure.page(name)
    assert len(text.encode()) <= 60_000
    assert text.count("<script") == text.count("</script>") == 2
    assert not re.search(r'(src|href)="(?!data:)', text)
    alt = html.unescape(re.search(r'<img alt="([^"]*)"', text)[1])
    scene, values = SCENES[name], start(name)
    assert alt == fill(scene.alt, values | scene.see(**values))


def test_display_is_html(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    assert grab("fibre", y=0.5) is None
    data = re.search(r'json">(.*?)</script>', shown[0].data)[1]
    assert json.loads(data)["values"]["y"] == 0.5


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("fiber", {}, "no scene 'fiber'; choose one of fibre, "),
        ("fibre", {"z": 1}, r"no value 'z'; it has theta in \[-180, 180\]"),
        ("fibre", {"y": 3}, "y of scene 'fibre' must be a number from -2 to"),
        ("fibre", {"y": float("nan")}, "number from -2 to 2, got nan"),
        ("fibre", {"y": "1"}, "got '1'"),
    ],
)
def test_bad_calls(name: str, values: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        grab(name, **values)


# In a browser


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Any]:
    """Return a function that opens figures in a page of their own."""
    from built_book import Tab

    tabs: list[Tab] = []

    def make(*pages: str, width: int = 800, **options: Any) -> Tab:
        tab = Tab(browser, width, 700, **options)
        tabs.append(tab)
        file = tmp_path / "figure.html"
        file.write_text(SHELL.format("".join(pages)), encoding="utf-8")
        tab.page.add_init_script(f"({LISTEN})()")
        tab.open(file.as_uri())
        return tab

    yield make
    for tab in tabs:
        tab.context.close()
    assert [tab.problems for tab in tabs] == [[] for _ in tabs]


def check_state(page: Page, name: str) -> dict[str, float]:
    """Numbers and picture are those of the library; return the parameters."""
    last = page.evaluate("window.last")
    values = SCENES[name].see(**last["parameters"])
    assert not differences(values, {k: last["values"][k] for k in values})
    picture = page.locator(".pinv-stage > svg").first
    said = fill(SCENES[name].alt, last["parameters"] | values)
    assert picture.get_attribute("aria-label") == said
    return last["parameters"]


def middle(page: Page, handle: str) -> tuple[float, float]:
    box = page.locator(f"[data-handle='{handle}']").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("name", SCENES)
def test_mouse_moves_every_handle(opened: Any, name: str) -> None:
    page = opened(figure.page(name)).page
    for handle in SCENES[name].handles:
        node = page.locator(f"[data-handle='{handle.name}']")
        node.scroll_into_view_if_needed()
        picture = page.locator(".pinv-stage > svg")
        before, seen = picture.screenshot(), node.get_attribute(
            "aria-valuetext")
        x, y = middle(page, handle.name)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 34, y - 9, steps=4)
        page.mouse.up()
        check_state(page, name)
        assert node.get_attribute("aria-valuetext") != seen, handle
        assert picture.screenshot() != before
        stays = page.evaluate("JSON.stringify(window.last)")
        page.mouse.move(x + 40, y)
        assert page.evaluate("JSON.stringify(window.last)") == stays


def test_a_point_is_where_it_was_put(opened: Any) -> None:
    """40 pixels are so many units, in both directions."""
    page = opened(figure.page("projection")).page
    panel = SCENES["projection"].panels[0]
    unit = 460 / (panel.x[1] - panel.x[0])
    x, y = middle(page, "x_r")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 40, y + 60)
    page.mouse.up()
    now = check_state(page, "projection")
    assert now["x1"] == pytest.approx(2.5 - 40 / unit, abs=0.01)
    assert now["x2"] == pytest.approx(3.0 - 60 / unit, abs=0.01)
    assert middle(page, "x_r") == pytest.approx((x - 40, y + 60), abs=1)


def test_touch_moves_a_handle_and_not_the_page(
    browser: Browser, opened: Any
) -> None:
    tab = opened(
        figure.page("projection"), "<p>" + "long<br>" * 90, width=360,
        has_touch=True, is_mobile=True,
    )  # fmt: skip
    x, y = middle(tab.page, "x_r")
    client = tab.context.new_cdp_session(tab.page)

    def finger(kind: str, *points: tuple[float, float]) -> None:
        where = [{"x": a, "y": b} for a, b in points]
        client.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": where}
        )

    finger("touchStart", (x, y))
    for i in range(1, 6):
        finger("touchMove", (x - 6 * i, y + 10 * i))
    finger("touchEnd")
    now = check_state(tab.page, "projection")
    assert now["x1"] < 2.3 and now["x2"] < 2.7
    assert tab.page.evaluate("window.scrollY") == 0


@pytest.mark.parametrize("name", SCENES)
def test_keyboard_reaches_and_moves_every_handle(
    opened: Any, name: str
) -> None:
    page = opened(figure.page(name)).page
    for handle in SCENES[name].handles:
        page.keyboard.press("Tab")
        node = page.locator("[data-handle]:focus")
        assert node.get_attribute("data-handle") == handle.name
        first, last = handle.moves[0], handle.moves[-1]
        before = page.evaluate("window.last").get("parameters")
        page.keyboard.press("Home")
        assert check_state(page, name)[first] == at_end(name, first, "low")
        page.keyboard.press("ArrowRight")
        one = check_state(page, name)[first]
        page.keyboard.press("Shift+ArrowRight")
        assert check_state(page, name)[first] > one
        page.keyboard.press("End")
        assert check_state(page, name)[first] == at_end(name, first, "high")
        for key in ("ArrowDown", "PageDown", "PageUp", "ArrowLeft"):
            page.keyboard.press(key)
        now = check_state(page, name)
        assert now[first] < at_end(name, first, "high")
        assert now[last] != before[last] or first == last
        assert node.get_attribute("aria-valuenow")
        assert node.aria_snapshot().startswith(f'- slider "{handle.words}"')


def at_end(name: str, parameter: str, end: str) -> float:
    return getattr(SCENES[name].parameters[parameter], end)


def test_no_notebook_takes_the_keys_first(opened: Any) -> None:
    """Notebook 7 listens before the page does, and asks the focused element
    itself whether it wants its shortcuts."""
    handles = opened(figure.page("bend")).page.locator("[data-handle]")
    assert handles.count() == 4
    for node in handles.all():
        assert node.get_attribute("data-lm-suppress-shortcuts") == "true"


def test_other_keys_are_left_to_the_page(opened: Any) -> None:
    page = opened(figure.page("fibre")).page
    page.keyboard.press("Tab")
    before = page.evaluate("JSON.stringify(window.last)")
    for key in ("a", "Control+ArrowRight", "Alt+ArrowUp"):
        page.keyboard.press(key)
    assert page.evaluate("JSON.stringify(window.last)") == before


def test_description_follows_and_is_announced_once(opened: Any) -> None:
    page = opened(figure.page("fibre")).page
    page.evaluate(
        """() => { window.said = []; const p = document.querySelector(
          "[role=status]"); new MutationObserver(() => window.said.push(
          p.textContent)).observe(p, {childList: true}); }"""
    )
    page.keyboard.press("Tab")
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("window.said.length > 0")
    alt = page.locator("svg[role=img]").first.get_attribute("aria-label")
    assert page.evaluate("window.said.at(-1)") == alt
    assert page.evaluate("window.said.length") < 8


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800])
def test_figures_are_accessible_and_fit(
    opened: Any, scheme: str, width: int
) -> None:
    tab = opened(*map(figure.page, SCENES), width=width)
    tab.page.emulate_media(color_scheme=scheme)
    tab.page.evaluate(AXE_SCRIPT)
    found = tab.page.evaluate(AXE)
    assert not found, "\n".join(found)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = tab.page.eval_on_selector_all(
        ".pinv-stage text, .pinv-read",
        "all => all.map(e => parseFloat(getComputedStyle(e).fontSize))",
    )
    assert min(sizes) >= 13.3  # CSS pixels: 10 points


def test_two_figures_do_not_disturb_each_other(opened: Any) -> None:
    page = opened(figure.page("fibre"), figure.page("fibre")).page
    ids = page.eval_on_selector_all("[id]", "all => all.map(e => e.id)")
    assert len(ids) == len(set(ids)) == 2
    pictures = page.locator("svg[role=img]")
    other = pictures.nth(1).get_attribute("aria-label")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert pictures.nth(0).get_attribute("aria-label") != other
    assert pictures.nth(1).get_attribute("aria-label") == other


def test_without_scripts_the_picture_stays(
    browser: Browser, opened: Any
) -> None:
    page = opened(figure.page("fibre"), java_script_enabled=False).page
    picture = page.locator("img")
    assert picture.is_visible() and picture.get_attribute("alt")
    assert page.locator("[role=slider]").count() == 0


@pytest.mark.parametrize("name", SCENES)
def test_the_module_itself_renders_a_model(module: Page, name: str) -> None:
    """As anywidget calls it; what it returns takes the figure away."""
    data = {"spec": figure.spec_of(name, SCENES[name]), "values": start(name)}
    texts = module.evaluate(
        """async data => {
          const model = { get: name => data[name], saved: [],
            set(name, value) { this.saved.push([name, value]); },
            save_changes() {} };
          const el = document.createElement("div");
          document.body.append(el);
          const leave = module.default.render({ model, el });
          const node = el.querySelector("[role=slider]");
          node.dispatchEvent(new KeyboardEvent("keydown", {key: "End"}));
          const shown = el.textContent;
          leave();
          return [shown, model.saved, el.textContent];
        }""",
        data,
    )
    assert texts[0] and texts[2] == ""
    (saved,) = texts[1]
    first = SCENES[name].handles[0].moves[0]
    assert saved[0] == "values"
    assert saved[1][first] == at_end(name, first, "high")


STAND_IN = """data => {
  // what anywidget gives to render, as far as the module uses it
  const heard = new Set();
  window.model = {
    saved: 0,
    get: name => data[name],
    set(name, value) { data[name] = value; for (const f of heard) f(); },
    on(event, f) { if (event === "change:values") heard.add(f); },
    off(event, f) { if (event === "change:values") heard.delete(f); },
    save_changes() { this.saved += 1; },
  };
  window.heard = heard;
  window.el = document.createElement("div");
  document.body.append(el);
  window.moves = [];
  el.addEventListener("pinv-grab", e => moves.push(e.detail));
  window.leave = module.default.render({ model, el });
}"""


@pytest.fixture
def follower(module: Page) -> Iterator[Any]:
    """Return a function that renders a scene on a model that can tell."""

    def show(name: str) -> Page:
        spec = figure.spec_of(name, SCENES[name])
        module.evaluate(STAND_IN, {"spec": spec, "values": start(name)})
        return module

    yield show
    module.evaluate("() => { leave(); el.remove(); }")


@pytest.mark.parametrize("name", SCENES)
def test_a_figure_follows_values_set_from_python(
    follower: Any, name: str
) -> None:
    page, place = follower(name), grid(name)[-1]
    page.evaluate("place => model.set('values', place)", place)
    last = page.evaluate("moves.at(-1)")
    assert last["parameters"] == place
    values = SCENES[name].see(**place)
    assert not differences(values, {k: last["values"][k] for k in values})
    said = page.evaluate(
        "el.querySelector('svg[role=img]').getAttribute('aria-label')"
    )
    assert said == fill(SCENES[name].alt, place | values)
    assert page.evaluate("model.saved") == 0  # nothing is sent back


def test_a_move_is_told_once_and_not_followed_again(follower: Any) -> None:
    page = follower("fibre")
    before = page.evaluate("moves.length")
    page.evaluate(
        "el.querySelector('[data-handle=y]').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Home'}))"
    )
    assert page.evaluate("model.get('values').y") == -2
    assert page.evaluate("[moves.length, model.saved]") == [before + 1, 1]


def test_values_from_python_may_be_few_or_wrong(follower: Any) -> None:
    page = follower("fibre")
    for given in ({"y": 9}, {"z": 1, "t": None, "theta": "30"}, None):
        page.evaluate("given => model.set('values', given)", given)
    last = page.evaluate("moves.at(-1).parameters")
    assert last == start("fibre") | {"y": 2.0}


def test_a_figure_that_is_gone_follows_nothing(follower: Any) -> None:
    page = follower("fibre")
    assert page.evaluate("() => { leave(); return heard.size; }") == 0


@pytest.mark.parametrize("name", SCENES)
def test_a_move_is_quick(opened: Any, name: str) -> None:
    """A generous bound: only a mistake in the order of growth breaks it."""
    page = opened(figure.page(name)).page
    times = page.evaluate(MOVES)
    assert np.median(times) < 40  # milliseconds
