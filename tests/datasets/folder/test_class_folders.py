"""Class folders, alone or in train, val and test, are read as they were meant."""

from pathlib import Path

import pytest

from .folders import crops, load, put, refused, value, values


def test_class_folders_become_classes_in_natural_order_with_a_stratified_split(root: Path) -> None:
    names = crops("2", "10", "Ärger x")
    put(root, names)
    data = load(root)
    assert data.name == "folder:my cells é"
    assert data.classes == ("2", "10", "Ärger x")
    assert data.images.shape == (30, 1, 12, 10)
    assert values(data) == [value(name) for name in names]
    assert data.labels.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert data.split.name == "stratified"
    assert data.class_counts() == {"train": [6] * 3, "val": [2] * 3, "test": [2] * 3}
    assert data.info.notes == ()
    assert not data.info.synthetic
    assert (data.info.licence, data.info.citation) == ("your own images", "your own images")


@pytest.mark.parametrize(
    "words", [("train", "val", "test"), ("Training", "VALIDATION", "Test"), ("tra", "valid", "tes")]
)
def test_part_folders_under_any_usual_name_are_the_given_split(root: Path, words: tuple[str, ...]) -> None:
    for word, n in zip(words, (3, 1, 2), strict=True):
        put(root, crops("a", "b", n=n, part=f"{word}/"))
    data = load(root)
    assert data.split.name == "given"
    assert data.class_counts() == {"train": [3, 3], "val": [1, 1], "test": [2, 2]}
    assert sorted(values(data, "test")) == sorted(value(n) for n in crops("a", "b", n=2, part=f"{words[2]}/"))


def test_a_missing_val_is_taken_from_train_and_said(root: Path) -> None:
    put(root, [*crops("a", "b", part="train/"), *crops("a", "b", n=3, part="test/")])
    data = load(root)
    assert data.class_counts() == {"train": [8, 8], "val": [2, 2], "test": [3, 3]}
    assert data.info.notes == ("no val is given: a fifth of train taken for it (stratified, 4 images)",)
    trained = {value(name) for name in crops("a", "b", part="train/")}
    assert set(values(data, "val")) <= trained


def test_only_train_is_split_by_drawing_and_said(root: Path) -> None:
    put(root, crops("a", "b", part="train/"))
    data = load(root)
    assert data.split.name == "stratified"
    assert data.info.notes == ("only train is given: val and test drawn from it",)


def test_images_deeper_in_a_class_folder_belong_to_the_class(root: Path) -> None:
    put(root, [f"{name}/plate {i}/x.png" for name in "ab" for i in range(5)])
    assert load(root).labels.tolist() == [0] * 5 + [1] * 5


def test_hidden_files_and_other_files_are_no_images(root: Path) -> None:
    put(root, crops("a", "b"))
    for name in ("a/.hidden.png", "a/._0.png", ".DS_Store", "a/Thumbs.db", "__MACOSX/a/0.png", "b/notes.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    data = load(root)
    assert len(data) == 20
    assert data.info.notes == ("1 other file left out (.txt)",)


def test_an_empty_class_is_refused_by_name(root: Path) -> None:
    put(root, crops("a", "b"))
    (root / "nobody").mkdir()
    refused(root, "class folder .*nobody holds no images")


def test_an_empty_class_in_train_is_refused_by_name(root: Path) -> None:
    put(root, [*crops("a", "b", part="train/"), *crops("a", "b", "c", part="test/")])
    (root / "train" / "c").mkdir()
    refused(root, "class folder .*train/c holds no images")


def test_one_class_only_is_refused(root: Path) -> None:
    put(root, crops("a"))
    refused(root, "one class only, 'a'; at least two are needed$")


def test_a_folder_around_the_folder_is_told_from_one_class(root: Path) -> None:
    put(root, crops("a", "b", part="dataset/"))
    refused(root, "one class only, 'dataset'; at least two are needed; did you mean .*é/dataset?")


def test_images_outside_class_folders_are_refused_by_name(root: Path) -> None:
    put(root, [*crops("a", "b"), "loose.png"])
    refused(root, r"1 images in .* the first is loose\.png")


def test_part_folders_that_are_not_clear_are_refused(root: Path) -> None:
    put(
        root,
        [
            *crops("a", "b", part="train/"),
            *crops("a", "b", part="test/"),
            *crops("x", part="masks/"),
        ],
    )
    refused(root, "holds test, train and also masks")
    (root / "masks").rename(root / "training")
    refused(root, "two of which mean the same part")


def test_a_part_folder_without_class_folders_and_a_folder_without_train_are_refused(root: Path) -> None:
    put(root, [*crops("a", "b", part="train/"), "test/1.png"])
    refused(root, r"test/1\.png lies outside class folders")
    (root / "train").rename(root / "val")
    refused(root, "holds test, val but no train")
