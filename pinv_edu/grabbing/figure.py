"""Figures that can be grabbed: one page of HTML for every place."""

from __future__ import annotations

import html
import itertools
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib import resources
from numbers import Real
from typing import Any

from pinv_edu.figures import ROLES, data_uri, encode, ink
from pinv_edu.grabbing.parts import Scene, fill
from pinv_edu.grabbing.scenes import SCENES
from pinv_edu.grabbing.still import still_picture

DASHES = {"-": "none", "--": "8 4", "-.": "9 3 2 3", ":": "2 3"}
_count = itertools.count()


def grab(scene: str, **initial: float) -> None:
    r"""Show a figure whose points can be dragged, with no kernel.

    The reader moves the ringed points with the mouse, a finger or the arrow
    keys (Tab goes to the next one, Shift makes longer steps), and everything
    that depends on them follows. The mathematics runs in the page itself,
    in the same way in the published book and in a notebook; it is compared
    with the library's own numbers by the tests. Where scripts do not run,
    the picture of the start stays.

    Parameters
    ----------
    scene
        ``"fibre"``: all :math:`x` with :math:`a^\top x = y`, for a direction
        that turns.
        ``"projection"``: :math:`x' = x_r + A^+(y - Ax_r)` and its two legs.
        ``"decomposition"``: :math:`x = A^+Ax + (I - A^+A)x`.
        ``"penrose"``: the four projectors of a matrix of rank 1.
        ``"cliff"``: the length of :math:`A^+y` where the rank jumps.
        ``"steps"``: relaxed back-projection against gradient steps.
        ``"bend"``: a curved fibre and the map that straightens it.
        ``"tempting"``: :math:`x + g^\dagger(y - g(x))`, repeated, against
        non-linear back-projection.
        ``"swap"``: non-linear back-projection of any strength, with a null
        code, on the plane and on the map.
        ``"diffusion"``: the mean of the possible clean points of a mixture,
        and the walk back from any place and time (a multiple of 20).
        ``"ddnm"``: a walk of DDNM through the score field of a mixture.
        ``"coupling"``: two couplings with a turn between them; the bent
        grid, area factor and condition number.
    initial
        First values of the scene's parameters, by name.

    Raises
    ------
    ValueError
        If the scene is unknown, or a value is unknown, not a finite number
        or out of its range; the message says what is possible.

    Examples
    --------
    >>> grab("projection", y=3.0)  # doctest: +SKIP
    """
    from IPython.display import HTML, display

    display(HTML(page(scene, **initial)))


def page(scene: str, **initial: float) -> str:
    """Return the HTML of a figure: picture, data and script in one."""
    chosen = find(scene)
    values = start_values(scene, chosen, initial)
    seen = values | chosen.see(**values)
    picture = still_picture(chosen, seen)
    webp, (width, height) = encode(picture)
    data = {"spec": spec_of(scene, chosen), "values": values}
    body = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return _PAGE.format(
        name=f"pinv-grab-{scene}-{_unique()}",
        alt=html.escape(fill(chosen.alt, seen)),
        width=width,
        height=height,
        src=data_uri(webp),
        data=body.replace("</", "<\\/"),
        script=script(scene),
    )


def find(name: str) -> Scene:
    """Return a scene by its name."""
    if name not in SCENES:
        raise ValueError(
            f"there is no scene {name!r}; choose one of {', '.join(SCENES)}"
        )
    return SCENES[name]


def start_values(
    name: str, scene: Scene, initial: Mapping[str, float]
) -> dict[str, float]:
    """Return the first value of every parameter, checked."""
    known = scene.parameters
    unknown = [given for given in initial if given not in known]
    if unknown:
        ranges = ", ".join(
            f"{n} in [{p.low:g}, {p.high:g}]" for n, p in known.items()
        )
        raise ValueError(
            f"scene {name!r} has no value {unknown[0]!r}; it has {ranges}"
        )
    for given, value in initial.items():
        low, high = known[given].low, known[given].high
        number = isinstance(value, Real) and math.isfinite(value)
        if not number or not low <= value <= high:
            raise ValueError(
                f"{given} of scene {name!r} must be a number from {low:g} "
                f"to {high:g}, got {value!r}"
            )
    start = {n: float(p.start) for n, p in known.items()}
    return start | {n: float(v) for n, v in initial.items()}


def spec_of(name: str, scene: Scene) -> dict[str, Any]:
    """Return how a scene is drawn, for the script."""
    spec = {"scene": name, "roles": looks(), "width": scene.width}
    spec |= {"alt": scene.alt, "read": scene.read, "legend": scene.legend}
    for part in ("panels", "handles", "shapes"):
        spec[part] = [_brief(asdict(p)) for p in getattr(scene, part)]
    spec["parameters"] = {n: asdict(p) for n, p in scene.parameters.items()}
    return spec


def looks() -> dict[str, dict[str, str]]:
    """Return colour, ink, marker and dash of every role, as in all figures."""
    return {
        name: {
            "colour": role.colour,
            "ink": ink(name),
            "marker": role.marker,
            "dash": DASHES.get(str(role.dash), "6 5"),
        }
        for name, role in ROLES.items()
    }


def _brief(part: dict[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing; the script knows the defaults."""
    kept = {"panel", "values", "log", "ticks"}
    return {k: v for k, v in part.items() if k in kept or v not in (None, "")}


def _unique() -> str:
    """A name that no other figure of this page has."""
    import secrets

    return f"{next(_count)}-{secrets.token_hex(4)}"


@cache
def module() -> str:
    """Return the ES module with all scenes, as it is shipped."""
    file = resources.files("pinv_edu.grabbing").joinpath("grab.js")
    return file.read_text(encoding="utf-8")


SECTION = re.compile(r"^// ---- (.+)\n", re.M)


@cache
def script(scene: str) -> str:
    """Return the module as a plain script with this one scene.

    Exports and whole-line comments are dropped, and the other scenes; an
    inline module would not know its own element.
    """
    _, *rest = SECTION.split(module())
    wanted = [
        text
        for title, text in zip(rest[::2], rest[1::2], strict=True)
        if scene in title or not title.startswith("scene")
    ]
    plain = re.sub(r"^export default .*\n", "", "".join(wanted), flags=re.M)
    plain = re.sub(r"^export ", "", plain, flags=re.M)
    plain = re.sub(r"^ *//.*\n|^ +|\n(?=\n)", "", plain, flags=re.M)
    return plain.replace("</", "<\\/")


_PAGE = (
    '<div class="pinv-figure pinv-grab-figure" id="{name}" '
    'data-lm-suppress-shortcuts="true" style="background:#fff;color:#111;'
    'padding:.5rem;border-radius:.5rem">'
    '<img alt="{alt}" width="{width}" height="{height}" '
    'style="max-width:100%;height:auto" src="{src}">'
    '<script type="application/json">{data}</script>'
    '<script>(function () {{\n"use strict";\n'
    'const root = document.getElementById("{name}");\n'
    "if (!root || root.dataset.on) return;\nroot.dataset.on = 1;\n"
    "const data = JSON.parse(root.querySelector("
    "\"script[type='application/json']\").textContent);\n"
    "{script}"
    "render({{ model: {{ get: (name) => data[name] }}, el: root }});\n"
    'root.querySelector("img").remove();\n'
    "}})();</script></div>"
)
