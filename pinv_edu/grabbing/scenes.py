"""All scenes, by the name that ``grab`` takes."""

from __future__ import annotations

from pinv_edu.grabbing.cliff import CLIFF
from pinv_edu.grabbing.curved import BEND, TEMPTING
from pinv_edu.grabbing.diffusing import DDNM
from pinv_edu.grabbing.linear import FIBRE, PROJECTION
from pinv_edu.grabbing.parts import Scene
from pinv_edu.grabbing.stepping import STEPS
from pinv_edu.grabbing.subspaces import DECOMPOSITION, PENROSE

SCENES: dict[str, Scene] = {
    "fibre": FIBRE,
    "projection": PROJECTION,
    "decomposition": DECOMPOSITION,
    "penrose": PENROSE,
    "cliff": CLIFF,
    "steps": STEPS,
    "bend": BEND,
    "tempting": TEMPTING,
    "ddnm": DDNM,
}
