"""Texts and values that a generator makes up, for half a minute at most: each is read, or refused in one line."""

import contextlib
import io
import json
import shlex

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cellbench.core.data import IMAGE_DTYPES
from cellbench.core.errors import CellbenchError, DataError
from cellbench.core.records.runs import RunRecord
from cellbench.core.text.shown_text import csv_cell, visible
from cellbench.datasets.files.images.decoding import decode
from cellbench.datasets.files.tables import read_table
from cellbench.results.frame import empty_frame
from cellbench.results.rows.conditions import rows_where

from .cli.program import call
from .reporting.made_records import make

BOUNDED = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
FEWER = settings(BOUNDED, max_examples=40)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
WHOLE = json.loads(make("cnn").to_json())
FIELDS = st.sampled_from([(name,) for name in WHOLE] + [("spec", name) for name in WHOLE["spec"]])


@BOUNDED
@given(st.text() | VALUES.map(json.dumps))
def test_any_text_is_a_record_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        RunRecord.from_json(text)


@BOUNDED
@given(st.lists(st.tuples(FIELDS, VALUES), min_size=1, max_size=3))
def test_a_record_with_other_values_is_one_that_can_be_written_again_or_a_value_error(changes):
    document = json.loads(json.dumps(WHOLE))
    for (*way, name), value in changes:
        inner = document
        for step in way:
            inner = inner[step] if isinstance(inner.get(step), dict) else {}
        inner[name] = value
    with contextlib.suppress(ValueError):
        record = RunRecord.from_json(json.dumps(document))
        assert RunRecord.from_json(record.to_json()).to_json() == record.to_json()


@BOUNDED
@given(st.text())
def test_no_text_acts_on_what_shows_it(text):
    shown = visible(text)
    assert shown.isprintable() or not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in shown)
    assert visible(shown) == shown
    shown.encode("utf-8")
    assert not str(csv_cell(text)).startswith(("=", "+", "-", "@"))


@BOUNDED
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_refused(content):
    with contextlib.suppress(CellbenchError):
        read_table(content, "labels.csv")


def pictures() -> list[bytes]:
    """A small image of each kind that is read."""
    found = []
    for kind, mode in (("PNG", "L"), ("PNG", "RGB"), ("JPEG", "L"), ("BMP", "L"), ("TIFF", "I;16")):
        file = io.BytesIO()
        Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).convert(mode).save(file, kind)
        found.append(file.getvalue())
    return found


CHANGES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6)


@BOUNDED
@given(st.sampled_from(pictures()), CHANGES, st.floats(0, 1))
def test_an_image_with_other_bytes_or_cut_short_is_read_or_refused(picture, changes, kept):
    damaged = bytearray(picture)
    for place, value in changes:
        damaged[int(place * len(damaged))] = value
    with contextlib.suppress(DataError):
        pixels = decode(bytes(damaged[: 8 + int(kept * len(damaged))])).pixels
        assert pixels.ndim == 3
        assert pixels.dtype in IMAGE_DTYPES


@BOUNDED
@given(st.text(max_size=30))
def test_any_condition_is_read_or_refused(condition):
    with contextlib.suppress(CellbenchError):
        rows_where(empty_frame(), [condition])


KNOWN = """table plot run findings compare list methods -m -d --set --seeds --limit --view --where --format csv -o
--split kfold:5/0 --epochs -1 --dry-run"""
WORDS = st.lists(
    st.sampled_from(KNOWN.split())
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    max_size=5,
)


@FEWER
@given(WORDS)
def test_any_command_line_ends_with_one_of_our_exit_codes(tmp_path_factory, words):
    if "run" in words or "prepare" in words:
        words = [*words, "--dry-run", "-m", "no such method"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cwd"))
        out = call(*words)
    assert out.returncode in (0, 2, 3, 4), shlex.join(words)
    assert "Traceback" not in out.stderr
