"""Colours and shapes, ticks, names beside points, and text that fits."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from cellbench.methods import methods
from cellbench.reporting.charts import axes, layers, places, style
from cellbench.reporting.charts.text import NO_LETTER, width, without_font, wrap

PALETTE = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#999999"}


def test_no_two_known_methods_look_alike_and_all_colours_are_of_the_palette():
    assert len(set(style.KNOWN.values())) == len(style.KNOWN)
    assert {hue for hue, _ in style.KNOWN.values()} <= PALETTE


def test_every_standard_method_is_known():
    assert {name for name in methods if methods[name].standard} <= set(style.KNOWN)


def test_the_methods_that_are_compared_most_differ_in_both_colour_and_marker():
    for one, other in itertools.combinations(("svm-hog", "svm-flat", "mlp", "cnn", "alexnet", "vgg16", "resnet18"), 2):
        assert style.colour(one) != style.colour(other)
        assert style.shape(one) != style.shape(other)


def test_a_method_that_is_not_known_looks_the_same_in_every_process_and_like_no_known_one():
    code = "from cellbench.reporting.charts.style import mark_of; print(mark_of('my-net'), mark_of('my-other-net'))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    looks = [style.mark_of("my-net"), style.mark_of("my-other-net")]
    assert told.split("\n")[0] == f"{looks[0]} {looks[1]}"
    assert not set(looks) & set(style.KNOWN.values())


def test_every_shape_is_one_of_vegas_or_a_path_in_its_square():
    own = {"circle", "square", "diamond", "cross", "triangle-up", "triangle-down", "triangle-left", "triangle-right"}
    for path in set(style.SHAPES.values()) - own:
        numbers = [float(part) for part in path.replace("L", ",").strip("MZ").split(",")]
        assert max(map(abs, numbers)) <= 1.2
    assert {shape for _, shape in style.KNOWN.values()} <= set(style.SHAPES)


def frame(high: float = 200.0) -> axes.Frame:
    return axes.Frame(axes.percents([], "x", 0, 1), axes.percents([], "y", 0, 1), 400.0, high)


def test_names_in_a_crowd_cover_neither_each_other_nor_the_axes():
    draws = np.random.default_rng(0)
    anchors = np.clip(draws.normal(0.5, 0.12, (20, 2)), 0, 1) * (400, 300)
    sizes = [(width(f"method-{i}", 8) + 3, 11.0) for i in range(20)]
    inside = np.array([[0, 0, 400, 300]])
    boxes, _ = places.free_places(anchors, sizes, inside, np.empty((0, 2)), np.empty((0, 2)))
    for one, other in itertools.combinations(boxes, 2):
        assert min(one[2], other[2]) <= max(one[0], other[0]) or min(one[3], other[3]) <= max(one[1], other[1])
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= 400
        assert 0 <= top < bottom <= 300


def test_the_name_of_a_point_alone_stands_close_to_it():
    point = np.array([[200.0, 100.0]])
    (box,), (far,) = places.free_places(point, [(30.0, 11.0)], np.array([[0, 0, 400, 200]]), point[:0], point[:0])
    near = np.clip(point[0], box[:2], box[2:])
    assert np.hypot(*(near - point[0])) <= 8
    assert not far


def test_names_beside_lines_that_end_together_are_spread_in_their_order():
    ends = [(1.0, 0.501), (1.0, 0.5), (1.0, 0.502), (1.0, 0.9)]
    (spec,) = layers.names_beside(frame(), ends, ["b", "a", "c", "far"])
    levels = {datum["label"]: datum["level"] for datum in spec["layer"][0]["data"]["values"]}
    heights = [200 * levels[name] for name in ("a", "b", "c", "far")]
    assert all(after - here >= style.LINE - 0.1 for here, after in itertools.pairwise(heights))


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [
        ([5, 400], [5, 10, 20, 30, 60, 120, 300]),
        ([0.4, 9000], [1, 10, 60, 600, 3600]),
        ([2.2, 2.4], [2, 5]),  # two round times at least, never one beside a crooked one
        ([1.06, 1.06], [1, 2]),
    ],
)
def test_times_are_read_as_a_clock_is(seconds, ticks):
    ruler = axes.times(seconds)
    assert list(ruler.ticks) == ticks
    assert ruler.low < min(seconds) <= max(seconds) < ruler.high
    assert ruler.log


def test_counts_have_a_tick_each_but_where_they_would_collide():
    assert axes.counts([100, 1000, 8000, 8001]).ticks == (100, 1000, 8001)


@pytest.mark.parametrize("ruler", [axes.times([3, 500]), axes.percents([0.2, 0.7])])
def test_a_place_on_an_axis_and_its_value_belong_together(ruler):
    for value in (0.3, 0.5, 4.0):
        assert ruler.value(ruler.share(value)) == pytest.approx(value)
    assert ruler.share(ruler.low) == 0
    assert ruler.share(ruler.high) == pytest.approx(1)


def test_lines_of_text_fit_the_room_that_they_have():
    lines = wrap("a note of many words " * 20 + "x" * 300, 200, 8, indent="   ")
    assert len(lines) > 10
    assert all(width(line, 8) <= 215 for line in lines)
    assert wrap("short", 200, 8) == ["short"]
    assert wrap("", 200, 8) == []


def test_letters_that_a_font_has_are_told_from_those_that_none_has():
    assert without_font("svm-hog ± é ü − × α") == set()
    assert without_font(f"a{NO_LETTER}b\x85") == {NO_LETTER, "\x85"}


def test_charts_are_drawn_without_a_browser_a_network_or_matplotlib():
    code = (
        "import sys, cellbench.reporting.charts.registry as r; r.kinds(); "
        "assert not {'matplotlib', 'selenium', 'playwright', 'torch'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
