"""Colours, markers, names beside points, and the same bytes for the same figure."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from cellbench.methods import methods
from cellbench.reporting.plots import style
from cellbench.reporting.plots.chart import Chart
from cellbench.reporting.plots.labels import beside, place
from cellbench.reporting.plots.sheet import clock, counts, sheet

PALETTE = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#999999"}


def test_no_two_known_methods_look_alike_and_all_colours_are_of_the_palette():
    assert len(set(style.KNOWN.values())) == len(style.KNOWN)
    assert {hue for hue, _ in style.KNOWN.values()} <= PALETTE


def test_every_standard_method_is_known():
    assert {name for name in methods if methods[name].standard} <= set(style.KNOWN)


def test_the_methods_that_are_compared_most_differ_in_both_colour_and_marker():
    for one, other in itertools.combinations(("svm-hog", "svm-flat", "mlp", "cnn", "alexnet", "vgg16", "resnet18"), 2):
        assert style.colour(one) != style.colour(other)
        assert style.marker(one) != style.marker(other)


def test_a_method_that_is_not_known_looks_the_same_in_every_process_and_like_no_known_one():
    code = "from cellbench.reporting.plots.style import look; print(look('my-net'), look('my-other-net'))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    looks = [style.look("my-net"), style.look("my-other-net")]
    assert told.split("\n")[0] == f"{looks[0]} {looks[1]}"
    assert not set(looks) & set(style.KNOWN.values())


def test_a_tint_goes_from_the_colour_to_white():
    assert style.tint("#0072B2", 1) == pytest.approx((0, 0x72 / 255, 0xB2 / 255))
    assert style.tint("#0072B2", 0) == (1, 1, 1)
    assert style.tint("#000000", 0.25) == (0.75, 0.75, 0.75)


def panel():
    return sheet(Chart("title", "subtitle", ()), 1, 1, 3.0)


def test_names_in_a_crowd_cover_neither_each_other_nor_the_axes():
    draws = np.random.default_rng(0)
    points = [(float(x), float(y)) for x, y in draws.normal(0.5, 0.12, (20, 2))]
    with panel() as (_, grid):
        axes = grid[0, 0]
        axes.set(xlim=(0, 1), ylim=(0, 1))
        boxes = place(axes, points, [f"method-{i}" for i in range(20)])
        inside = axes.get_window_extent()
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    for box in boxes:
        assert inside.x0 <= box.x0 < box.x1 <= inside.x1
        assert inside.y0 <= box.y0 < box.y1 <= inside.y1


def test_names_of_one_point_alone_stand_close_to_it():
    with panel() as (figure, grid):
        axes = grid[0, 0]
        axes.set(xlim=(0, 1), ylim=(0, 1))
        (box,) = place(axes, [(0.5, 0.5)], ["alone"])
        x, y = axes.transData.transform((0.5, 0.5))
    nearest = np.hypot(max(box.x0 - x, 0, x - box.x1), max(box.y0 - y, 0, y - box.y1))
    assert nearest <= 8 * figure.dpi / 72


def test_names_beside_lines_that_end_together_are_spread_in_their_order():
    with panel() as (_, grid):
        axes = grid[0, 0]
        axes.set(xlim=(0, 1), ylim=(0, 1))
        points = [(1.0, 0.501), (1.0, 0.5), (1.0, 0.502), (1.0, 0.9)]
        (boxes,) = beside([(axes, points, ["b", "a", "c", "far"])])
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    assert boxes[1].y0 < boxes[0].y0 < boxes[2].y0 < boxes[3].y0


@pytest.mark.parametrize(
    ("seconds", "texts"),
    [
        ([5, 400], ["5 s", "10 s", "20 s", "30 s", "1 min", "2 min", "5 min"]),
        ([0.4, 9000], ["1 s", "10 s", "1 min", "10 min", "1 h"]),
        ([2.2, 2.4], ["2 s", "2.2 s", "2.4 s"]),
    ],
)
def test_times_are_read_as_a_clock_is(seconds, texts):
    with panel() as (figure, grid):
        axes = grid[0, 0]
        clock(axes, seconds)
        figure.draw_without_rendering()
        assert [label.get_text() for label in axes.get_xticklabels() if label.get_text()] == texts
        assert axes.get_xscale() == "log"


def test_counts_have_a_tick_each_but_where_they_would_collide():
    with panel() as (figure, grid):
        axes = grid[0, 0]
        counts(axes, [100, 1000, 8000, 8001])
        figure.draw_without_rendering()
        assert sorted(label.get_text() for label in axes.get_xticklabels()) == ["1,000", "100", "8,001"]


@pytest.mark.parametrize("form", style.FORMATS)
def test_the_same_figure_is_the_same_file(form, tmp_path):
    for name in "ab":
        with panel() as (figure, grid):
            grid[0, 0].plot([1, 2], [3, 4], **style.mark("cnn", "cpu"))
        style.save(figure, tmp_path / name, form)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes()[:4] == {"png": b"\x89PNG", "svg": b"<?xm", "pdf": b"%PDF"}[form]


def test_a_figure_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    with panel() as (figure, _):
        pass
    with pytest.raises(OSError, match="nowhere"):
        style.save(figure, tmp_path / "nowhere" / "x.png", "png")
    assert not list(tmp_path.iterdir())


def test_a_long_title_and_long_notes_stay_within_the_page():
    chart = Chart("a title of many words " * 8, "and below it more of them " * 8, (), ("a note " * 60, "another"))
    with sheet(chart, 1, 1, 2.0) as (figure, grid):
        figure.draw_without_rendering()
        page = figure.bbox
        panel = grid[0, 0].get_tightbbox()
        for text in figure.texts:
            box = text.get_window_extent()
            assert page.x0 <= box.x0 < box.x1 <= page.x1
            assert not box.overlaps(panel)


def test_no_window_system_is_asked_for():
    code = "import sys, cellbench.reporting.plots.kinds; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_figure_is_as_wide_as_a_page_of_text():
    with panel() as (figure, _):
        assert isinstance(figure, Figure)
        assert figure.get_figwidth() == 7.2
