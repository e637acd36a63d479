"""One visual language: colours by role, figures with alt text."""

from pinv_edu.figures.canvas import (
    FONT,
    ROLES,
    Role,
    axes,
    canvas,
    ink,
    legend,
    note,
)
from pinv_edu.figures.output import data_uri, encode, show
from pinv_edu.figures.pictures import draw_picture, picture_grid, picture_row
from pinv_edu.figures.plane import (
    arrow,
    cloud,
    curve,
    dot,
    draw_plane,
    infinite_line,
    plane,
    planes,
)

__all__ = [
    "FONT",
    "ROLES",
    "Role",
    "arrow",
    "axes",
    "canvas",
    "cloud",
    "curve",
    "data_uri",
    "dot",
    "draw_picture",
    "draw_plane",
    "encode",
    "infinite_line",
    "ink",
    "legend",
    "note",
    "picture_grid",
    "picture_row",
    "plane",
    "planes",
    "show",
]
