"""What torch cannot take as it is, and what it can."""

import warnings

import numpy as np
import pytest
import torch

from cellbench.core.tensors import as_tensor

VALUES = np.arange(24, dtype=np.uint16).reshape(2, 1, 3, 4)


def read_only() -> np.ndarray:
    array = VALUES.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "array", [VALUES.copy(), read_only(), VALUES[:, :, ::-1], VALUES.astype(">u2")], ids=["plain", "ro", "back", "big"]
)
def test_any_array_becomes_a_tensor_of_its_values_and_torch_warns_of_none(array):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tensor = as_tensor(array)
    assert tensor.dtype == torch.uint16
    assert tensor.tolist() == array.tolist()


def test_what_torch_can_share_is_not_copied():
    array = VALUES.copy()
    tensor = as_tensor(array)
    array[0, 0, 0, 0] = 99
    assert tensor[0, 0, 0, 0] == 99
    assert as_tensor(tensor) is tensor
