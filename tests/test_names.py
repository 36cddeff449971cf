"""Names that are listed twice, so that a light module need not import a heavy one, are the same in both places."""

from cellbench.datasets import named_splits
from cellbench.methods import classical
from cellbench.reporting import captions
from cellbench.svm import BACKENDS


def test_tables_know_every_split_that_can_be_drawn():
    assert set(captions.REDRAWN) == set(named_splits.RULES)


def test_methods_take_every_backend_and_every_kernel_that_one_has():
    assert tuple(BACKENDS) == classical.BACKENDS[1:]
    kernels = {kernel for backend in BACKENDS.values() for kernel in backend.kernels}
    assert set(classical.KERNELS) == kernels - {"precomputed"}  # a method computes features, not Gram matrices
