"""Files that others may have put there: what is no regular file, is too large or unpacks to more is refused at once."""

import os
import zipfile
from pathlib import Path

import pytest

from cellbench.core.errors import CellbenchError
from cellbench.core.machine.files import LARGEST_TENSORS, NoRegularFileError, check_tensors
from cellbench.core.registry import LARGEST_PLUGIN, load_plugin_file
from cellbench.core.suites import LARGEST_SUITE, load
from cellbench.datasets.files.archives import LARGEST_ARCHIVE, read
from cellbench.deep.pretrained.weights import _from_file
from cellbench.running.saved_models import models

READERS = {
    "x.model": (models.load, LARGEST_TENSORS),
    "x.pt": (_from_file, LARGEST_TENSORS),
    "x.tar": (lambda path: list(read(path)), LARGEST_ARCHIVE),
    "x.toml": (lambda path: load(str(path)), LARGEST_SUITE),
    "x.py": (load_plugin_file, LARGEST_PLUGIN),
}


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_and_a_device_are_refused_without_being_opened(name, tmp_path):
    pipe = tmp_path / name
    os.mkfifo(pipe)
    device = tmp_path / f"device-{name}"
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises(CellbenchError, match=r"no regular file|not a file|no file"):
            READERS[name][0](path)


@pytest.mark.parametrize("name", READERS)
def test_what_is_larger_than_is_read_is_refused(name, tmp_path):
    read_it, limit = READERS[name]
    path = tmp_path / name
    path.touch()
    try:
        os.truncate(path, int(limit) + 1)  # without any content: it takes no room on the disk
    except OSError:
        pytest.skip("the file system has no files of this size")
    with pytest.raises(CellbenchError, match=r"it has .*, more than the .* that are read"):
        read_it(path)


def zipped(path: Path, packed: int) -> Path:
    with zipfile.ZipFile(path, "w", packed) as file:
        file.writestr("data.pkl", bytes(10**6))
    return path


def test_tensors_that_are_packed_or_lie_over_each_other_are_refused(tmp_path):
    check_tensors(zipped(tmp_path / "plain.model", zipfile.ZIP_STORED))
    with pytest.raises(NoRegularFileError, match=r"it unpacks to 1.0 MB, more than it has"):
        check_tensors(zipped(tmp_path / "packed.model", zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(tmp_path / "twice.model", "w") as file:
        file.writestr("data.pkl", bytes(10**6))
        file.filelist.append(file.filelist[0])  # a second name for the same bytes
    with pytest.raises(NoRegularFileError, match=r"it unpacks to 2.0 MB"):
        check_tensors(tmp_path / "twice.model")
