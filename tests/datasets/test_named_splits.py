"""Splits by name: who goes where, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from cellbench.core.data import PARTS, Dataset, Split
from cellbench.core.errors import DataError, UsageError
from cellbench.datasets.named_splits import with_split
from cellbench.datasets.splits import stratified
from cellbench.datasets.toy import rings


@pytest.fixture(scope="module")
def data():
    """Rings in order of class, 10 neighbours a group."""
    made = rings(n=1200, classes=3, size=8)
    order = np.argsort(made.labels, kind="stable")
    return replace(made, images=made.images[order], labels=made.labels[order], groups=np.arange(1200) // 10)


def parts_of(data):
    """The part of each image by number; every image is in exactly one."""
    part = np.full(len(data), -1)
    for number, name in enumerate(PARTS):
        part[data.split[name]] = number
    assert sum(len(data.split[name]) for name in PARTS) == len(data)
    assert part.min() == 0
    return part


@pytest.mark.parametrize("name", ["stratified", "grouped", "random-mask", "kfold:5/0", "id-block:50"])
def test_every_image_is_in_one_part_and_the_split_has_the_name_it_was_asked_by(data, name):
    split = with_split(data, name)
    parts_of(split)
    assert split.split.name == name
    again = with_split(data, name)
    assert all(np.array_equal(split.split[part], again.split[part]) for part in PARTS)


def test_official_is_the_split_the_data_came_with(data):
    assert with_split(data, "official") is data
    assert with_split(data, data.split.name) is data


@pytest.mark.parametrize("name", ["grouped", "kfold:5/2"])
def test_groups_are_kept_whole(data, name):
    part = parts_of(with_split(data, name))
    assert all(len(np.unique(part[data.groups == group])) == 1 for group in np.unique(data.groups))


def test_the_folds_take_turns_at_test_and_the_next_one_is_val(data):
    folds = [with_split(data, f"kfold:5/{i}").split for i in range(5)]
    assert np.array_equal(np.sort(np.concatenate([fold.test for fold in folds])), np.arange(len(data)))
    for i, fold in enumerate(folds):
        assert np.array_equal(fold.val, folds[(i + 1) % 5].test)


def test_blocks_of_neighbours_are_kept_whole_and_shared_out_by_class(data):
    part = parts_of(with_split(data, "id-block:25"))
    for k in range(3):
        of_class = part[data.labels == k]  # 400 images, 16 blocks of 25
        blocks = of_class.reshape(16, 25)
        assert (blocks == blocks[:, :1]).all()
        assert np.bincount(blocks[:, 0]).tolist() in ([10, 3, 3], [11, 2, 3], [10, 2, 4])


def test_every_part_gets_a_block_of_a_class_with_few(data):
    part = parts_of(with_split(data, "id-block:133"))
    for k in range(3):
        assert set(part[data.labels == k]) == {0, 1, 2}


def test_a_random_mask_draws_for_each_image(data):
    shares = np.bincount(parts_of(with_split(data, "random-mask"))) / len(data)
    np.testing.assert_allclose(shares, [0.6, 0.2, 0.2], atol=0.04)


def test_a_random_mask_leaves_the_share_that_is_asked_for_to_train_on(data):
    found = with_split(data, "random-mask:90")
    np.testing.assert_allclose(np.bincount(parts_of(found)) / len(data), [0.9, 0.05, 0.05], atol=0.04)
    assert found.split.name == "random-mask:90"
    assert with_split(data, "random-mask:60").split.name == "random-mask"
    for share in ("100", "0.7"):
        with pytest.raises(UsageError, match=rf"'random-mask:{share}' names no share; give whole percents .* 1 to 99"):
            with_split(data, f"random-mask:{share}")


def test_groups_that_are_torn_are_noted(data):
    assert "tears" not in " ".join(with_split(data, "grouped").info.notes)
    (note,) = with_split(data, "stratified").info.notes
    assert note.startswith("The split 'stratified' tears ")


def test_one_split_has_one_name(data):
    assert with_split(data, "id-block:0025").split.name == "id-block:25"
    assert with_split(data, "kfold:05/ 0").split.name == "kfold:5/0"


def test_a_seed_draws_another_split_whatever_the_split_of_the_data_is_called(data):
    own = with_split(data, "stratified")
    assert with_split(own, "stratified") is own
    other = with_split(own, "stratified", split_seed=5)
    assert other.split.name == "stratified@5"
    np.testing.assert_array_equal(other.split.test, stratified(data.labels, 5).test)
    assert (other.split.test != own.split.test).any()


@pytest.mark.parametrize("name", ["stratified@5", "grouped@1", "kfold:5/0@2", "id-block:50@3", "random-mask@4"])
def test_a_split_is_drawn_again_by_its_name_alone(data, name):
    split = with_split(data, name).split
    assert split.name == name
    bare, seed = name.split("@")
    np.testing.assert_array_equal(with_split(data, bare, int(seed)).split.test, split.test)
    assert not np.array_equal(with_split(data, bare).split.test, split.test)


def test_folds_keep_the_share_of_every_label(data):
    rng = np.random.default_rng(2)
    labels = rng.random((600, 4)) < [0.5, 0.4, 0.2, 0.05]
    labels[~labels.any(1), 0] = True
    several = replace(
        data, images=data.images[:600], labels=labels, classes=tuple("abcd"), groups=None, split=even(600)
    )
    for fold in range(5):
        held_out = labels[with_split(several, f"kfold:5/{fold}").split.test]
        assert np.abs(held_out.sum(0) - labels.sum(0) / 5).max() <= 1


def even(n):
    return Split("every third", *(np.arange(start, n, 3) for start in range(3)))


def test_the_shares_that_blocks_gave_are_told_and_classes_that_differ_named():
    sizes = (2494, 2831, 2598, 2741, 2208, 724)  # HEp-2's; of the last, Golgi, 4 blocks
    labels = np.repeat(np.arange(6), sizes)
    images = np.zeros((len(labels), 1, 1, 1), np.uint8)
    hep2 = Dataset("x", images, labels, tuple("abcdef"), ("c",), even(len(labels)))
    drawn = with_split(hep2, "id-block")
    counts = np.array([drawn.class_counts()[part] for part in PARTS])
    assert (counts[:, 5] / 724).tolist() == [0.5, 0.25, 0.25]
    whole = "/".join(f"{share:.0f}" for share in 100 * counts.sum(1) / len(labels))
    assert drawn.info.notes == (f"The split 'id-block' came out as {whole} % in train/val/test; of f 50/25/25 %.",)
    assert with_split(hep2, "stratified").info.notes == ()


def test_several_labels_an_image_are_shared_out_too(data):
    several = replace(data, labels=np.eye(3, dtype=bool)[data.labels] | np.array([True, False, False]))
    for name in ("kfold:5/0", "random-mask", "id-block:50"):
        parts_of(with_split(several, name))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("stratifeid", "did you mean 'stratified'"),
        ("kfold:5", "write kfold:K/I"),
        ("kfold:5/5", "write kfold:K/I"),
        ("kfold:2/0", "write kfold:K/I"),
        ("id-block:0", "names no block size"),
        ("id-block:x", "names no block size"),
        ("stratified:3", "takes nothing after a colon"),
        ("stratified@", "has no draws after its @"),
        ("stratified@-1", "has no draws after its @"),
        ("stratified@4294967296", "has no draws after its @"),
        ("official@5", "no drawn split is called 'official@5'"),
    ],
)
def test_a_name_that_is_no_split_is_refused(data, name, message):
    with pytest.raises(UsageError, match=message):
        with_split(data, name)


def test_data_that_cannot_be_split_so_are_refused(data):
    with pytest.raises(DataError, match="has no groups to split by"):
        with_split(replace(data, groups=None), "grouped")
    with pytest.raises(DataError, match="too few for three blocks of 300; use smaller blocks: id-block:66"):
        with_split(data, "id-block:300")
    three_wells = replace(data, groups=data.labels)
    with pytest.raises(DataError, match="leaves no training image of ring"):
        with_split(three_wells, "kfold:3/0")
    with pytest.raises(DataError, match="has 3 groups, too few for 5 folds; choose fewer, or 'stratified'"):
        with_split(three_wells, "kfold:5/0")
    with pytest.raises(DataError, match=r"3 groups cannot be split by group; .* split by class"):
        with_split(three_wells, "grouped")
    with pytest.raises(DataError, match="too few for 500 folds"):
        with_split(data, "kfold:500/0")
