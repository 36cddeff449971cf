"""`cellbench bench`: its table, its file, and what it says of a machine that became slower."""

import errno
import importlib.util
import json
import os
import sys

import pytest

from cellbench.running.bench import history, measure, works

from ...card.pretended import card
from ..program import call


def test_it_shows_ratios_and_adds_them_to_a_file(tmp_path):
    file = tmp_path / "bench.json"
    how = ("--tiny", "--rounds", "1", "--device", "cpu", "-o", file)
    for names in (["svm-libsvm"], ["hog", "svm-libsvm", "svm-cuml", "resnet18"]):
        done = call("bench", *names, *how)
        assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == ["work", "peer", "ours", "peer", "ratio", "limit", "memory"]
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == ["hog", "svm-libsvm", "resnet18"]
    assert "svm-cuml: not timed: runs on cuda" in done.stderr
    first, second = history.read(file)
    assert first.machine == second.machine
    hog = second.timings["hog"]
    assert min(hog.memory, hog.peer_memory) > 50e6  # torch alone takes more
    assert f"{hog.memory / 1e6:,.0f} / {hog.peer_memory / 1e6:,.0f} MB" in done.stdout
    assert hog.ratio == hog.peer / hog.ours > 0
    assert f"{hog.ratio:.2f} ×" in done.stdout


PEERS = {  # of those that need a package beside cellbench's own: the module
    "svm-onedal": "sklearnex",
    "svm-thundersvm": "thundersvm",
    "svm-torchkm": "torchkm",
    "resnet18-skorch": "skorch",
    "resnet18-timm": "timm",
    "embedding": "timm",
}


@pytest.mark.parametrize("name", [*PEERS, "png", "tiff", "records"])
def test_each_work_is_done_by_both(name, monkeypatch):
    if name in PEERS:
        pytest.importorskip(PEERS[name])
    monkeypatch.setattr(measure, "_memory", lambda name, side, tiny: 0)
    timing = measure.measure([name], "cpu", rounds=1, tiny=True).timings[name]
    assert not timing.missing
    assert min(timing.ours, timing.peer) > 0


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("name", ["png", "records"])
def test_each_side_has_its_memory_in_a_process_of_its_own(name, side):
    """A process calls one of the two functions alone, and the files must be there for either."""
    assert measure._memory(name, side, tiny=True) > 50e6


@pytest.mark.parametrize(("name", "module"), PEERS.items())
def test_a_peer_that_is_not_installed_is_left_out(name, module, monkeypatch):
    for loaded in [key for key in sys.modules if key.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert measure._timing(name, "cpu", 1, True).missing


def test_earlier_measurements_of_other_packages_are_said_to_judge_nothing(tmp_path, monkeypatch):
    work = works.Work("nothing", "nobody", lambda device, tiny: (lambda: None, lambda: None))
    for module in (works, measure):
        monkeypatch.setattr(module, "WORKS", {"idle": work})
    monkeypatch.setattr(measure, "_memory", lambda name, side, tiny: 0)
    file = tmp_path / "bench.json"
    for torch in ("2.12", "2.13", "2.13"):
        monkeypatch.setattr(measure, "versions", lambda torch=torch: {"torch": torch})
        done = call("bench", "--rounds", "1", "--device", "cpu", "-o", file)
    assert "1 of 2 earlier measurements judge nothing: another machine, device or packages" in done.stderr


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
    monkeypatch.setattr(measure, "_memory", lambda name, side, tiny: 0)
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
