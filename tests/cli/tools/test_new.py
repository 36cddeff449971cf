"""`cellbench new` writes files that work as they are."""

import pytest
from click.testing import CliRunner

from cellbench.cli import cli
from cellbench.core.errors import UsageError
from cellbench.datasets import datasets
from cellbench.methods import methods


@pytest.fixture(autouse=True)
def _own_registries(monkeypatch, tmp_path):
    """What a test registers is gone after it, and files are written to a folder of its own."""
    for registry in (methods, datasets):
        monkeypatch.setattr(registry, "_added", dict(registry._entries))
    monkeypatch.chdir(tmp_path)


def call(*arguments):
    return CliRunner().invoke(cli, arguments, prog_name="cellbench")


@pytest.mark.parametrize(
    ("kind", "name", "file"), [("method", "my-knn", "my_knn.py"), ("dataset", "cells", "cells.py")]
)
def test_the_file_passes_the_check_that_it_names(kind, name, file):
    written = call("new", kind, name)
    assert written.output == f"{file} is written; it passes: cellbench check {name} --plugin {file}\n"
    checked = call("check", name, "--plugin", file)
    assert checked.exit_code == 0, checked.output
    assert checked.output.endswith(f"{name}: all rules kept.\n")


def test_a_method_that_was_begun_so_is_listed_with_its_setting():
    call("new", "method", "my-knn", "-o", "mine.py")
    page = call("list", "methods", "my-knn", "--plugin", "mine.py").output
    assert "neighbours that vote (a whole number, at least 1)" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("method", "My Method"), "'My Method' is no name; give small letters and digits, and - between them"),
        (("method", "resnet18"), "there is a method 'resnet18' already; choose another name"),
        (("dataset", "hep2"), "there is a dataset 'hep2' already; choose another name"),
        (("method", "mine", "-o", "nowhere/mine.py"), "cannot write nowhere/mine.py: No such file or directory"),
    ],
)
def test_what_cannot_be_written_is_refused(arguments, message):
    refused = call("new", *arguments)
    assert isinstance(refused.exception, UsageError)
    assert str(refused.exception).startswith(message)


def test_a_file_that_is_there_is_kept(tmp_path):
    (tmp_path / "mine.py").write_text("precious")
    assert str(call("new", "method", "mine").exception) == "mine.py exists already; name another file with -o"
    assert (tmp_path / "mine.py").read_text() == "precious"
