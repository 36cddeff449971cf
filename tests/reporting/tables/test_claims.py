"""What a study claimed beside what was measured: which record belongs to which entry, and what is marked."""

import json

import pytest

from cellbench import load_results
from cellbench.core import suites
from cellbench.core.records.runs import canonical_text
from cellbench.reporting.tables.suite import _settings, claims
from cellbench.reporting.tables.table import render

SUITE = suites.parse(
    "study",
    """
title = "A study"
source = "Doe, 2020"
dataset = "hep2"
published = [{ what = "forest", test_accuracy = 0.7, val_accuracy = 0.75, on = "CIFAR-10", where = "Poe, 2019" }]

[[entries]]
id = "cnn"
label = "CNN"
method = "cnn"
claimed = { test_accuracy = 0.8, train_seconds = 1200, device = "GPU", where = "table 1" }

[[entries]]
id = "hog"
label = "HOG"
method = "svm-hog"
published = { test_accuracy = 0.715, where = "Roe, 2021", quoted = true }

[[entries]]
id = "hog-500"
label = "HOG on 500"
method = "svm-hog"
limit = 500

[[entries]]
id = "vgg"
label = "VGG"
method = "vgg16"
claimed = { private_macro_f1 = 0.49425, where = "table 2" }
""",
)


def expected(record):
    """As running.planning.suites has it, for settings as the invented records have them."""
    rows = []
    for entry in SUITE.entries:
        spec = record(entry.method).spec
        figures = {
            name: given and {"values": given.values, "device": given.device, "on": given.on}
            for name, given in (("claimed", entry.claimed), ("published", entry.published))
        }
        rows.append(
            {
                "suite": "study",
                "own": "hep2",
                "entry": entry.id,
                "label": entry.label,
                "method": entry.method,
                "params": canonical_text(spec.params),
                "params_of_several_labels": canonical_text({**spec.params, "thresholds": 0.5}),
                "preprocessing": canonical_text(spec.preprocessing),
                "split": "official",
                "limits": list(SUITE.limits_of(entry)),
                **figures,
            }
        )
    return rows


@pytest.fixture
def table(results, record):
    """The claims table of these records."""
    return lambda *records: claims(load_results(results(*records)), SUITE, expected(record))


def shown(table) -> list[tuple]:
    return [(row["label"], row.get("dataset"), row.get("limit"), row["variant"]) for row in table.rows]


def test_every_entry_has_a_row_and_published_methods_follow(table, record):
    assert shown(table(record("mlp"))) == [
        ("CNN", None, None, False),
        ("HOG", None, None, False),
        ("HOG on 500", None, None, False),
        ("VGG", None, None, False),
        ("(forest)", None, None, False),
    ]


def test_seeds_are_pooled_and_set_against_the_claim(table, record):
    row = table(record("cnn", shift=0.01), record("cnn", seed=1, shift=-0.03)).rows[0]
    assert (row["variant"], row["seeds"]) == (False, [0, 1])
    assert row["test_accuracy"] == pytest.approx(0.858 - 0.01)
    assert row["off"] == pytest.approx(0.858 - 0.01 - 0.8)
    assert row["claimed"] == {"test_accuracy": 0.8, "train_seconds": 1200}


def test_other_images_fewer_of_them_and_other_settings_are_variants_and_not_set_against_the_claim(table, record):
    entry = {"facts": {"entries": ["other/cnn", "study/cnn"]}}
    found = table(
        record("cnn", dataset="blood"),
        record("cnn", limit=100),
        record("cnn", overrides={"epochs": 3}, **entry),
        record("cnn"),
    )
    rows = [row for row in found.rows if row["label"] == "CNN"]
    assert [(row["dataset"], row["limit"], row["changed"], row["variant"]) for row in rows] == [
        ("hep2", None, "", False),
        ("blood", None, "", True),
        ("hep2", 100, "", True),
        ("hep2", None, "epochs=3", True),
    ]
    assert [row["off"] is None for row in rows] == [False, True, True, True]


def test_a_run_with_other_settings_that_was_for_no_entry_is_nobodys(table, record):
    assert not table(record("cnn", overrides={"epochs": 3})).rows[0]["measured"]


def test_of_entries_with_the_same_settings_the_one_with_the_limit_takes_the_run(table, record):
    found = table(record("svm-hog"), record("svm-hog", limit=500), record("svm-hog", limit=200))
    assert shown(found)[1:4] == [
        ("HOG", "hep2", None, False),
        ("HOG", "hep2", 200, True),
        ("HOG on 500", "hep2", 500, False),
    ]


def test_a_run_on_a_number_that_no_entry_has_is_of_the_one_on_all(table, record):
    assert shown(table(record("svm-hog", limit=200, dataset="blood")))[1:3] == [
        ("HOG", "blood", 200, True),
        ("HOG on 500", None, None, False),
    ]


def test_settings_of_several_labels_count_where_images_have_them(table, record):
    several = {"facts": {"multilabel": True}, "dataset": "atlas"}
    plain = record("cnn", **several)
    assert not table(plain).rows[0]["measured"]
    half = record("cnn", overrides={"thresholds": 0.5}, **several)
    assert table(half).rows[0]["measured"]


def test_the_text_shows_claims_as_they_were_given_and_where_from(table, record):
    text = render([table(record("cnn"), record("svm-hog", dataset="blood"))], "text")
    lines = text.splitlines()
    cells = {line.split("  ")[0]: " ".join(line.split()) for line in lines}
    assert cells["CNN"] == "CNN hep2 80 % – 20 min GPU – – 85.8 86.1 +5.8 86.9 61.4 cpu (2) 1"
    assert cells["HOG"] == "HOG blood – – – 71.5 % – 83.2† 83.5† – 84.6† 10.2 cpu (2) 1"
    assert "70 %‡" in cells["(forest)"]
    assert "‡ not on hep2: see its source." in lines
    assert "49.425 %" in text
    assert "† a variant: other images, another number of them or other settings than the suite's" in text
    assert "claimed: CNN: table 1." in lines
    assert "published: HOG: Roe, 2021, quoted by others." in lines
    assert "published: forest: Poe, 2019, CIFAR-10." in lines
    at = lines.index("3 of 4 entries not run on hep2 yet; do it with:")
    assert lines[at + 1] == "  cellbench run --suite study"


def test_a_failed_run_says_why_and_keeps_its_claim(table, record):
    found = table(record("cnn", status="failed", reason="no memory"))
    lines = render([found], "text").splitlines()
    assert any(line.startswith("CNN  ") and "80 %" in line and "failed: no mem…" in line for line in lines)
    assert "CNN: failed: no memory" in lines


def test_programs_get_claimed_and_published_figures_as_numbers(table, record):
    rows = json.loads(render([table(record("cnn"))], "json"))
    assert rows[0]["claimed"]["test_accuracy"] == 0.8
    assert rows[1]["published"] == {"test_accuracy": 0.715}


@pytest.mark.parametrize(
    ("facts", "overrides", "left_open"),
    [
        ({}, {}, {"epochs", "lr"}),  # an older record
        ({}, {"lr": 0.7}, {"epochs"}),
        ({"follows": ["epochs", "lr"]}, {}, {"epochs", "lr"}),
        ({"follows": ["lr"]}, {}, {"lr"}),  # epochs of a suite
    ],
)
def test_an_open_setting_of_an_entry_is_passed_over_only_where_the_row_left_it_open(
    results, record, facts, overrides, left_open
):
    (row,) = load_results(results(record("cnn", facts=facts, overrides=overrides))).rows
    entry = {"follows": ["epochs", "lr"], "method": "cnn", "params": '{"epochs":20,"lr":0.1}', "preprocessing": "{}"}
    _, fixed, _ = _settings(entry, row, entry)
    assert {"epochs", "lr"} - fixed.keys() == left_open
    _, of_row, _ = _settings(row, row, entry)
    assert of_row.keys() == fixed.keys()
