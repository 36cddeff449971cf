"""Names that are listed twice, so that a light module need not import a heavy one, are the same in both places."""

from typing import get_args

from cellbench.core import split_names
from cellbench.datasets import named_splits
from cellbench.methods.svms.classical import SVMSettings
from cellbench.svm import BACKENDS


def test_every_rule_of_splits_has_a_function_that_draws_it():
    assert list(split_names.DRAWN_RULES) == list(named_splits.RULES)


def choices(setting: str) -> set[str]:
    """What a setting of the support vector machine may be."""
    return set(get_args(SVMSettings.model_fields[setting].annotation))


def test_methods_take_every_backend_and_every_kernel_that_one_has():
    assert set(BACKENDS) == choices("backend") - {"auto"}
    kernels = {kernel for backend in BACKENDS.values() for kernel in backend.kernels}
    assert choices("kernel") == kernels - {"precomputed"}  # a method computes features, not Gram matrices
