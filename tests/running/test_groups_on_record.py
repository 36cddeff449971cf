"""What a split keeps together is on record, also of runs that were made before it was."""

import dataclasses

import numpy as np

from cellbench.core.records.store import Store, read_predictions, save_predictions
from cellbench.datasets.files import cache
from cellbench.datasets.named_splits import with_split
from cellbench.datasets.toy import rings
from cellbench.running.older_groups import complete_groups
from cellbench.running.planning.plan import make_plan
from cellbench.running.progress import notes
from cellbench.running.single_run import execute

FAST = ["floor-intensity"]


def test_blocks_are_on_record_and_older_records_get_them(toy_folder, tmp_path):
    (job,) = make_plan(FAST, [toy_folder], split="id-block:10")
    record, kept = execute(job)
    blocks = with_split(cache.read(toy_folder), "id-block:10").split.together
    np.testing.assert_array_equal(kept["test_groups"], blocks[kept["test_index"]])
    assert record.facts["groups"]["test"] == len(np.unique(kept["test_groups"]))

    store = Store(tmp_path, "old-machine")
    path = store.save(record, {name: values for name, values in kept.items() if not name.endswith("_groups")})
    before = path.read_text()
    assert complete_groups([job], store) == 1
    assert complete_groups([job], store) == 0
    assert path.read_text() == before
    for name, values in read_predictions(path).items():
        np.testing.assert_array_equal(values, kept[name])


def test_a_split_that_keeps_nothing_together_gets_no_groups(toy_folder, tmp_path):
    (job,) = make_plan(FAST, [toy_folder], split="stratified@1")
    store = Store(tmp_path, "old-machine")
    path = store.path(job.spec)
    path.parent.mkdir(parents=True)
    save_predictions(path, {"test_index": np.arange(3)})
    assert complete_groups([job], store) == 0


def test_each_draw_is_a_run_of_its_own_and_the_first_keeps_its_key(toy_folder):
    (single,) = make_plan(FAST, [toy_folder], split="id-block:10")
    several = make_plan([*FAST, "svm-flat"], [toy_folder], split="id-block:10@0-2")
    assert [(job.spec.split, job.spec.method) for job in several] == [
        (name, method) for name in ("id-block:10", "id-block:10@1", "id-block:10@2") for method in (*FAST, "svm-flat")
    ]
    assert several[0].spec.key == single.spec.key


def test_each_group_is_left_out_once(tmp_path):
    data = rings()
    folder = cache.prepare("donors", lambda scratch: dataclasses.replace(data, groups=np.arange(len(data)) % 7 + 3))
    jobs = make_plan(FAST, [folder], split="leave-one-out")
    assert [job.spec.split for job in jobs] == [f"leave-one-out@{k}" for k in range(7)]
    (remark,) = notes.about_images(jobs[:1])
    assert remark.endswith("What is lacking is groups, not images.")


def test_groups_are_called_what_their_column_does(tmp_path):
    data = rings()
    info = dataclasses.replace(data.info, groups_are="Metadata_Well")
    groups = np.arange(len(data)) % 7
    folder = cache.prepare("wells", lambda scratch: dataclasses.replace(data, groups=groups, info=info))
    (job,) = make_plan(FAST, [folder], split="leave-one-out@0")
    assert execute(job)[0].facts["groups_are"] == "Metadata_Well"
    (remark,) = notes.about_images([job])
    assert "Test has 1 well, " in remark
    assert remark.endswith("What is lacking is wells, not images.")
