"""Imports go down only, and folders on one level don't import each other."""

import ast
from pathlib import Path

import cellbench

LEVELS = [  # rooms, and the files directly in cellbench/ by their name
    {"__init__", "__main__"},
    {"cli"},
    {"api", "report_page"},
    {"exports"},
    {"reporting", "running"},
    {"results", "methods"},
    {"datasets", "features", "svm"},
    {"deep"},
    {"simulation"},
    {"core"},
]
# Both rest on records alone: they must work where torch is not installed.
FORBIDDEN = {
    "results": {"torch", "datasets", "features", "svm", "deep"},
    "reporting": {"methods", "torch", "datasets"},
}
# Where results ask how they are shown, when somebody looks at them.
ALLOWED = {"results/showing.py imports reporting", "results/showing.py imports report_page"}
ROOT = Path(cellbench.__file__).parent
MOST_FILES = 13  # of a folder, beside its __init__.py: more names than that nobody takes in at a glance


def imports(file: Path) -> set[str]:
    """First-level packages of ours, and top-level packages of others, that a file imports anywhere in it."""
    found = set()
    depth = len(file.relative_to(ROOT).parts) - 1
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("cellbench.").split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == depth + 1:
            found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [alias.name for alias in node.names] if node.module == "cellbench" else [node.module]
            found |= {name.removeprefix("cellbench.").split(".")[0] for name in names}
    return found


def test_each_room_and_file_of_the_package_has_a_level():
    rooms = {
        path.name.removesuffix(".py")
        for path in ROOT.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert set().union(*LEVELS) == rooms


def test_imports_go_down_only():
    level = {name: at for at, names in enumerate(LEVELS) for name in names}
    offences = []
    for file in sorted(ROOT.rglob("*.py")):
        package = file.relative_to(ROOT).parts[0].removesuffix(".py")
        for name in imports(file):
            upward = name in level and name != package and level[name] <= level[package]
            if upward or name in FORBIDDEN.get(package, set()):
                offences.append(f"{file.relative_to(ROOT)} imports {name}")
    assert set(offences) == ALLOWED


def test_a_folder_with_many_files_has_folders_in_it():
    rooms = {folder: len(list(folder.glob("*.py"))) - 1 for folder in ROOT.rglob("*") if folder.is_dir()}
    assert {str(folder.relative_to(ROOT)): files for folder, files in rooms.items() if files > MOST_FILES} == {}


def test_commands_import_no_command():
    files = {file.stem: file.read_text(encoding="utf-8") for file in (ROOT / "cli").rglob("*.py")}
    commands = {name for name, text in files.items() if "\n@click.command(" in text or "\n@click.group(" in text}
    commands -= {"__init__"}  # the group that they all belong to
    assert {"run", "inspect", "report"} <= commands
    for name in sorted(commands):
        nodes = [node for node in ast.walk(ast.parse(files[name])) if isinstance(node, ast.ImportFrom)]
        imported = {node.module.split(".")[-1] for node in nodes if node.level in (1, 2) and node.module}
        assert not imported & commands, name
