"""--help: quick, complete, with examples that the program takes, and readable on a terminal of 80 columns."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from cellbench.cli import SECTIONS, cli

from .parsing import parse

COMMANDS = [*cli.commands, *(f"list {name}" for name in cli.commands["list"].commands)]


def page(name: str) -> str:
    """The help of a command, as a terminal of 80 columns shows it: click leaves two columns of it empty."""
    return CliRunner().invoke(cli, [*name.split(), "--help"], prog_name="cellbench", terminal_width=78).output


def examples(name: str) -> list[str]:
    lines = [line.strip() for line in page(name).partition("Options:")[0].splitlines()[1:]]
    return [line.partition("  ")[0] for line in lines if line.startswith("cellbench ")]  # after it: what it does


def test_help_loads_nothing_heavy():
    code = "import sys, cellbench.cli; print({'torch', 'pandas', 'sklearn', 'numpy', 'rich'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "set()"


def test_each_command_stands_under_one_heading_and_no_summary_is_cut():
    headings, found = {}, []
    for line in page("").partition("Options:")[2].splitlines():
        if line.endswith(":"):
            found = headings[line[:-1]] = []
        elif line.startswith("  "):
            found.append(line.split()[0])
    assert headings == {title: [one.name for one in commands] for title, commands in SECTIONS.items()}
    assert sorted(name for names in headings.values() for name in names) == sorted(cli.commands)
    assert "..." not in page("").partition("Options:")[2]
    assert "..." not in page("list").partition("Options:")[2]


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_help_shows_an_example_that_the_program_takes(name):
    assert any(example.startswith(f"cellbench {name}") for example in examples(name)), page(name)
    for example in examples(name):
        parse(example)


@pytest.mark.parametrize("example", ["run --qick", "table results/ --format word", "lst methods", "list method"])
def test_an_example_that_the_program_does_not_take_would_be_found(example):
    with pytest.raises(click.UsageError):
        parse(f"cellbench {example}")


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_a_help_fits_80_columns_and_breaks_no_word(name):
    lines = page(name).splitlines()
    assert max(map(len, lines)) <= 80, max(lines, key=len)
    assert [line for line in lines if line.endswith("-")] == []


@pytest.mark.parametrize(
    "command",
    [
        "list methods",
        "list methods resnet18",
        "list methods svm-combined",
        "list datasets",
        "list suites",
        "list suites yeast hpa28-bninception",
        "prepare --list",
    ],
)
def test_what_is_listed_fits_80_columns(command, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CELLBENCH_DATA", "cache")
    out = CliRunner().invoke(cli, command.split(), prog_name="cellbench", catch_exceptions=False).output
    assert max(map(len, out.splitlines())) <= 80, max(out.splitlines(), key=len)
