"""Figures that can be grabbed, in the page, with no kernel."""

from pinv_edu.grabbing.figure import grab

__all__ = ["grab"]
