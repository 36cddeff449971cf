"""Writes a chart to a file, with heading and notes; vl-convert draws it, without a browser or a network."""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import altair as alt
import vl_convert

from ...core.errors import UsageError
from ...core.records.store import write_whole
from .chart import Chart
from .compose import Spec, complete_specification, spec_of, stacked
from .style import BLACK, CONFIG, GREY, LARGE, SMALL, WIDTH
from .text import without_font, wrap

DOTS = 200  # per inch of a PNG
ROOM = WIDTH - 12  # width of a line of text, in points


def specification(chart: Chart) -> Spec:
    """Return the whole chart in Vega-Lite: panels, heading, notes and configuration.

    Characters that no font on this machine has are replaced by '?', and a note says so.
    """
    spec = _headed(chart, chart.notes)
    missing = without_font(json.dumps(spec, ensure_ascii=False))
    if not missing:
        return spec
    note = f"No font on this machine has {len(missing)} of the characters of these texts; ? stands for each."
    letters = str.maketrans(dict.fromkeys(missing, "?"))
    return {name: _replaced(value, letters) for name, value in _headed(chart, (*chart.notes, note)).items()}


def panels(chart: Chart, width: float = WIDTH) -> Spec:
    """Return the chart without heading, notes and configuration, which the HTML page adds itself."""
    return complete_specification(chart.panels(width))


@cache  # vl-convert takes a second for it
def javascript() -> str:
    """Vega, Vega-Lite and Vega-Embed, for a page that has to show charts offline; it calls `vegaEmbed`."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


def _headed(chart: Chart, notes: tuple[str, ...]) -> Spec:
    below = alt.TitleParams(
        [line for note in notes for line in wrap(note, ROOM, SMALL, indent="   ")],
        orient="bottom",
        frame="bounds",
        fontSize=SMALL,
        fontWeight="normal",
        color=GREY,
        lineHeight=11,
        offset=8,
    )
    above = alt.TitleParams(
        wrap(chart.title, ROOM, LARGE, bold=True),
        subtitle=wrap(chart.subtitle, ROOM, SMALL),
        fontSize=LARGE,
        frame="bounds",
        color=BLACK,
        offset=8,
    )
    # The heading is outermost, above the legend; notes are the title of the panels, because PDFs limit the nesting.
    noted = {**spec_of(chart.panels()), **({"title": below.to_dict()} if notes else {})}
    return complete_specification(stacked(noted, title=above.to_dict()), CONFIG)


def _replaced(part: object, letters: Mapping[int, str]) -> object:
    if isinstance(part, str):
        return part.translate(letters)
    if isinstance(part, dict):
        return {name: _replaced(value, letters) for name, value in part.items()}
    return [_replaced(value, letters) for value in part] if isinstance(part, list) else part


def _png(spec: Spec) -> bytes:
    return bytes(vl_convert.vegalite_to_png(spec, ppi=DOTS))


def _svg(spec: Spec) -> bytes:
    """Return the SVG, its clip paths renumbered from 0: Vega continues their numbers from one chart to the next."""
    svg = vl_convert.vegalite_to_svg(spec)
    names = dict.fromkeys(re.findall(r' id="(clip\d+)"', svg))
    numbers = {name: f"clip{at}" for at, name in enumerate(names)}
    return re.sub(r'(?<= id=")clip\d+(?=")|(?<=url\(#)clip\d+(?=\))', lambda found: numbers[found[0]], svg).encode()


def _pdf(spec: Spec) -> bytes:
    return bytes(vl_convert.vegalite_to_pdf(spec))


def _json(spec: Spec) -> bytes:
    return (json.dumps(spec, ensure_ascii=False, indent=1) + "\n").encode()


_WRITERS: dict[str, Callable[[Spec], bytes]] = {"png": _png, "svg": _svg, "pdf": _pdf, "json": _json}


def svg(chart: Chart) -> str:
    """Return the chart as SVG, with its heading and notes."""
    return _svg(specification(chart)).decode()


def save(chart: Chart, path: Path, form: str) -> Path:
    """Write the chart in one of FORMATS, whole or not at all, and return its path; folders are made as needed.

    Raises UsageError if it cannot be written.

    The same chart and versions of packages give the same bytes, except for PDF, where only the picture is the same.
    """
    written = _WRITERS[form](specification(chart))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda file: file.write(written))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}; choose another place with -o") from error
    return path
