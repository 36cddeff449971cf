"""Output that cannot be written, letters that an encoding lacks, paths with ~, and files that are none."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from cellbench.core.machine.files import NoRegularFileError, check_regular, read_text
from cellbench.core.records.store import Store

from ..reporting.made_records import make
from .program import call

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full and /dev/zero are Linux's")


@pytest.fixture
def results(tmp_path):
    Store(tmp_path / "results", "machine").save(make("cnn"))
    return tmp_path / "results"


def shell(text, **environment):
    command = text.replace("cellbench", f"{sys.executable} -m cellbench")
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


@LINUX
def test_a_full_disk_behind_stdout_is_one_line_and_exit_code_2(results):
    out = shell(f"cellbench table {results} > /dev/full")
    assert (out.returncode, out.stderr) == (2, "cellbench: cannot write the output: No space left on device\n")


def test_closed_streams_do_not_matter(results):
    assert shell(f"cellbench table {results} >&-").returncode == 0
    assert shell("cellbench list nothing 2>&-").returncode == 2


def test_a_letter_that_an_encoding_lacks_is_written_out(results):
    Store(results, "machine").save(make("cnn", dataset="β-cells"))
    command = [sys.executable, "-m", "cellbench", "table", str(results)]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    out = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert out.returncode == 0, out.stderr
    assert b"\\u03b2-cells" in out.stdout


def test_every_path_option_knows_the_users_folder(results, tmp_path):
    out = call("plot", "bars", results, "--output=~/bars.json", environment={"HOME": str(tmp_path)})
    assert out.returncode == 0, out.stderr
    assert (tmp_path / "bars.json").is_file()


def test_a_folder_of_images_is_found_in_the_users_folder(tmp_path):
    home = {"HOME": str(tmp_path)}
    for name in ("a", "b"):
        (tmp_path / "cells" / name).mkdir(parents=True)
        for i in range(8):
            Image.fromarray(np.full((16, 16), i, np.uint8)).save(tmp_path / "cells" / name / f"{i}.png")
    chosen = ("run", "--dataset=~/cells", "-m", "floor-majority", "--dry-run")
    out = call(*chosen, "-o", tmp_path / "results", environment=home)
    assert out.returncode == 0, out.stderr
    assert "folder:cells" in out.stdout
    out = call(*chosen, "--output=~/cells/results", environment=home)
    assert out.returncode == 2
    assert f"would lie among the images of {tmp_path}/cells; name another place with -o" in out.stderr
    out = call("run", "--dataset=~nobody-of-this-name/cells", "-m", "floor-majority", "--dry-run", environment=home)
    assert out.returncode == 2
    assert "~nobody-of-this-name/cells does not exist" in out.stderr


def test_a_pipe_among_records_is_passed_over_and_waits_for_nobody(results):
    os.mkfifo(results / "machine" / "pipe.json")
    out = call("table", results)
    assert out.returncode == 0
    assert "passed over machine/pipe.json: it is a pipe, no regular file" in out.stderr


@LINUX
def test_an_endless_device_among_the_images_is_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "cells" / name).mkdir(parents=True)
        for i in range(8):
            Image.fromarray(np.full((16, 16), i, np.uint8)).save(tmp_path / "cells" / name / f"{i}.png")
    (tmp_path / "cells" / "a" / "zero.png").symlink_to("/dev/zero")
    out = call("prepare", tmp_path / "cells")
    assert out.returncode == 2
    assert "zero.png" in out.stderr
    assert "it is a device, no regular file" in out.stderr
    (tmp_path / "cells" / "a" / "zero.png").unlink()
    out = call("prepare", tmp_path / "cells", "--labels", "/dev/zero")
    assert out.returncode == 2
    assert "it is a device, no regular file" in out.stderr


def test_a_file_is_read_up_to_its_limit(tmp_path):
    (tmp_path / "file").write_text("1234567890")
    assert read_text(tmp_path / "file", 10) == "1234567890"
    with pytest.raises(NoRegularFileError, match=r"^it has 10 B, more than the 9 B that are read$"):
        check_regular(tmp_path / "file", 9)
    with pytest.raises(NoRegularFileError, match=r"^it is a folder, no regular file$"):
        check_regular(tmp_path, 9)
