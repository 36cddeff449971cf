"""Names: registered once, found exactly or by glob, and helped when misspelt."""

from types import SimpleNamespace

import pytest

from cellbench.core.errors import UsageError
from cellbench.core.registry import Registry, load_plugin_file


@pytest.fixture
def registry():
    registry = Registry("method", package="cellbench.suites", group="cellbench.nothing")
    for name in ("svm-hog", "svm-flat", "resnet18"):
        registry.add(SimpleNamespace(name=name))
    return registry


def test_names_are_listed_in_order(registry):
    assert list(registry) == ["resnet18", "svm-flat", "svm-hog"]


def test_a_name_can_be_taken_only_once(registry):
    with pytest.raises(UsageError, match="'svm-hog' is registered twice"):
        registry.add(SimpleNamespace(name="svm-hog"))


def test_globs_select_and_substrings_do_not(registry):
    assert registry.select(["svm-*", "svm-hog"]) == ["svm-flat", "svm-hog"]
    with pytest.raises(UsageError, match="no method matches 'svm'"):
        registry.select(["svm"])


def test_a_misspelt_name_gets_a_suggestion(registry):
    with pytest.raises(UsageError, match="did you mean 'resnet18'"):
        registry["resnet81"]


def test_a_plug_in_file_registers_a_method(tmp_path):
    from cellbench.methods import methods

    file = tmp_path / "mine_for_the_registry.py"
    file.write_text(
        "from cellbench.methods import method\n"
        "@method('mine', 'mine', family='svm')\n"
        "def mine(train, val, log): return len\n"
    )
    load_plugin_file(file)
    try:
        assert methods["mine"].summary == "mine"
        load_plugin_file(file)  # twice does no harm
    finally:
        del methods._entries["mine"]


def test_a_plug_in_that_is_no_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"nothing\.py"):
        load_plugin_file(tmp_path / "nothing.py")


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("quits.py", "raise SystemExit(0)", "cannot be loaded: SystemExit: 0; mend it"),
        (
            "odd.py",
            "from cellbench.methods.registry import MethodEntry\n"
            "MethodEntry('odd', lambda *_: None, '', 'svm', defaults={'a': 1})",
            "method 'odd': its defaults are of type dict; give an instance of Settings; mend it",
        ),
        ("notes.txt", "method", "is no Python file; give one whose name ends in .py"),
    ],
)
def test_a_plug_in_that_quits_or_is_no_python_is_refused(tmp_path, name, text, problem):
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(UsageError, match=problem):
        load_plugin_file(file)
