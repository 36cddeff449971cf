"""What torch cannot take as it is, and what it can."""

import warnings

import numpy as np
import pytest
import torch

from cellbench.core.tensors import NoTensorsError, as_tensor, load_tensors

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


def test_a_read_only_view_of_memory_that_can_be_written_is_shared_and_one_of_a_file_is_not(tmp_path):
    array = VALUES.copy()
    view = array[1:].view()
    view.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tensor = as_tensor(view)
    array[1, 0, 0, 0] = 99
    assert tensor[0, 0, 0, 0] == 99

    np.save(tmp_path / "file.npy", VALUES)
    mapped = np.load(tmp_path / "file.npy", mmap_mode="r")
    as_tensor(mapped[1:])[0] = 0  # in the file's own memory this would end the process
    assert np.array_equal(mapped, VALUES)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    ],
    ids=["Python", "card", "CPU"],
)
def test_too_little_memory_is_not_taken_for_a_damaged_file(error, monkeypatch, tmp_path):
    def load(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(type(error)) as raised:
        load_tensors(tmp_path / "kept.pt")
    assert raised.value is error


@pytest.mark.parametrize("content", [b"", b"abc", b"hello\n", bytes(range(256))])
def test_a_damaged_file_is_refused_as_one(content, tmp_path):
    (tmp_path / "kept.pt").write_bytes(content)
    with pytest.raises(NoTensorsError, match="it is damaged"):
        load_tensors(tmp_path / "kept.pt")
