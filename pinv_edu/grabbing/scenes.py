"""All scenes, by the name that ``grab`` takes."""

from __future__ import annotations

from pinv_edu.grabbing.cliff import CLIFF
from pinv_edu.grabbing.coupling import COUPLING
from pinv_edu.grabbing.curved import BEND, TEMPTING
from pinv_edu.grabbing.diffusing import DDNM
from pinv_edu.grabbing.guessing import DIFFUSION
from pinv_edu.grabbing.linear import FIBRE, PROJECTION
from pinv_edu.grabbing.parts import Scene
from pinv_edu.grabbing.stepping import STEPS
from pinv_edu.grabbing.subspaces import DECOMPOSITION, PENROSE
from pinv_edu.grabbing.swapping import SWAP

SCENES: dict[str, Scene] = {
    "fibre": FIBRE,
    "projection": PROJECTION,
    "decomposition": DECOMPOSITION,
    "penrose": PENROSE,
    "cliff": CLIFF,
    "steps": STEPS,
    "bend": BEND,
    "tempting": TEMPTING,
    "swap": SWAP,
    "diffusion": DIFFUSION,
    "ddnm": DDNM,
    "coupling": COUPLING,
}
