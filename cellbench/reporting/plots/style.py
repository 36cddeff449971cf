"""How every figure looks: one colour and marker a method, sizes for print, the same bytes for the same figure."""

import zlib
from pathlib import Path
from typing import IO, Any

import matplotlib
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox

from ...core.store import write_whole

# Okabe and Ito's palette for all kinds of colour vision, without its yellow, which is faint on paper.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
GREY, PALE = "#666666", "#999999"
COLOURS = (BLUE, SKY, BLACK, PURPLE, GREEN, VERMILLION, ORANGE)
MARKERS = "osD^v<>PXph*d8"

Look = tuple[str, str]

# A colour a lineage, and the marker within it: a plain net has that of its residual twin. Those often seen together
# differ in both, so that a print without colour can be read.
_DEPTHS = {"18": "D", "34": "p", "50": "h", "101": "d", "20": "v", "32": "<", "44": ">", "56": "P", "110": "X"}
KNOWN: dict[str, Look] = {
    "svm-hog": (BLUE, "o"),
    "svm-deep": (BLUE, "d"),
    "svm-flat": (SKY, "s"),
    "svm-yeast": (SKY, "h"),
    "svm-combined": (BLUE, "^"),
    "probe-svm": (GREEN, "s"),
    "probe-linear": (GREEN, "d"),
    "probe-knn": (GREEN, "p"),
    "floor-intensity": (PALE, "D"),
    "mlp": (PALE, "X"),
    "fastnet": (BLACK, "*"),
    "cnn": (BLACK, "P"),
    "cnn2-yeast": (BLACK, "^"),
    "cnn3-yeast": (BLACK, "v"),
    "alexnet": (PURPLE, "*"),
    "alexnet-hep2": (PURPLE, "D"),
    "bninception": (PURPLE, "o"),
    "model2-hpa28": (PURPLE, "^"),
    "inception_resnet_v2": (PURPLE, "s"),
    "vgg11": (GREEN, "^"),
    "vgg13": (GREEN, "<"),
    "vgg16": (GREEN, "v"),
    "vgg19": (GREEN, ">"),
    "vgg-yeast": (GREEN, "D"),
    **{f"resnet{depth}": (VERMILLION, sign) for depth, sign in _DEPTHS.items()},
    **{f"plain{depth}": (ORANGE, sign) for depth, sign in _DEPTHS.items()},
}
_FREE = [(hue, sign) for sign in MARKERS for hue in COLOURS if (hue, sign) not in KNOWN.values()]

WIDTH = 7.2  # inches: the text of an A4 or letter page, so that at 100 % no letter is under 8 points
SMALL, NORMAL, LARGE = 8, 9, 10.5
RC: Any = {
    "font.family": "DejaVu Sans",
    "font.size": SMALL,
    "axes.titlesize": NORMAL,
    "axes.titlelocation": "left",
    "axes.labelsize": SMALL,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E2E2E2",
    "grid.linewidth": 0.6,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "lines.markersize": 5.5,
    "errorbar.capsize": 2.5,
    "pdf.fonttype": 42,  # letters stay letters, which journals ask for
    "svg.hashsalt": "cellbench",
}
# What would differ from one day to the next.
_UNDATED: dict[str, dict[str, Any]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
FORMATS = tuple(_UNDATED)


def look(method: str) -> Look:
    """Colour and marker of a method, the same in every figure; of one that isn't known here, by its name alone."""
    return KNOWN.get(method) or _FREE[zlib.crc32(method.encode()) % len(_FREE)]


def colour(method: str) -> str:
    """'#RRGGBB'."""
    return look(method)[0]


def marker(method: str) -> str:
    """As matplotlib calls it."""
    return look(method)[1]


def mark(method: str, device: str, strength: float = 1.0) -> dict[str, Any]:
    """How matplotlib draws a method's points: filled for a run on a processor, open for one on an accelerator.

    strength: of its hue, see `tint`.
    """
    full, sign = look(method)
    hue = full if strength == 1 else tint(full, strength)
    return {"color": hue, "marker": sign, "markerfacecolor": hue if device == "cpu" else "white"}


def tint(hue: str, strength: float) -> tuple[float, float, float]:
    """`hue` on white paper: 1 is itself, 0 is white."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(hue))
    return red, green, blue


def width(text: str, size: float = SMALL, weight: str = "normal") -> float:
    """Of one line of text, in points."""
    letters = FontProperties(family=RC["font.family"], size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(text, letters, False)[0])


def settle(figure: Figure) -> None:
    """Lay the panels out, once and for all.

    Places are rounded: what solves the layout adds up in an order that differs from time to time, in the last digit.
    """
    if figure.get_layout_engine() is None:
        return
    figure.draw_without_rendering()
    figure.set_layout_engine(None)
    for axes in figure.axes:
        axes.set_position(Bbox(axes.get_position(original=True).get_points().round(6)))


def save(figure: Figure, path: Path, style: str) -> None:
    """Write the figure as 'png' (200 dots an inch), 'svg' or 'pdf', whole or not at all.

    The same figure and version of matplotlib give the same bytes. Raises OSError.
    """

    def write(file: IO[bytes]) -> None:
        with matplotlib.rc_context(RC):
            figure.savefig(file, format=style, dpi=200, metadata=_UNDATED[style])

    write_whole(path, write)
