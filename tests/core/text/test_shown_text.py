"""Text that would act on what shows it: written out, and no formula in a spreadsheet."""

import pytest

from cellbench.core.text.shown_text import csv_cell, visible, visible_in


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Golgi", "Golgi"),
        ("naïve 細胞 é –", "naïve 細胞 é –"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\nb\r\tc\x00", r"a\nb\r\tc\x00"),
        ("\x9b2J", r"\x9b2J"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("half \udce9", r"half \udce9"),
    ],
)
def test_control_characters_are_written_out_and_letters_stay(text, shown):
    assert visible(text) == shown
    assert visible(shown) == shown


def test_ends_of_lines_stay_where_they_are_wanted():
    assert visible("a\nb\x1b", lines=True) == "a\nb\\x1b"


def test_every_text_of_plain_data_is_made_visible():
    assert visible_in({"a\n": ["\x07", 1, None, {"b": "\x1b"}]}) == {"a\\n": ["\\x07", 1, None, {"b": "\\x1b"}]}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert csv_cell(text) == f"'{text}"


def test_a_tab_before_a_formula_is_written_out():
    assert csv_cell("\t=1") == "\\t=1"


@pytest.mark.parametrize("value", ["Golgi", "a=1", "−1", -1.5, None, True, ""])
def test_other_cells_stay(value):
    assert csv_cell(value) == value
