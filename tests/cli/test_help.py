"""--help: quick, complete, with an example."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from cellbench.cli import cli


def test_help_loads_nothing_heavy():
    code = "import sys, cellbench.cli; print({'torch', 'pandas', 'sklearn', 'numpy', 'rich'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "set()"


@pytest.mark.parametrize("group", [(), ("list",)], ids=["cellbench", "cellbench list"])
def test_no_summary_of_a_command_is_cut_where_commands_are_listed(group):
    page = CliRunner().invoke(cli, [*group, "--help"], prog_name="cellbench", terminal_width=80).output
    listed = page.partition("Commands:\n")[2]
    commands = cli.commands["list"].commands if group else cli.commands
    assert [line.split()[0] for line in listed.splitlines()] == sorted(commands)
    assert "..." not in listed


@pytest.mark.parametrize("name", [*cli.commands, *(f"list {name}" for name in cli.commands["list"].commands)])
def test_every_help_shows_an_example(name):
    page = CliRunner().invoke(cli, [*name.split(), "--help"], prog_name="cellbench").output
    examples = page.partition("Options:")[0].splitlines()[1:]
    assert any(line.strip().startswith(f"cellbench {name}") for line in examples), page
