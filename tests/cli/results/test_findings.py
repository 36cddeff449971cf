"""The claims of the package and the command that judges them."""

import dataclasses
import json
import re
import shlex

import numpy as np
import pytest
from click.testing import CliRunner

from cellbench import load_results
from cellbench.cli import cli
from cellbench.cli.runs.run import run
from cellbench.core import suites
from cellbench.core.data import Split
from cellbench.core.errors import UsageError
from cellbench.core.records.runs import RunRecord
from cellbench.core.records.store import Store
from cellbench.datasets import datasets, toy
from cellbench.datasets.files import cache
from cellbench.methods import methods
from cellbench.reporting.findings import findings as findings_of
from cellbench.reporting.findings import rows_of
from cellbench.reporting.findings.claim import load
from cellbench.reporting.findings.evidence import sides
from cellbench.reporting.findings.judges.registry import JUDGES
from cellbench.results.columns import COLUMNS
from cellbench.results.rows.conditions import FORM
from cellbench.running.planning.plan import make_plan, names_of, parse_override
from cellbench.running.planning.suites import plan_suites

from ...reporting.made_records import make

CLAIMS = {claim.id: claim for claim in load()}
COMMANDS = [(claim.id, command) for claim in CLAIMS.values() for command in claim.commands]


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
    assert all(dataset in datasets for dataset in options["datasets"])
    if options["suites"]:
        suites.choose(suites.select(options["suites"]), options["methods"], options["exclude"])
    else:
        assert all(methods.select([pattern]) for pattern in options["methods"])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Prepared data sets of enough images for every limit, with one label each and with several: {several: folder}."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLBENCH_DATA", str(tmp_path_factory.mktemp("claims")))
        for several in (False, True):
            images = toy.rings(14_000, classes=28, channels=3, size=8, multilabel=several)
            train, val, test = np.split(np.arange(14_000), [8_400, 11_200])
            data = dataclasses.replace(images, split=Split("stratified" if several else "official", train, val, test))
            made[several] = cache.prepare(f"claims-{several}", lambda scratch, data=data: data)
    return made


@pytest.fixture
def evidence(folders, tmp_path):
    """Records as the commands of a claim would leave them, all figures alike: {data set: records}."""

    def of(claim, on=None):
        return [record for command in claim.commands for record in _records(command, folders, tmp_path, on)]

    return of


def _records(command, folders, place, on):
    options = parsed(command)
    (weights := place / "weights.pt").write_bytes(b"")
    overrides = [parse_override(text.replace("PATH", str(weights))) for text in options["set"]]
    device = "cpu" if options["device"] == "auto" else options["device"]
    studies = suites.choose(suites.select(options["suites"]), options["methods"], options["exclude"])
    names = options["datasets"] or [suite.dataset for suite, _ in studies]
    several = names[0].startswith("hpa")
    common = {"overrides": overrides, "limit": options["limit"], "device": device}
    jobs = plan_suites(studies, (), lambda name: folders[several], seeds=range(3), split=None, **common)
    return [_record(job, on or names[0], several) for job in jobs]


def _plain_records(command, folders):
    options = parsed(command)
    several = options["datasets"][0].startswith("hpa")
    chosen = [entry for pattern in options["methods"] for entry in methods.select([pattern])]
    return [_record(job, options["datasets"][0], several) for job in make_plan(chosen, [folders[several]])]


def _record(job, dataset, several):
    entry, spec = methods[job.spec.method], dataclasses.replace(job.spec, dataset=dataset)
    figure = 0.5 + spec.seed / 100
    figures = dict.fromkeys(
        ("macro_f1", *(("exact_match", "sample_averaged_f1") if several else ("accuracy",))), figure
    )
    return RunRecord(
        spec,
        "ok",
        metrics={part: {**figures, "n": 100} for part in ("train", "val", "test")},
        seconds={"fit": 1.0 + spec.seed},
        others=0.01,
        backend="b",
        version="0.1.0",
        overrides=job.overrides,
        environment={"threads": 2, "processor": "p"},
        facts={
            "family": entry.family,
            "depth": getattr(entry, "depth", None),
            "shortcuts": getattr(entry, "shortcuts", None),
            "pretrained": bool(spec.params.get("weights")),
            "multilabel": several,
            "classes": ["a", "b"],
            "counts": {"train": [10, 30]},
            "n": dict(job.n),
            "seeded": entry.is_seeded(spec.params),
            "follows": list(job.follows),
        },
    )


def _found(claim, records, folder):
    for record in records:
        Store(folder, "example-cpu-2c-abc123").save(record)
    results = load_results(folder)
    (found,) = findings_of(results, [claim.id])
    return found, rows_of(results)


WITH_SUITES = [name for name, claim in CLAIMS.items() if all("--suite" in command for command in claim.commands)]


@pytest.mark.parametrize("name", WITH_SUITES)
def test_what_a_claims_commands_run_is_the_evidence_that_judges_it_and_nothing_else(name, evidence, tmp_path):
    claim = CLAIMS[name]
    found, rows = _found(claim, evidence(claim), tmp_path / "results")
    assert found.verdict != "not tested"
    assert {one.trial.dataset for one in found.rulings} == {claim.dataset}
    if not any(condition.startswith("limit") for condition in claim.both):
        assert any(one.trial.limit is None for one in found.rulings)
    looked_at = {row["files"][0] for side in sides(claim, rows) for row in side}
    assert {row["files"][0] for row in rows} == looked_at


@pytest.mark.parametrize("name", WITH_SUITES)
def test_on_other_images_the_same_runs_judge_a_claim_as_a_variant(name, evidence, tmp_path):
    claim = CLAIMS[name]
    found, _ = _found(claim, evidence(claim, on="mine"), tmp_path / "results")
    assert found.verdict != "not tested"
    assert found.summary.endswith(f"on mine; it was claimed of {claim.dataset}, where it is not tested")
    assert found.commands


@pytest.mark.parametrize(("name", "command"), [(n, c) for n, c in COMMANDS if n not in WITH_SUITES])
def test_a_command_without_a_suite_alone_judges_its_claim(name, command, folders, tmp_path):
    found, _ = _found(CLAIMS[name], _plain_records(command, folders), tmp_path / "results")
    assert found.verdict != "not tested"


def test_an_svm_head_is_compared_with_the_net_that_was_trained_as_it_was(evidence, tmp_path):
    """Of all runs of the suite, those with another loss or augmentation say nothing of the head."""
    claim = dataclasses.replace(CLAIMS["svm-head-better"], commands=("cellbench run --suite hep2-alexnet",))
    found, _ = _found(claim, evidence(claim), tmp_path / "results")
    (ruling,) = found.rulings
    assert [row["method"] for row in ruling.trial.evidence] == ["svm-deep", "alexnet-hep2"]
    plain = {"batch=4", "loss=auto", "lr=0.001", "mixup=0", "activation=relu", "schedule=plateau", "dropout=null"}
    assert plain <= set(ruling.trial.evidence[1]["settings"].split(", "))


@pytest.fixture
def findings(tmp_path):
    folder = tmp_path / "results"
    for record in (make("svm-hog"), make("cnn"), make("cnn", dataset="toys", facts={"synthetic": True})):
        Store(folder, "example-cpu-2c-abc123").save(record)

    def call(*arguments):
        return CliRunner().invoke(cli, ["findings", str(folder), *arguments])

    return call


def test_findings_judge_every_claim_and_end_well_whatever_the_verdicts(findings):
    outcome = findings("--claims", "all")
    assert outcome.exit_code == 0, outcome.output
    assert all(f"\n{name}: " in outcome.output for name in CLAIMS)
    short = findings().output
    untested = outcome.output.count(": not tested")
    assert f"\n{len(CLAIMS) - untested} claims of studies: " in short
    assert f"\n{untested} claims of studies were not tested here: --claims all lists them" in short
    assert len(short) < len(outcome.output) / 2
    assert "\x1b" not in outcome.output
    assert outcome.output.startswith("On hep2 the best on val is a net, cnn: ")


def test_findings_as_json_are_all_there(findings):
    data = json.loads(findings("--format", "json").output)
    assert [one["id"] for one in data["findings"]] == list(CLAIMS)
    assert {one["verdict"] for one in data["findings"]} <= {"supported", "contradicted", "inconclusive", "not tested"}
    assert {one["dataset"] for one in data["sentences"]} == {"hep2", "toys"}


def test_findings_as_markdown_link_each_claim(findings):
    text = findings("--format", "markdown", "--claims", "all").output
    links = re.findall(r"\]\(#([\w-]+)\)", text)
    assert links == list(CLAIMS)
    assert all(f"\n## {name}\n" in text for name in links)


def test_an_unknown_claim_is_refused_with_the_likeliest(findings):
    error = findings("--claim", "svm-abve-simple-cnn").exception
    assert isinstance(error, UsageError)
    assert str(error).startswith("no claim is called 'svm-abve-simple-cnn'; did you mean 'svm-above-simple-cnn'")


def test_one_claim_without_results_says_what_it_waits_for(findings):
    text = " ".join(findings("--claim", "svm-on-cpu-slower-than-net-on-gpu").output.split())
    assert "waits for: runs on deepyeast, on cpu and cuda test it with: cellbench run" in text


def test_a_claim_waits_for_its_data_set_weights_and_devices():
    assert CLAIMS["svm-slower-on-gpu"].waits_for == "runs on deepyeast, on cuda"
    pretrained = [claim for claim in CLAIMS.values() if "weights=imagenet" in claim.a]
    assert {claim.waits_for for claim in pretrained if claim.dataset == "deepyeast"} == {
        "runs on deepyeast, with weights imagenet"
    }


def test_one_claim_is_told_with_its_numbers_and_where_its_commands_write(findings):
    text = findings("--claim", "svm-above-simple-cnn").output
    claimed = "claimed: SVM, 30×30 pixels: train accuracy 83 %, val accuracy 80 %, test accuracy 82 %"
    assert claimed in " ".join(text.split())
    commands = [line for line in text.splitlines() if line.strip().startswith("cellbench run")]
    assert commands
    assert all(re.search(r" -o \S+results$", line) for line in commands)
