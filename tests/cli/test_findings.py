"""The claims of the package and the command that judges them."""

import json
import re
import shlex

import pytest
from click.testing import CliRunner

from cellbench.cli import cli
from cellbench.cli.run import run
from cellbench.core import suites
from cellbench.core.errors import UsageError
from cellbench.core.store import Store
from cellbench.datasets import datasets
from cellbench.methods import methods
from cellbench.reporting.findings.claim import load
from cellbench.reporting.findings.evidence import rivals, sides
from cellbench.reporting.findings.judges import JUDGES
from cellbench.reporting.frame import COLUMNS
from cellbench.reporting.where import FORM
from cellbench.running.plan import names_of
from cellbench.running.suites import expected

from ..reporting.conftest import make

CLAIMS = {claim.id: claim for claim in load()}
COMMANDS = [(claim.id, command) for claim in CLAIMS.values() for command in claim.commands]
# Judges that look at one side alone, or pair by something else than the best of each place.
ONE_SIDED = ("gap_by_n", "training_error_rises", "training_error_falls_with_depth", "reaches", "ranks_differ")
BY_ITSELF = (*ONE_SIDED, "explained_by_n", "training_error_falls")


def parsed(command):
    program, name, *arguments = shlex.split(command)
    assert (program, name) == ("cellbench", "run")
    return run.make_context("run", arguments).params


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_has_a_known_judge_and_numbers_with_their_sources(name):
    claim = CLAIMS[name]
    assert claim.judge in JUDGES
    assert claim.commands
    assert claim.dataset in datasets
    numbers = claim.claimed()
    assert all(number["source"] and number["where"] and number["values"] for number in numbers)
    assert {number.partition("/")[0] for number in claim.numbers} <= set(suites.names())


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_asks_for_columns_and_settings_that_there_are(name):
    claim = CLAIMS[name]
    known = {*COLUMNS} | {setting for entry in methods.entries() for setting in names_of(entry)} | {"net"}
    conditions = [FORM.fullmatch(condition) for condition in (*claim.a, *claim.b, *claim.both)]
    assert {found[1] for found in conditions if found} | {claim.among, *claim.apart} <= known
    assert all(conditions)


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_a_command_is_understood_and_names_what_there_is(name, command):
    options = parsed(command)
    assert all(dataset in datasets for dataset in options["dataset_names"])
    if options["suite_names"]:
        suites.choose(suites.select(options["suite_names"]), options["method_names"], options["exclude"])
    else:
        assert all(methods.select([pattern]) for pattern in options["method_names"])


def rows_of(claim):
    """A row for each entry that the claim's commands run, as results would have it, all figures alike."""
    rows = []
    for command in claim.commands:
        options = parsed(command)
        for suite, entries in suites.choose(
            suites.select(options["suite_names"]), options["method_names"], options["exclude"]
        ):
            wanted = {entry.id for entry in entries}
            rows += [_row(claim, row, options) for row in expected(suite) if row["entry"] in wanted]
    return rows


def _row(claim, entry, options):
    params = entry["params_of_several_labels" if claim.dataset.startswith("hpa") else "params"]
    method = methods[entry["method"]]
    device = "cpu" if options["device"] == "auto" else options["device"]
    weights = json.loads(params).get("weights") or "bninception:weights=PATH" in options["settings"]
    return {
        **dict.fromkeys(COLUMNS),
        "dataset": claim.dataset,
        "fingerprint": "f",
        "split": entry["split"],
        "limit": options["limit"],
        "method": entry["method"],
        "params": params,
        "preprocessing": entry["preprocessing"],
        "overrides": "{}",
        "family": method.family,
        "pretrained": bool(weights),
        "device": device,
        "machine": "m",
        "threads": 2,
        "shortcuts": getattr(method, "shortcuts", None),
        "revision": 1,
        "deterministic": False,
        "val_macro_f1": 0.5,
        "test_macro_f1": 0.5,
        "n_train": 8701,
        "largest_class_n": 10,
        "processor": "p",
        "gpu": "g",
        "seeds": [0],
        "files": [],
    }


@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if claim.judge != "ranks_differ"])
def test_what_a_claims_commands_run_is_the_evidence_that_it_asks_for(name):
    claim = CLAIMS[name]
    a, b = sides(claim, rows_of(claim))
    assert a
    if claim.judge not in ONE_SIDED:
        assert b
    if claim.judge not in BY_ITSELF:
        across = () if claim.judge != "slower" else ("device",)
        met = rivals(claim, a, b, ("dataset", *across), claim.among if claim.judge == "best_of" else "")
        assert met
        assert all(len(others) >= claim.least for _, others in met)


@pytest.fixture
def findings(tmp_path):
    folder = tmp_path / "results"
    for record in (make("svm-hog"), make("cnn"), make("cnn", dataset="toys", facts={"synthetic": True})):
        Store(folder, "example-cpu-2c-abc123").save(record)

    def call(*arguments):
        return CliRunner().invoke(cli, ["findings", str(folder), *arguments])

    return call


def test_findings_judge_every_claim_and_end_well_whatever_the_verdicts(findings):
    outcome = findings()
    assert outcome.exit_code == 0, outcome.output
    assert all(f"\n{name}: " in outcome.output for name in CLAIMS)
    assert f"{len(CLAIMS)} claims: " in outcome.output
    assert "\x1b" not in outcome.output
    assert outcome.output.startswith("On hep2 the best net (cnn) is ")


def test_findings_as_json_are_all_there(findings):
    data = json.loads(findings("--format", "json").output)
    assert [one["id"] for one in data["findings"]] == list(CLAIMS)
    assert {one["verdict"] for one in data["findings"]} <= {"supported", "contradicted", "inconclusive", "not tested"}
    assert {one["dataset"] for one in data["sentences"]} == {"hep2", "toys"}


def test_findings_as_markdown_link_each_claim(findings):
    text = findings("--format", "markdown").output
    links = re.findall(r"\]\(#([\w-]+)\)", text)
    assert links == list(CLAIMS)
    assert all(f"\n## {name}\n" in text for name in links)


def test_an_unknown_claim_is_refused_with_the_likeliest(findings):
    error = findings("--claim", "svm-abve-simple-cnn").exception
    assert isinstance(error, UsageError)
    assert str(error).startswith("no claim is called 'svm-abve-simple-cnn'; did you mean 'svm-above-simple-cnn'")


def test_one_claim_is_told_with_its_numbers_and_where_its_commands_write(findings):
    text = findings("--claim", "svm-above-simple-cnn").output
    claimed = "claimed: SVM, 30×30 pixels: train accuracy 83 %, val accuracy 80 %, test accuracy 82 %"
    assert claimed in " ".join(text.split())
    commands = [line for line in text.splitlines() if line.strip().startswith("cellbench run")]
    assert commands
    assert all(re.search(r" -o \S+results$", line) for line in commands)
