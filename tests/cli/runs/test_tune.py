"""`cellbench tune`: from images to a suite that runs, with what tuning cost in the table."""

import json
import shlex
import tomllib
from pathlib import Path

import pytest

from cellbench.core.extras import EXTRAS, Extra

from ..program import call

pytest.importorskip("optuna")


def test_from_images_to_a_tuned_run_in_the_table(cells, tmp_path):
    results = tmp_path / "r"
    arguments = ["tune", "-d", cells, "-m", "svm-flat", "--trials", 3, "-o", results]
    first = call(*arguments)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("svm-flat: val macro-F1 ")
    assert "(3 trials, " in first.stdout
    assert first.stderr.count("svm-flat, trial ") == 3
    again = call(*arguments)
    assert (again.stdout.splitlines()[-1], again.stderr.count("trial ")) == (first.stdout.splitlines()[-1], 0)
    (file,) = results.rglob("tuned.toml")
    ran = call("run", "--suite", file, "-d", cells, "-o", results)
    assert ran.returncode == 0, ran.stderr
    advice = next(line for line in ran.stderr.splitlines() + ran.stdout.splitlines() if "cellbench table" in line)
    words = shlex.split(advice.partition("cellbench ")[2])
    assert words == ["table", str(results), "--suite", str(file)]
    assert call(*words).returncode == 0
    rows = json.loads(call("table", results, "--runs", "all", "--view", "leaderboard", "--format", "json").stdout)
    tuned = {row["tuning_trials"] for row in rows}
    assert tuned <= {3, None}
    records = [json.loads(path.read_text()) for path in results.rglob("s0-*.json")]
    assert {bool(one["overrides"]) for one in records} == {"tuning" in one["facts"] for one in records}


def test_the_command_that_comes_next_has_the_options_that_say_how_to_read_the_folder(cells, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "cellbench.running.executors.child.watch",
        lambda *_: ("done", {"figure": "macro_f1", "value": 0.5, "chose": {}}),
    )
    (tmp_path / "nothing.py").touch()
    given = ["--device", "cpu", "-o", tmp_path / "my r", "--machine", "mine", "--plugin", tmp_path / "nothing.py"]
    given += ["--image-size", 24, "--skip-unreadable"]
    out = call("tune", "-d", cells, "-m", "svm-flat", "--trials", 1, *given, "--limit", 20)
    assert out.returncode == 0, out.stderr
    words = shlex.split(out.stdout.splitlines()[-1])
    assert words[:4] == ["Next:", "cellbench", "run", "--suite"]
    assert Path(words[4]).name == "tuned-20.toml"  # what was tuned on all images has another file
    assert words[5:11] == ["-d", str(cells), "--seeds", "0-2", "--limit", "20"]
    assert words[11:] == ["--val-limit", "all", *map(str, given)]
    assert call(*words[2:], "--dry-run").returncode == 0


def test_a_method_without_a_figure_is_named_and_the_exit_code_is_3(cells, tmp_path, monkeypatch):
    def watch(question, *_):
        if question.args[0].spec.method == "svm-hog":
            return "failed", "RuntimeError: the lamp is out"
        return "done", {"figure": "macro_f1", "value": 0.5, "chose": {}}

    monkeypatch.setattr("cellbench.running.executors.child.watch", watch)
    out = call("tune", "-d", cells, "-m", "svm-hog", "-m", "svm-flat", "--trials", 2, "-o", tmp_path / "r")
    assert out.returncode == 3
    assert (
        "no trial of svm-hog has a figure on val (2 tried; the last: failed: RuntimeError: the lamp is out)"
        in out.stderr
    )
    assert out.stderr.endswith("not tuned: svm-hog; the lines above say why\n")
    assert out.stdout.startswith("svm-flat: val macro-F1 0.5000, default 0.5000 (2 trials, ")


SEARCHED = """
title = "a search"
source = "this test"
dataset = "hep2"
[set]
size = 20
[search]
label = "C, searched"
method = "svm-flat"
part = 0.5
best = 1
trials = 4
[search.vary]
C = [1, 10, 100]
[[entries]]
id = "svm-flat"
label = "as it comes"
method = "svm-flat"
"""


@pytest.fixture
def searched(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(SEARCHED)
    return file


def test_a_suites_search_is_on_a_part_first_and_has_the_suites_settings(cells, searched, tmp_path, monkeypatch):
    tried = []

    def watch(question, *_):
        spec = question.args[0].spec
        tried.append(spec)
        return "done", {"figure": "macro_f1", "value": 0.9 if spec.params["C"] == 10 else 0.5, "chose": {}}

    monkeypatch.setattr("cellbench.running.executors.child.watch", watch)
    results = tmp_path / "r"
    out = call("tune", "--suite", searched, "-d", cells, "-o", results)
    assert out.returncode == 0, out.stderr
    halves, whole = tried[:4], tried[4:]
    assert len({spec.limit for spec in halves}) == 1
    assert halves[0].limit > 0
    assert [spec.limit for spec in whole] == [None] * len(whole)
    assert len(whole) == 2  # the suite's settings, and the best
    assert {spec.preprocessing["size"] for spec in tried} == {20}
    assert {spec.params["C"] for spec in halves[1:]} <= {1, 10, 100}
    assert whole[1].params["C"] == 10
    (file,) = results.rglob("tuned-mine.toml")
    default, tuned = tomllib.loads(file.read_text())["entries"]
    assert default["set"] == {"size": 20}
    assert tuned["set"] == {"size": 20, "C": 10}
    assert tuned["tuning"]["trials"] == 6
    assert shlex.split(out.stdout.splitlines()[-1])[3:7] == ["--suite", str(file), "-d", str(cells)]
    assert call("run", "--suite", file, "-d", cells, "-o", results, "--dry-run").returncode == 0


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ("", ["-m", "svm-flat"], "says which method is tuned; leave out -m, or --suite"),
        ("C = [1, 10, 100]", [], "C is 7; give a list of the values to try"),
        ("C = [1, 10, 100] ", [], "svm-flat has no 'CC'; did you mean 'C'"),
        ('method = "svm-flat"\npart = 0.5', [], "part"),
    ],
)
def test_a_search_that_cannot_be_made_is_refused(cells, searched, tmp_path, change, arguments, message):
    wrong = {"C = [1, 10, 100]": "C = 7", "C = [1, 10, 100] ": "CC = [1, 2]"}.get(
        change, 'method = "svm-flat"\npart = 2'
    )
    if change:
        searched.write_text(SEARCHED.replace(change.strip(), wrong))
    refused = call("tune", "--suite", searched, "-d", cells, "-o", tmp_path / "r", *arguments)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
    assert message in refused.stderr


def test_what_is_tuned_has_to_be_named(tmp_path):
    refused = call("tune", "-m", "svm-flat")
    assert refused.returncode == 2
    assert "name a data set and methods, such as -d hep2 -m svm-combined -m fastnet, or a --suite" in refused.stderr
    refused = call("tune", "--suite", "yeast")
    assert refused.returncode == 2
    assert "suite 'yeast' has no settings to search; these have: hep2-alexnet. Or name -d and -m" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "svm-flat", "--trials", 0], "--trials got 0; give a number from 1"),
        (["-m", "svm-flat", "--budget", "long"], "--budget got 'long'; write 90s, 30m or 2h"),
        (["-m", "svm-flat", "--part", 2], "--part got 2; give a share above 0, up to 1"),
        (["-m", "floor-majority"], "method 'floor-majority' has no settings to tune"),
        (["-m", "svm-flatt"], "did you mean 'svm-flat'"),
    ],
)
def test_what_cannot_be_tuned_is_refused_in_one_line(cells, tmp_path, arguments, message):
    refused = call("tune", "-d", cells, "-o", tmp_path / "r", *arguments)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
    assert message in refused.stderr
    assert not (tmp_path / "r").exists()


def test_without_optuna_it_says_what_to_install(cells, tmp_path, monkeypatch):
    monkeypatch.setitem(EXTRAS, "tune", Extra("tune", "no_such_module"))
    refused = call("tune", "-d", cells, "-m", "svm-flat", "-o", tmp_path / "r")
    assert (refused.returncode, refused.stderr) == (
        2,
        'cellbench: cellbench tune needs the package no_such_module, which is missing; pip install "cellbench[tune]"\n',
    )
