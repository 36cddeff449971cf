"""Examples of commands, parsed as the program parses them, without running them."""

import shlex

import click

from cellbench.cli import cli


def parse(example: str) -> None:
    """Parse a line that begins with `cellbench`; click raises UsageError for what the program would not take."""
    command, words = cli, shlex.split(example.partition(" > ")[0])[1:]
    while True:
        context = command.make_context("cellbench", list(words))
        if not (isinstance(command, click.Group) and words):
            return
        _, inner, words = command.resolve_command(context, words)
        assert inner is not None
        command = inner  # type: ignore[assignment]
