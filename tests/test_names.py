"""One name for one thing; names that two modules must list, so that a light one need not import a heavy one, agree."""

import ast
from collections import defaultdict
from pathlib import Path
from typing import get_args

import cellbench
from cellbench.core import split_names
from cellbench.datasets import named_splits
from cellbench.methods.svms.classical import SVMSettings
from cellbench.svm import BACKENDS


def test_every_rule_of_splits_has_a_function_that_draws_it():
    assert list(split_names.DRAWN_RULES) == list(named_splits.RULES)


# Classes of one name that mean two things, with the reason why they stay.
SHARED_NAMES = {
    "Selection": "of runs to do, and of runs to export",
    "Curve": "of a stress test, and of a training",
    "Column": "of a table, and of marks in a chart",
}


def test_only_the_listed_public_classes_share_a_name():
    """Simulated cells have names of their own: that package knows nothing of the others."""
    root = Path(cellbench.__file__).parent
    where = defaultdict(list)
    for file in sorted(root.rglob("*.py")):
        if "simulation" not in file.relative_to(root).parts:
            body = ast.parse(file.read_text(encoding="utf-8")).body
            for name in (node.name for node in body if isinstance(node, ast.ClassDef)):
                where[name].append(str(file.relative_to(root)))
    shared = {name: files for name, files in where.items() if len(files) > 1 and not name.startswith("_")}
    assert shared.keys() == SHARED_NAMES.keys(), shared


def choices(setting: str) -> set[str]:
    """What a setting of the support vector machine may be."""
    return set(get_args(SVMSettings.model_fields[setting].annotation))


def test_methods_take_every_backend_and_every_kernel_that_one_has():
    assert set(BACKENDS) == choices("backend") - {"auto"}
    kernels = {kernel for backend in BACKENDS.values() for kernel in backend.kernels}
    assert choices("kernel") == kernels - {"precomputed"}  # a method computes features, not Gram matrices
