"""The folder of records: whole files or none, foreign files named and left alone."""

import dataclasses
import errno
import os

import numpy as np
import pytest

from cellbench.core.errors import UsageError
from cellbench.core.records.store import Store, read_predictions, read_records, write_whole

from .test_runs import SPEC, record


def test_a_saved_record_is_found_by_its_spec_on_its_machine_only(tmp_path):
    path = Store(tmp_path, "laptop").save(record(), {"test_scores": np.eye(2, dtype=np.float32)})
    assert path == tmp_path / "laptop" / "toy" / "svm-flat" / f"s0-{SPEC.key}.json"
    assert Store(tmp_path, "laptop").find(SPEC).to_json() == record().to_json()
    assert Store(tmp_path, "server").find(SPEC) is None
    np.testing.assert_array_equal(np.load(path.with_suffix(".npz"))["test_scores"], np.eye(2))


def test_predictions_are_read_back_and_broken_ones_are_none(tmp_path):
    path = Store(tmp_path, "laptop").save(record(), {"test_scores": np.eye(2, dtype=np.float32)})
    np.testing.assert_array_equal(read_predictions(path)["test_scores"], np.eye(2))
    whole = path.with_suffix(".npz").read_bytes()
    for broken in (b"", b"text", whole[:-30]):
        path.with_suffix(".npz").write_bytes(broken)
        assert read_predictions(path) is None
    path.with_suffix(".npz").unlink()
    assert read_predictions(path) is None


def test_a_new_attempt_replaces_record_and_predictions(tmp_path):
    store = Store(tmp_path, "laptop")
    path = store.save(record(), {"test_scores": np.zeros(1)})
    store.save(record(status="failed", reason="no luck"))
    assert store.find(SPEC).reason == "no luck"
    assert not path.with_suffix(".npz").exists()


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    target = tmp_path / "file"
    target.write_text("old")

    def fail(file):
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(target, fail)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_told_in_one_line_and_the_old_record_stays(tmp_path, monkeypatch):
    store = Store(tmp_path, "laptop")
    store.save(record(), {"test_scores": np.zeros(1)})

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UsageError, match="No space left on device; free some space"):
        store.save(record(reason="new"))
    monkeypatch.undo()
    assert store.find(SPEC).reason == ""
    assert store.path(SPEC).with_suffix(".npz").exists()
    assert len(list(tmp_path.rglob("*.*"))) == 2


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "No space left on device; free some space or choose another folder with -o"),
        (errno.EDQUOT, "Disk quota exceeded; free some space or choose another folder with -o"),
        (errno.ENOENT, "No such file or directory; choose another folder with -o"),
        (errno.EACCES, "Permission denied; choose another folder with -o"),
        (errno.EEXIST, "it is no folder; choose another folder with -o"),
        (errno.EROFS, "Read-only file system; choose another folder with -o"),
        (errno.EIO, "Input/output error"),  # another folder need not help
    ],
)
def test_a_folder_that_cannot_be_made_gets_advice_that_fits_the_reason(tmp_path, monkeypatch, number, advice):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(type(tmp_path), "mkdir", refuse)
    with pytest.raises(UsageError) as error:
        Store(tmp_path / "r", "laptop").check()
    assert str(error.value) == f"cannot write {tmp_path / 'r'}: {advice}"


def test_foreign_and_broken_files_are_named_and_left_alone(tmp_path):
    good = Store(tmp_path, "laptop").save(record())
    (tmp_path / "notes.json").write_text("[1, 2]")
    (tmp_path / "broken.json").write_text(good.read_text()[:100])
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    bad = []
    found = list(read_records(tmp_path, lambda path, reason: bad.append((path.name, reason))))
    assert [(one.path, one.machine, one.text) for one in found] == [(good, "laptop", good.read_text())]
    assert [name for name, _ in bad] == ["broken.json", "notes.json"]
    assert before == {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}


def test_a_copy_of_a_record_is_no_second_seed(tmp_path):
    path = Store(tmp_path, "laptop").save(record())
    copy = tmp_path / "old" / path.relative_to(tmp_path)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(path.read_bytes())
    bad = []
    assert len(list(read_records(tmp_path, lambda *why: bad.append(why)))) == 1
    assert bad == [(copy, f"the same run as {path.relative_to(tmp_path)}; remove one of them")]


def test_names_become_safe_folders(tmp_path):
    spec = dataclasses.replace(SPEC, dataset="folder:my cells/../é")
    path = Store(tmp_path, "a b").path(spec)
    assert path.relative_to(tmp_path).parts[:2] == ("a-b", "folder-my-cells-..-é")


def test_a_record_has_room_where_its_predictions_have_none(tmp_path, monkeypatch):
    store = Store(tmp_path, "laptop")

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(UsageError, match=r"\.npz: No space left on device; free some space"):
        store.save(record(), {"test_scores": np.zeros(1)})
    assert store.find(SPEC).to_json() == record().to_json()
    assert [path.name for path in tmp_path.rglob("*.*")] == [store.path(SPEC).name]
