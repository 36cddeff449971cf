"""Sentences wrapped for a terminal."""

import pytest

from cellbench.reporting.paragraphs import filled, wrapped


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("half of the 95 % interval", ["half of the", "95 % interval"]),
        ("it took us 3 min 18 s", ["it took us", "3 min 18 s"]),
        ("shown are 3 methods", ["shown are 3", "methods"]),
    ],
)
def test_a_number_and_its_unit_stay_on_one_line(text, lines):
    assert filled(text, 14) == lines


def test_a_command_has_a_line_of_its_own():
    text = "No net was run; get one with: cellbench run -d hep2 -m cnn"
    assert [*wrapped(text, 20, " -o new")] == [
        "No net was run; get",
        "one with:",
        "  cellbench run -d hep2 -m cnn -o new",
    ]
