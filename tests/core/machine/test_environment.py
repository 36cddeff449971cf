"""A machine's name: the hardware, and an id of the user's own."""

import re

from cellbench.core.machine.environment import cores, machine_name
from cellbench.core.records.runs import RunRecord, RunSpec
from cellbench.core.records.store import Store


def test_a_machine_keeps_its_name_and_another_user_of_the_same_hardware_gets_another(tmp_path):
    mine, theirs = machine_name(tmp_path / "mine"), machine_name(tmp_path / "theirs")
    assert machine_name(tmp_path / "mine") == mine != theirs
    assert re.fullmatch(rf"[a-z0-9-]+-{cores()}c-[0-9a-f]{{6}}", mine)
    assert mine[:-6] == theirs[:-6]


def test_a_record_that_another_machine_left_is_not_done_here(tmp_path):
    record = RunRecord(RunSpec("cells", "f", "given", {}, "cnn", 1, {}), "ok")
    Store(tmp_path, machine_name(tmp_path / "theirs")).save(record)
    assert Store(tmp_path, machine_name(tmp_path / "mine")).find(record.spec) is None
    assert Store(tmp_path, machine_name(tmp_path / "theirs")).find(record.spec) == record


def test_where_no_id_can_be_kept_the_name_is_the_same_each_time(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert machine_name(tmp_path / "file") == machine_name(tmp_path / "file")
    assert machine_name(tmp_path / "file").endswith("-000000")
