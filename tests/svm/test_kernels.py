"""Gram matrices in blocks, and what is summed over features, against scikit-learn and numpy."""

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import pairwise_kernels

from cellbench.svm import kernels
from cellbench.svm.kernels import Kernel, column_sums, cross, gamma_value, gram, squares, variance

KERNELS = [Kernel("linear"), Kernel("rbf", 0.3), Kernel("poly", 0.2, 3, 1.0)]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(kernels, "ROWS", 7)
    monkeypatch.setattr(kernels, "DOUBLED", {"cpu": 3})


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(30, 5))


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize(("dtype", "accuracy"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_blocks_make_up_the_matrix_of_scikit_learn(rows, kernel, dtype, accuracy):
    settings = {"linear": {}, "rbf": {"gamma": 0.3}, "poly": {"gamma": 0.2, "degree": 3, "coef0": 1.0}}[kernel.name]
    expected = pairwise_kernels(rows, metric=kernel.name, **settings) / 2
    x = torch.from_numpy(rows)
    whole, part = gram(kernel, x, 2.0, dtype), cross(kernel, x[:9], x, 2.0, dtype)
    assert whole.dtype == part.dtype == dtype
    np.testing.assert_allclose(whole, expected, rtol=accuracy, atol=accuracy)
    np.testing.assert_allclose(part, expected[:9], rtol=accuracy, atol=accuracy)


def test_distances_that_float32_would_lose_are_taken_in_float64(rows):
    far = torch.from_numpy(rows + 1e4)
    expected = pairwise_kernels(rows, metric="rbf", gamma=0.3)
    np.testing.assert_allclose(gram(Kernel("rbf", 0.3), far, 1.0, torch.float32), expected, atol=1e-6)
    np.testing.assert_allclose(cross(Kernel("rbf", 0.3), far, far, 1.0, torch.float32), expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_over_features_are_those_of_numpy_and_leave_them_as_they_are(rows, dtype):
    values = (rows + 3).astype(dtype)
    x = torch.from_numpy(values.copy())
    np.testing.assert_allclose(squares(x), (values.astype(float) ** 2).sum(1), rtol=1e-12)
    np.testing.assert_allclose(column_sums(x), values.astype(float).sum(0), rtol=1e-12)
    np.testing.assert_allclose(variance(x), values.astype(float).var(), rtol=1e-12)
    np.testing.assert_array_equal(x, values)


@pytest.mark.parametrize(("gamma", "expected"), [("scale", 0.5), ("auto", 0.25), (3, 3.0)])
def test_gamma_is_read_as_scikit_learn_does(gamma, expected):
    assert gamma_value(gamma, features=4, spread=0.5) == expected
    assert gamma_value("scale", features=4, spread=0.0) == 1.0
