"""Drawn splits keep proportions and groups; a limit is stratified and nested."""

import sys

import numpy as np
import pytest

from cellbench.core.data import PARTS
from cellbench.core.errors import BackendError, DataError
from cellbench.datasets import splits

LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(3), [100, 50, 10])).astype(np.int64)


def test_stratified_is_60_20_20_in_every_class() -> None:
    split = splits.stratified(LABELS)
    counts = {part: np.bincount(LABELS[split[part]]).tolist() for part in PARTS}
    assert counts == {"train": [60, 30, 6], "val": [20, 10, 2], "test": [20, 10, 2]}
    assert sorted(np.concatenate([split[part] for part in PARTS])) == list(range(160))


def several_labels() -> np.ndarray:
    """600 images with each of five labels at rates of 0.6 to 0.03, and every one with a label at least."""
    labels = np.random.default_rng(1).random((600, 5)) < [0.6, 0.3, 0.15, 0.08, 0.03]
    labels[~labels.any(1), 0] = True
    return labels


def test_several_labels_an_image_are_each_split_60_20_20() -> None:
    labels = several_labels()
    split = splits.stratified(labels)
    assert split.name == "stratified"
    assert sorted(np.concatenate([split[part] for part in PARTS])) == list(range(600))
    for share, part in zip((0.6, 0.2, 0.2), PARTS, strict=True):
        assert np.abs(labels[split[part]].sum(0) - share * labels.sum(0)).max() <= 2
    np.testing.assert_array_equal(splits.stratified(labels).test, split.test)
    assert len(np.intersect1d(splits.stratified(labels, split_seed=1).test, split.test)) < 60


def test_several_labels_in_groups_keep_groups_whole() -> None:
    labels, groups = several_labels(), np.arange(600) // 6
    split = splits.grouped(labels, groups)
    own = [set(groups[split[part]].tolist()) for part in PARTS]
    assert sum(map(len, own)) == len(set.union(*own)) == 100
    assert all(labels[split[part]].any(0).all() for part in PARTS)


def test_an_image_with_several_labels_counts_as_its_rarest() -> None:
    assert splits.rarest(np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1]], bool)).tolist() == [1, 0, 2]
    assert splits.rarest(LABELS) is LABELS


def test_too_rare_a_label_among_several_is_refused_by_name() -> None:
    labels = several_labels()
    labels[:, 4] = np.arange(600) < 4
    with pytest.raises(DataError, match="class rare has 4 images"):
        splits.stratified(labels, classes=("a", "b", "c", "d", "rare"))


def test_without_the_package_for_several_labels_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "iterstrat.ml_stratifiers", None)
    with pytest.raises(BackendError, match=r'pip install "cellbench\[multilabel\]"'):
        splits.stratified(several_labels())


def test_a_split_depends_on_its_seed_alone() -> None:
    np.testing.assert_array_equal(splits.stratified(LABELS).test, splits.stratified(LABELS).test)
    assert (splits.stratified(LABELS).test != splits.stratified(LABELS, 1).test).any()


def test_grouped_never_puts_a_group_in_two_parts() -> None:
    groups = np.arange(160) // 8
    split = splits.grouped(LABELS, groups)
    seen = [set(groups[split[part]]) for part in PARTS]
    assert sum(map(len, seen)) == len(set.union(*seen)) == 20
    assert [len(one) for one in seen] == [12, 4, 4]


def test_a_class_of_four_is_refused_by_name() -> None:
    labels = np.repeat([0, 1], [20, 4])
    with pytest.raises(DataError, match="class rare has 4 images to draw a split from; at least 5"):
        splits.stratified(labels, classes=("common", "rare"))
    with pytest.raises(DataError, match="class 1 has 4 images"):
        splits.grouped(labels, np.arange(24))


def test_four_groups_are_refused() -> None:
    with pytest.raises(DataError, match="4 groups cannot be split by group; at least 5"):
        splits.grouped(LABELS, np.arange(160) % 4)


def test_held_out_is_a_stratified_fifth_and_keeps_groups_whole() -> None:
    rest, held = splits.held_out(LABELS)
    assert np.bincount(LABELS[held]).tolist() == [20, 10, 2]
    assert sorted([*rest, *held]) == list(range(160))
    groups = np.arange(160) // 8
    rest, held = splits.held_out(LABELS, groups)
    assert not set(groups[rest]) & set(groups[held])


@pytest.mark.parametrize("multilabel", [False, True])
def test_a_limit_keeps_every_class_and_smaller_limits_lie_within_larger_ones(multilabel: bool) -> None:
    labels = np.eye(3, dtype=bool)[LABELS] if multilabel else LABELS
    index = np.arange(0, 160, 2)
    before: set[int] = set()
    for limit in (3, 5, 16, 40, 79):
        chosen = splits.limited(index, labels, limit)
        assert len(chosen) == limit
        assert set(LABELS[chosen]) == {0, 1, 2}
        assert before <= set(chosen.tolist()) <= set(index.tolist())
        before = set(chosen.tolist())


def test_a_limit_is_stratified() -> None:
    chosen = splits.limited(np.arange(160), LABELS, 32)
    assert np.abs(np.bincount(LABELS[chosen]) - [20, 10, 2]).max() <= 1


def test_no_limit_or_a_large_one_changes_nothing_and_a_tiny_one_is_refused() -> None:
    index = np.arange(160)
    assert splits.limited(index, LABELS, None) is index
    assert splits.limited(index, LABELS, 160) is index
    with pytest.raises(DataError, match="a limit of 2 images leaves some of 3 classes empty"):
        splits.limited(index, LABELS, 2)
