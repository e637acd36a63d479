"""Samplers: DDNM for every operator, and the methods to compare with."""

from pinv_edu.sampling.baselines import ddrm, dps, gradient_project, pigdm
from pinv_edu.sampling.response import response_rule
from pinv_edu.sampling.rules import Rule, scalar_rule, spectral_rule
from pinv_edu.sampling.samplers import ddnm, sample
from pinv_edu.sampling.schedule import Move, moves, travel_schedule
from pinv_edu.sampling.strengths import over_relaxed

__all__ = [
    "Move",
    "Rule",
    "ddnm",
    "ddrm",
    "dps",
    "gradient_project",
    "moves",
    "over_relaxed",
    "pigdm",
    "response_rule",
    "sample",
    "scalar_rule",
    "spectral_rule",
    "travel_schedule",
]
