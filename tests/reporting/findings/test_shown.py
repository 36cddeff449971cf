"""Findings as text, JSON and Markdown, and claims that are written wrong."""

import json
import re

import pytest

from cellbench import load_results
from cellbench.core.errors import UsageError
from cellbench.reporting.findings import findings, show
from cellbench.reporting.findings import load as load_claims

from .scored import first_right, scored


def test_json_has_everything_as_plain_data_and_markdown_escapes_names(judge):
    found = judge(
        "svm-above-simple-cnn",
        scored("svm-hog", first_right(40), dataset="a|b<c>"),
        scored("cnn", first_right(30), dataset="a|b<c>"),
    )
    data = json.loads(show.as_json([found], []))["findings"][0]
    assert (data["verdict"], data["rulings"][0]["verdict"]) == ("supported", "supported")
    row = data["rulings"][0]["evidence"][0]
    assert {key: row[key] for key in ("method", "n", "seeds", "device", "machine", "value")} == {
        "method": "svm-hog",
        "n": 8701,
        "seeds": [0],
        "device": "cpu",
        "machine": "example-cpu-2c-abc123",
        "value": 1.0,
    }
    assert data["claimed"][0]["values"]["test_accuracy"] == 0.82
    assert "a\\|b\\<c\\>" in show.as_markdown([found], [])


def test_what_was_not_tested_is_one_line_unless_all_claims_are_asked_for(results):
    found = findings(load_results(results(scored("svm-hog", first_right(40)), scored("cnn", first_right(30)))))
    n = sum(one.verdict == "not tested" for one in found)
    line = f"{n} claims of studies were not tested here: --claims all lists them"
    text, every = show.as_text(found, [], 100), show.as_text(found, [], 100, every=True)
    assert text.count(": not tested") == 0
    assert text.count("svm-above-simple-cnn: supported") == every.count("svm-above-simple-cnn: supported") == 1
    assert line in text
    assert line not in every
    assert every.count(": not tested") == n
    assert text.startswith(f"{len(found) - n} claims of studies: ")
    markdown = show.as_markdown(found, [])
    assert line.replace("--claims all", "`cellbench findings --claims all`") in markdown
    assert markdown.count("\n## ") == len(found) - n


def test_text_fits_its_width_but_for_commands(judge):
    found = judge("svm-above-simple-cnn", scored("svm-hog", first_right(40)), scored("cnn", first_right(30)))
    lines = show.as_text([found], [], 70, detail=True).splitlines()
    assert all(len(line) <= 70 for line in lines if "cellbench run" not in line)


def test_verdict_words_alone_are_painted(judge):
    found = judge("svm-above-simple-cnn", scored("svm-hog", first_right(40)), scored("cnn", first_right(30)))
    text = show.as_text([found], [], 100, paint=lambda word: f"<{word}>")
    assert re.findall(r"<[a-z ]+>", text) == ["<supported>"]
    assert "svm-above-simple-cnn: <supported> on hep2" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('juge = "reaches"', "claim 'x': unknown key 'juge'; did you mean 'judge'?"),
        ('judge = "reaches"', "claim 'x': commands is missing"),
        (
            'judge = "reaches"\ncommands = []\nbasis = "said"',
            "claim 'x': basis is 'said'; it may be stated, implied, ours",
        ),
    ],
)
def test_a_claim_that_is_written_wrong_is_refused_by_name(change, message):
    text = f"""
[[claims]]
id = "x"
sentence = "s"
suite = "yeast"
where = "w"
numbers = []
dataset = "hep2"
{change if "basis" in change else f'{change}{chr(10)}basis = "ours"'}
"""
    with pytest.raises(UsageError, match=message):
        load_claims(text)
