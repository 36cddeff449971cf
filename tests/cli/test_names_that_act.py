"""Names that would act on a terminal, a spreadsheet, LaTeX or a page: shown as such, and never stored raw."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from cellbench.core.records.store import read_records
from cellbench.core.text.shown_text import visible

from .program import call

CLASSES = ("\x1b[31mred\x1b[0m", '=HYPERLINK("x")', "a\nb <b>|_*")
RAW = "\x1b\x07\x9b\u202e"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    base = tmp_path_factory.mktemp("acting")
    cells = base / "cells\x1b[2J"
    rng = np.random.default_rng(0)
    for number, name in enumerate(CLASSES):
        (cells / name).mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(0, 60, (24, 24)) + 80 * number
            Image.fromarray(pixels.astype(np.uint8)).save(cells / name / f"\x1b[1m{i}.png")
    environment = {"CELLBENCH_DATA": str(base / "cache"), "XDG_STATE_HOME": str(base / "state")}
    out = call("run", "-d", cells, "-m", "floor-intensity", "-o", base / "results", environment=environment)
    assert out.returncode == 0, out.stderr
    assert not set(RAW) & set(out.stdout + out.stderr)
    return base / "results"


def test_nothing_is_stored_raw(results):
    for path, _, record, text in read_records(results, lambda path, why: pytest.fail(why)):
        assert not set(RAW) & set(text)
        assert "\\u001b" not in text
        assert sorted(record.facts["classes"]) == sorted(map(visible, CLASSES))
        assert not set(RAW) & set(str(path.relative_to(results)))


@pytest.mark.parametrize("style", ["text", "markdown", "latex", "csv", "json"])
def test_every_form_of_a_table_shows_them_as_such(results, style):
    out = call("table", results, "--view", "per-class", "--format", style).stdout
    assert not set(RAW) & set(out)
    assert "x1b" in out
    if style == "markdown":
        assert "<b>" not in out.replace("\\<b\\>", "")
    if style == "csv":
        cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
        assert '\'=HYPERLINK("x")' in cells
        assert not any(cell.startswith(("=", "+", "@")) for cell in cells)


def test_the_page_shows_them_as_such(results, tmp_path):
    assert call("report", results, "-o", tmp_path / "r.html", "--no-cells").returncode == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    own_data = page.split('id="charts">')[0]
    assert not set(RAW) & set(own_data)
    assert "<b>|_" not in own_data


def test_a_record_that_holds_them_is_shown_without(results, tmp_path):
    (file,) = results.rglob("s*.json")
    target = tmp_path / "evil\x1b[31m" / "d" / "m" / file.name
    target.parent.mkdir(parents=True)
    text = file.read_text(encoding="utf-8")
    target.write_text(text.replace('"version": "', '"version": "\\u001b[31m'), encoding="utf-8")
    broken = target.with_name("s9-\x1b[2J.json")
    broken.write_text("{")
    out = call("table", tmp_path, "--format", "csv")
    assert out.returncode == 0, out.stderr
    assert not set(RAW) & set(out.stdout + out.stderr)
    assert r"s9-\x1b[2J.json" in out.stderr


def test_an_error_that_names_them_is_one_line(tmp_path):
    out = call("table", tmp_path / "no\x1b[31m\nsuch")
    assert (out.returncode, out.stderr.count("\n")) == (2, 1)
    assert not set(RAW) & set(out.stderr)
