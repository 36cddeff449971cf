"""`cellbench run`: from images to a table, what it refuses beforehand, what it shows meanwhile."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cellbench.cli import cli
from cellbench.core.errors import UsageError
from cellbench.datasets.files import cache
from cellbench.running.planning.options import parse_val_limit

from ..program import call


def test_a_folder_of_ones_own_cells_from_images_to_table(cells, tmp_path):
    results = str(tmp_path / "results")
    arguments = ["run", "-d", str(cells), "-m", "svm-flat", "-m", "svm-hog", "--set", "size=none", "-o", results]
    first = call(*arguments)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith(f"2 ok. Next: cellbench table {results} --runs all\n\nOn folder:my cells, split ")
    assert "images chose all the same. The best SVM, svm-" in " ".join(first.stdout.split())
    assert first.stdout.rstrip().endswith(f" -o {results}")  # the command for what did not run
    assert "[1/2] svm-hog on folder:my cells, seed 0: test accuracy" in first.stderr
    again = call(*arguments, "-q")
    assert (again.returncode, again.stdout) == (0, f"2 already done. Next: cellbench table {results} --runs all\n")
    assert again.stderr == ""
    table = call("table", results, "--runs", "all", "--format", "json")
    rows = json.loads(table.stdout)
    assert {row["method"] for row in rows if row["view"] == "leaderboard"} == {"svm-flat", "svm-hog"}
    assert call("list", "results", results).stdout.count(" ok ") == 2


def test_a_dry_run_says_what_would_be_done_and_does_nothing(cells, tmp_path):
    out = call(
        "run", "-d", str(cells), "-m", "svm-hog", "-m", "cnn", "--epochs", "3", "--dry-run", "-o", str(tmp_path / "r")
    )
    assert out.returncode == 0, out.stderr
    assert "2 runs, 2 to do" in out.stdout
    assert "epochs=3" in out.stdout
    assert not (tmp_path / "r").exists()


def test_a_dry_run_that_had_to_prepare_images_says_so_the_first_time(cells, tmp_path):
    def told(*more):
        arguments = ["run", "-d", str(cells), "-m", "svm-hog", "--dry-run", "-o", str(tmp_path / "r"), *more]
        return CliRunner().invoke(cli, arguments, catch_exceptions=False).stderr

    first = told()
    (place,) = cache.location("").iterdir()
    assert first == f"{cells} was prepared, once, in {place}: which runs are done depends on its content\n"
    assert told() == ""
    cache.remove(place)
    assert told("-q") == ""


def test_a_run_that_fails_is_on_record_and_the_exit_code_is_3(cells, tmp_path):
    results = tmp_path / "results"
    out = call("run", "-d", str(cells), "-m", "cnn", "--set", "lr=1e30", "--set", "batch=8", "-o", str(results))
    assert out.returncode == 3
    assert "1 failed" in out.stdout
    assert "--retry-failed" in out.stderr
    table = call("table", str(results), "--runs", "all")
    assert "learning rate" in table.stdout


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_trained(cells, tmp_path):
    (tmp_path / "results").write_text("I am a file")
    out = call("run", "-d", str(cells), "-m", "svm-hog", "-o", str(tmp_path / "results"))
    assert out.returncode == 2
    assert out.stderr.startswith(f"cellbench: cannot write {tmp_path / 'results'}: it is no folder; choose another ")
    assert out.stderr.count("\n") == 1


@pytest.mark.parametrize("method", ["svm-hog", "svm-deep"])
def test_a_backend_that_is_not_there_is_refused_for_doctors_reason_before_any_run(cells, tmp_path, method):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    reason = "cuML needs a CUDA device, and torch finds none"
    chosen = ("-d", str(cells), "-m", "cnn", "-m", method, "--set", f"{method}:backend=cuml")
    out = call("run", *chosen, "-o", str(tmp_path / "results"))
    assert (out.returncode, out.stdout) == (2, "")
    assert out.stderr == (
        f"cellbench: {method}: SVM backend 'cuml' cannot be used: {reason}; choose another or 'auto'\n"
    )
    assert not (tmp_path / "results").exists()
    assert f"no: {reason}" in call("doctor").stdout


def test_progress_on_a_terminal_shows_bars_and_ends_clean(cells, tmp_path):
    """Through a pseudo-terminal, as a person sees it."""
    import pty

    master, slave = pty.openpty()
    arguments = ["run", "-d", str(cells), "-m", "svm-hog", "-m", "cnn", "--epochs", "2", "-o", str(tmp_path / "r")]
    process = subprocess.Popen(
        [sys.executable, "-m", "cellbench", *arguments],
        stderr=slave,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    assert process.wait() == 0
    text = shown.decode()
    assert f"making {str(cells)[:40]}" in text
    assert "run 1 of 2" in text
    assert "left" in text
    assert "✓" in text
    assert text.count("svm-hog on folder:my cells, seed 0: ") == 1
    assert text.rstrip().endswith("\x1b[?25h") or "\x1b[?25h" in text[-200:]  # the cursor is given back


@pytest.mark.parametrize(("text", "limit"), [("all", "all"), ("25", 25)])
def test_a_val_limit_is_a_number_of_images_or_all(text, limit):
    assert parse_val_limit(text) == limit


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "half", ""])
def test_a_val_limit_of_another_kind_is_refused(text):
    with pytest.raises(UsageError, match=rf"^--val-limit got '{text}'; write a number of images, or all$"):
        parse_val_limit(text)


def test_shards_share_the_runs_and_an_empty_one_is_no_failure(cells, tmp_path):
    arguments = ["run", "-d", str(cells), "-m", "floor-majority", "-m", "floor-intensity", "-o", str(tmp_path / "r")]
    listed = [call(*arguments, "--dry-run", "--shard", f"{number}/5").stdout for number in range(1, 6)]
    assert sorted(text.count("floor-") for text in listed)[-2:] in ([1, 1], [0, 2])
    empty = next(number for number, text in enumerate(listed, 1) if "floor-" not in text)
    out = call(*arguments, "--shard", f"{empty}/5")
    assert (out.returncode, out.stdout.split(".")[0]) == (0, "nothing to do")
    refused = call(*arguments, "--shard", "6/5")
    assert (refused.returncode, refused.stderr) == (
        2,
        "cellbench: --shard got '6/5'; write 3/8 for the third of eight, up to 10,000 shards\n",
    )


def test_images_of_mixed_sizes_are_read_again_at_a_larger_size_that_is_asked_for(tmp_path):
    for i in range(24):
        folder = tmp_path / "mixed" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(i).integers(0, 256, (100 + i, 100), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    arguments = ("run", "-d", tmp_path / "mixed", "-m", "floor-intensity", "-q", "-o")
    assert call(*arguments, tmp_path / "small").returncode == 0
    assert call(*arguments, tmp_path / "large", "--set", "size=96").returncode == 0
    facts = {}
    for name in ("small", "large"):
        (record,) = (tmp_path / name).rglob("*.json")
        facts[name] = json.loads(record.read_text())
    assert facts["large"]["facts"]["input"] == [1, 96, 96]
    assert "enlarged_from" not in facts["large"]["facts"]
    assert facts["small"]["spec"]["fingerprint"] != facts["large"]["spec"]["fingerprint"]
    assert any("resized to 96×96" in note for note in facts["large"]["facts"]["notes"])
