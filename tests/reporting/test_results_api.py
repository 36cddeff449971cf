"""Results drawn, judged and written by their own methods, beside the commands that do the same."""

import json

import pytest
from click.testing import CliRunner

from cellbench.cli import cli
from cellbench.core.errors import UsageError
from cellbench.results.results import load_results

from .made_results import everything, judgements


@pytest.fixture
def folder(results):
    return results(*judgements())


def command(*arguments):
    done = CliRunner().invoke(cli, [str(each) for each in arguments])
    assert done.exit_code == 0, done.output
    return done


def test_charts_are_those_of_the_plot_command(folder, tmp_path):
    drawn = load_results(folder).chart("bars")
    command("plot", "bars", folder, "-o", tmp_path / "command", "--format", "json")
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "command").iterdir()}
    saved = {path.name: path.read_text(encoding="utf-8") for path in drawn.save(tmp_path / "method", "json")}
    assert saved == written
    assert list(drawn) == [json.loads(text) for text in saved.values()]


def test_a_notebook_shows_charts_as_pictures_and_a_terminal_their_titles(folder):
    drawn = load_results(folder).chart("bars")
    assert drawn._repr_html_().count("<svg") == len(drawn) == 2
    for spec, line in zip(drawn, repr(drawn).splitlines(), strict=True):
        assert line.startswith(" ".join(spec["title"]["text"]))


def test_conditions_choose_what_is_drawn(results):
    found = load_results(results(*everything()))
    assert len(found.chart("bars", ["dataset=hep2"])) < len(found.chart("bars"))


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda found, _: found.chart("bar"), "no chart is called 'bar'; did you mean 'bars'"),
        (lambda found, _: found.chart("svm-time"), "cellbench run"),
        (lambda found, _: found.chart("bars").save(form="gif"), "form got 'gif'; charts are written as png, svg, pdf"),
        (lambda found, _: found.findings(["no-such-claim"]), "no-such-claim"),
        (lambda found, place: found.report(place / "report.txt"), "ends in .html"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(folder, tmp_path, call, problem):
    with pytest.raises(UsageError, match=problem) as caught:
        call(load_results(folder), tmp_path)
    assert "\n" not in str(caught.value)


def test_findings_are_those_of_the_command(folder):
    found = load_results(folder).findings()
    as_json = json.loads(command("findings", folder, "--format", "json").stdout)
    assert {one.claim.id: one.verdict for one in found.findings} == {
        one["id"]: one["verdict"] for one in as_json["findings"]
    }
    assert [one["sentence"] for one in found.answers] == [one["sentence"] for one in as_json["sentences"]]
    assert found._repr_markdown_() in command("findings", folder, "--format", "markdown").stdout
    assert found.answers[0]["sentence"].split()[0] in repr(found)


def test_the_report_is_that_of_the_command(folder, tmp_path):
    path = load_results(folder).report(tmp_path / "pages" / "method.html", title="Ours", cells=False)
    command("report", folder, "-o", tmp_path / "command.html", "--title", "Ours", "--no-cells")
    assert path.read_text(encoding="utf-8") == (tmp_path / "command.html").read_text(encoding="utf-8")
