"""`cellbench bench`: its table, its file, and what it says of a machine that became slower."""

import errno
import json
import os

import pytest

from cellbench.running.bench import history, measure, works

from ...card.pretended import card
from ..program import call


def test_it_shows_ratios_and_adds_them_to_a_file(tmp_path):
    file = tmp_path / "bench.json"
    for _ in range(2):
        done = call(
            "bench",
            "hog",
            "svm-libsvm",
            "svm-cuml",
            "resnet18",
            "--tiny",
            "--rounds",
            "1",
            "--device",
            "cpu",
            "-o",
            file,
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == ["work", "peer", "ours", "peer", "ratio", "limit"]
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == ["hog", "svm-libsvm", "resnet18"]
    assert "svm-cuml: not timed: runs on cuda" in done.stderr
    first, second = history.read(file)
    assert first.machine == second.machine
    hog = second.timings["hog"]
    assert hog.ratio == hog.peer / hog.ours > 0
    assert f"{hog.ratio:.2f} ×" in done.stdout


def test_it_times_on_a_card_with_its_memory():
    with card():
        done = call("bench", "hog", "svm-libsvm", "resnet18", "--tiny", "--rounds", "1", "--device", "cuda")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split()[-1] == "memory"
    assert all(line.endswith("MB") for line in done.stdout.splitlines()[2:])


@pytest.mark.parametrize(("slower", "code"), [(1.0, 0), (5.0, 4)])
def test_a_ratio_below_the_noise_of_ten_runs_is_told(slower, code, tmp_path, monkeypatch):
    seconds = iter([value for i in range(10) for value in (1.0 + 0.001 * (i % 2), 5.0)] + [slower, 5.0])
    work = works.Work("nothing", "nobody", lambda device, tiny: (lambda: None, lambda: None))
    monkeypatch.setattr(works, "WORKS", {"idle": work})
    monkeypatch.setattr(measure, "WORKS", {"idle": work})
    monkeypatch.setattr(measure, "_seconds", lambda work, device: next(seconds))
    file = tmp_path / "bench.json"
    codes = [call("bench", "--rounds", "1", "--device", "cpu", "-o", file).returncode for _ in range(11)]
    assert codes == [0] * 10 + [code]
    assert len(history.read(file)) == 11


def test_a_place_where_nothing_can_be_written_is_told_before_anything_is_timed(tmp_path, monkeypatch):
    def refuse(**where):
        assert where == {"dir": tmp_path}
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(measure, "_seconds", lambda work, device: pytest.fail("timed"))
    monkeypatch.setattr(history.tempfile, "TemporaryFile", refuse)
    done = call("bench", "hog", "--tiny", "--device", "cpu", "-o", tmp_path / "bench.json")
    assert done.returncode == 2
    assert done.stderr == (
        f"cellbench: cannot write {tmp_path / 'bench.json'}: Permission denied; choose another folder with -o\n"
    )


def test_bad_input_is_one_line(tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"format": "mine"}))
    for arguments, said in (
        (["hogg"], "no work is called 'hogg'; did you mean 'hog'"),
        (["hog", "-o", tmp_path], "which is a folder"),
        (["hog", "-o", other], "is no file of `cellbench bench` (its format is 'mine'); give another file"),
    ):
        done = call("bench", *arguments)
        assert done.returncode == 2
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1
