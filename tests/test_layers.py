"""Imports go down only, and folders on one level don't import each other."""

import ast
from pathlib import Path

import cellbench

LEVELS = [
    {"cli"},
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
ROOT = Path(cellbench.__file__).parent


def imports(file: Path) -> set[str]:
    """First-level packages of ours, and top-level packages of others, that a file imports anywhere in it."""
    found = set()
    depth = len(file.relative_to(ROOT).parts) - 1
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("cellbench.").split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == depth + 1 and depth:
            found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [alias.name for alias in node.names] if node.module == "cellbench" else [node.module]
            found |= {name.removeprefix("cellbench.").split(".")[0] for name in names}
    return found


def test_imports_go_down_only():
    level = {name: at for at, names in enumerate(LEVELS) for name in names}
    offences = []
    for file in sorted(ROOT.rglob("*.py")):
        package = file.relative_to(ROOT).parts[0]
        if package not in level:
            continue
        for name in imports(file):
            upward = name in level and name != package and level[name] <= level[package]
            if upward or name in FORBIDDEN.get(package, set()):
                offences.append(f"{file.relative_to(ROOT)} imports {name}")
    assert not offences
