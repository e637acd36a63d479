"""All scenes, by the name that ``grab`` takes."""

from __future__ import annotations

from pinv_edu.grabbing.linear import FIBRE, PROJECTION
from pinv_edu.grabbing.parts import Scene

SCENES: dict[str, Scene] = {
    "fibre": FIBRE,
    "projection": PROJECTION,
}
