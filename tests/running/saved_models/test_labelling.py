"""Images that are in no data set: which are found, how they are read, and which are refused."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from cellbench.core.errors import DataError, UsageError
from cellbench.datasets import folder
from cellbench.datasets.files import cache
from cellbench.running.planning.plan import make_plan, parse_override
from cellbench.running.saved_models import labelling, models, reading
from cellbench.running.saved_models.finding import find
from cellbench.running.saved_models.models import Model
from cellbench.running.saved_models.reading import Reader
from cellbench.running.single_run import execute


def model(channels=("grey",), side=8, width=8, dtype="uint8", size=None, **read):
    """A model of which only what it reads matters."""
    told = {field.name: None for field in dataclasses.fields(Model)}
    told |= {"channels": list(channels), "height": side, "width": width, "dtype": dtype, "reading": read}
    return Model(**{**told, "preprocessing": {} if size is None else {"size": size}})


def cut_to(side):
    """A model that learnt from cells which their masks had cut out, in squares of `side` pixels."""
    known = model(side=side, width=side)
    return dataclasses.replace(known, reading={"masks": True, "side": side})


def label(known, scorer, found, progress=lambda done: None, names=()):
    """Everything that labelling gives: files and scores of all batches together, and what the tally has."""
    tally = labelling.Tally()
    batches = list(labelling.label(Reader(known, found, names), scorer, tally, progress))
    return SimpleNamespace(
        files=[file for batch in batches for file in batch.files],
        scores=np.concatenate([batch.scores for batch in batches]),
        unreadable=tally.unreadable,
        remarks=tally.remarks,
    )


class Means:
    """A scorer that says what it was given: each image's first and last channel's mean."""

    def __init__(self):
        self.batches = []

    def predict(self, images):
        self.batches.append(images.shape)
        return images.mean((2, 3))[:, [0, -1]].astype(np.float32)


def write(path, value, shape=(8, 8), dtype=np.uint8):
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.full(shape, value, dtype)
    if path.suffix == ".tif":
        tifffile.imwrite(path, array, photometric="minisblack")
    else:
        Image.fromarray(array).save(path)
    return path


def test_folders_are_searched_to_their_depths_and_no_image_counts_twice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a/x10.png", "a/x2.png", "a/deep/er/y.tif", "b.jpg", "a/.hidden.png"):
        write(tmp_path / name, 1)
    (tmp_path / "a/notes.txt").write_text("no image")
    given = [tmp_path / "b.jpg", tmp_path / "a", tmp_path / "a/x2.png"]
    found = find([path.relative_to(tmp_path) for path in given])
    assert list(found.files) == ["b.jpg", "a/deep/er/y.tif", "a/x2.png", "a/x10.png"]
    assert found.channels == ()


def test_a_place_that_is_not_there_or_without_images_is_named(tmp_path):
    with pytest.raises(UsageError, match="cells does not exist; give images, or folders of them"):
        find([tmp_path / "cells"])
    with pytest.raises(UsageError, match=r"no images in .*; \.png, .* are read"):
        find([tmp_path])


def test_every_image_is_scored_under_its_name_whatever_the_batch(tmp_path, monkeypatch):
    names = [str(write(tmp_path / f"{i}.png", i)) for i in range(7)]
    done = []
    for size in (512, 3, 1):
        monkeypatch.setattr(reading, "BATCH", size)
        scorer = Means()
        labelled = label(model(), scorer, find([tmp_path]), done.append)
        assert labelled.files == names
        np.testing.assert_array_equal(labelled.scores, np.repeat(np.arange(7), 2).reshape(7, 2))
        assert len(scorer.batches) == -(-7 // size)
    assert done == [7, 3, 6, 7, 1, 2, 3, 4, 5, 6, 7]


def test_large_images_come_in_smaller_batches(tmp_path, monkeypatch):
    for i in range(4):
        write(tmp_path / f"{i}.png", i)
    monkeypatch.setattr(reading, "BATCH_BYTES", 2 * 64)
    scorer = Means()
    label(model(), scorer, find([tmp_path]))
    assert scorer.batches == [(2, 1, 8, 8), (2, 1, 8, 8)]


def test_images_that_are_no_such_images_are_told_and_the_others_scored(tmp_path):
    write(tmp_path / "1 good.png", 5)
    (tmp_path / "2 empty.png").touch()
    write(tmp_path / "3 colour.png", 5, (8, 8, 3))
    write(tmp_path / "4 deep.tif", 5, dtype=np.uint16)
    labelled = label(model(), Means(), find([tmp_path]))
    assert labelled.files == [str(tmp_path / "1 good.png")]
    assert labelled.unreadable == [
        (str(tmp_path / "2 empty.png"), "0 bytes long"),
        (str(tmp_path / "3 colour.png"), "3 channels, the model reads 1: grey"),
        (str(tmp_path / "4 deep.tif"), "uint16, the model learnt from uint8"),
    ]


def test_without_a_single_image_that_fits_the_reason_is_the_error(tmp_path):
    for i in range(3):
        write(tmp_path / f"{i}.png", i, (8, 8, 3))
    with pytest.raises(DataError, match=r"3 of 3 images cannot be read: .*2.png \(3 channels, the model reads 2: a, b"):
        label(model(("a", "b")), Means(), find([tmp_path]))


def test_another_size_is_brought_to_the_data_sets_before_the_methods(tmp_path):
    write(tmp_path / "a.png", 9, (16, 16))
    write(tmp_path / "b.png", 9, (8, 8))
    scorer = Means()
    labelled = label(model(size=16), scorer, find([tmp_path]))
    assert scorer.batches == [(2, 1, 16, 16)]
    assert labelled.remarks == [f"resized to 8×8: 1 image, the first is {tmp_path / 'a.png'} of 16×16 px"]
    np.testing.assert_array_equal(labelled.scores, np.full((2, 2), 9))


def test_images_of_mixed_sizes_are_read_pixel_by_pixel_as_the_folder_data_set_has_them(tmp_path):
    draw = np.random.default_rng(0)
    for i in range(12):
        path = tmp_path / "cells" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (40 + i, 50), np.uint8)).save(path)
    data = cache.read(folder.prepare(tmp_path / "cells", folder.FolderOptions()))
    batches = list(Reader(model(side=64, width=64), find([tmp_path / "cells"])).batches())
    np.testing.assert_array_equal(np.stack([pixels for _, pixels in batches[0]]), data.images)


def test_oblong_images_are_not_squeezed_into_another_shape(tmp_path):
    write(tmp_path / "a.png", 1, (8, 12))
    write(tmp_path / "b.png", 1, (16, 24))
    labelled = label(model(width=12), Means(), find([tmp_path]))
    assert labelled.unreadable == [(str(tmp_path / "b.png"), "16×24 px, the model reads 8×12 alone")]


def test_one_file_a_channel_is_put_together_in_the_models_order(tmp_path):
    for i in range(3):
        write(tmp_path / f"{i}_protein.tif", 10 + i)
        write(tmp_path / f"{i}_cell.tif", i)
    found = find([tmp_path], "{id}_{channel}.tif")
    assert found.channels == ("cell", "protein")
    labelled = label(model(("protein", "cell")), Means(), found)
    assert labelled.files == [str(tmp_path / f"{i}.tif") for i in range(3)]
    np.testing.assert_array_equal(labelled.scores, [[10, 0], [11, 1], [12, 2]])


def test_channels_with_names_are_told_apart_by_them(tmp_path):
    image = np.stack([np.full((8, 8), value, np.uint8) for value in (1, 2)])
    for name, channels in (("ab", ["a", "b"]), ("ba", ["b", "a"]), ("cd", ["c", "d"])):
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", image, metadata={"axes": "CYX", "Channel": {"Name": channels}})
    labelled = label(model(("a", "b")), Means(), find([tmp_path]))
    np.testing.assert_array_equal(labelled.scores, [[1, 2], [2, 1]])
    assert labelled.unreadable == [(str(tmp_path / "cd.ome.tif"), "channels c, d, the model reads a, b")]
    unnamed = label(model(("channel 1", "channel 2")), Means(), find([tmp_path]))
    np.testing.assert_array_equal(unnamed.scores, [[1, 2]] * 3)


def test_channels_that_got_other_names_in_training_are_known_by_those_of_the_files(tmp_path):
    for i in range(2):
        write(tmp_path / f"{i}_c1.tif", 10 + i)
        write(tmp_path / f"{i}_c2.tif", i)
    renamed = model(("GFP", "DAPI"), pattern="{id}_{channel}.tif", file_channels=["c2", "c1"])
    found = find([tmp_path], learnt_pattern=renamed.reading["pattern"])
    np.testing.assert_array_equal(label(renamed, Means(), found).scores, [[0, 10], [1, 11]])


def test_names_that_are_given_say_in_which_order_the_channels_are(tmp_path):
    image = np.stack([np.full((8, 8), value, np.uint8) for value in (1, 2)])
    tifffile.imwrite(tmp_path / "x.ome.tif", image, metadata={"axes": "CYX"})
    known = model(("DAPI", "GFP"))
    found = find([tmp_path])
    np.testing.assert_array_equal(label(known, Means(), found).scores, [[1, 2]])
    names = reading.check_channel_names(known, "GFP, DAPI")
    np.testing.assert_array_equal(label(known, Means(), found, names=names).scores, [[2, 1]])
    with pytest.raises(UsageError, match="--channel-names got 'GFP,actin'; the model reads DAPI, GFP: give these"):
        reading.check_channel_names(known, "GFP,actin")


def test_the_models_pattern_is_used_where_a_file_fits_it_and_only_there(tmp_path):
    write(tmp_path / "joined" / "1_c1.tif", 1)
    write(tmp_path / "joined" / "1_c2.tif", 2)
    write(tmp_path / "whole" / "7.tif", 7)
    learnt = "{id}_{channel}.tif"
    assert find([tmp_path / "joined"], learnt_pattern=learnt).channels == ("c1", "c2")
    assert find([tmp_path / "whole"], learnt_pattern=learnt).channels == ()
    assert list(find([tmp_path / "joined"], "none", learnt).files) == [
        str(tmp_path / "joined" / f"1_c{k}.tif") for k in (1, 2)
    ]
    with pytest.raises(UsageError, match="pattern"):
        find([tmp_path / "whole"], "{id}.tif")


@pytest.mark.parametrize("relative", [False, True])
def test_masks_are_no_images_and_cut_the_cells_out_for_a_model_that_learnt_so(tmp_path, monkeypatch, relative):
    monkeypatch.chdir(tmp_path)
    root = tmp_path.relative_to(tmp_path) if relative else tmp_path
    for i in range(3):
        write(root / "cells" / f"{i}.png", 10 + i)
        mask = np.zeros((8, 8), np.uint8)
        mask[2:4, 1:5] = 255  # a box of 2 x 4 pixels
        Image.fromarray(mask).save(root / "cells" / f"{i}_mask.png")
    found = find([root / "cells"])
    assert list(found.files) == [str(root / "cells" / f"{i}.png") for i in range(3)]
    whole = label(model(), Means(), found)
    np.testing.assert_array_equal(whole.scores[:, 0], [10, 11, 12])
    cut = label(cut_to(8), Means(), found)
    np.testing.assert_allclose(cut.scores[:, 0], np.array([10, 11, 12]) * 8 / 64)  # the rest is black


def test_cells_that_differ_in_the_outline_of_their_masks_alone_are_told_apart_by_shape(tmp_path):
    """Of the same noise, with as many pixels: round ones and long ones."""
    rng = np.random.default_rng(0)

    def cells(root: Path, kind: str, n: int) -> None:
        root.mkdir(parents=True)
        for i in range(n):
            image, mask = rng.integers(0, 99, (40, 40), dtype=np.uint8), np.zeros((40, 40), np.uint8)
            y, x = rng.integers(4, 10, 2)
            mask[y : y + 12, x : x + 12] = kind == "round"
            mask[y : y + 6, x : x + 24] |= kind == "long"
            Image.fromarray(image).save(root / f"{i}.png")
            Image.fromarray(mask).save(root / f"{i}_mask.png")

    for kind in ("long", "round"):
        cells(tmp_path / "cells" / kind, kind, 10)
        cells(tmp_path / "new" / kind, kind, 3)
    prepared = folder.prepare(tmp_path / "cells", folder.FolderOptions(masks=True))
    settings = [parse_override(text) for text in ("features=shape", "C=1")]
    (job,) = make_plan(["svm-combined"], [prepared], overrides=settings)
    record, _ = execute(job, model=tmp_path / "svm.model")
    assert record.metrics["test"]["accuracy"] == 1
    learnt = models.load(tmp_path / "svm.model")
    labelled = label(learnt, models.restore(learnt, "cpu"), find([tmp_path / "new"]))
    assert [Path(name).parent.name for name in labelled.files] == ["long"] * 3 + ["round"] * 3
    assert labelled.scores.argmax(1).tolist() == [0] * 3 + [1] * 3


def test_without_its_mask_an_image_is_left_out_by_a_model_of_cells_cut_out(tmp_path):
    for i in range(2):
        write(tmp_path / f"{i}.png", 5)
        write(tmp_path / f"{i}_mask.png", 255)
    write(tmp_path / "2.png", 5)
    labelled = label(cut_to(8), Means(), find([tmp_path]))
    (left_out,) = labelled.unreadable
    assert left_out == (
        str(tmp_path / "2.png"),
        "has no mask, such as 2_mask.png beside it; the model learnt from cells cut out",
    )


def test_channels_side_by_side_are_taken_apart_for_a_model_that_learnt_so(tmp_path):
    Image.fromarray(np.repeat([[3, 9]], 8, 0).repeat(8, 1).astype(np.uint8)).save(tmp_path / "0.png")
    write(tmp_path / "1.png", 5, (8, 20))
    labelled = label(model(["DNA", "ER"], side_by_side=True), Means(), find([tmp_path]))
    np.testing.assert_array_equal(labelled.scores, [[3, 9]])
    ((name, reason),) = labelled.unreadable
    assert (Path(name).name, reason.partition(" are ")[0]) == ("1.png", "8×20 pixels with 1 channel")


def test_a_cell_larger_than_those_of_training_keeps_its_scale_and_is_told(tmp_path):
    write(tmp_path / "1.png", 9)
    write(tmp_path / "1_mask.png", 255)
    scorer = Means()
    labelled = label(cut_to(4), scorer, find([tmp_path]))
    assert scorer.batches == [(1, 1, 4, 4)]
    np.testing.assert_array_equal(labelled.scores, [[9, 9]])
    assert labelled.remarks[0].startswith("cell cut at the edges, as it is larger than the square")


def test_an_ome_zarr_is_one_image_whether_it_is_given_or_found(tmp_path):
    group = zarr.open_group(tmp_path / "cells" / "a.zarr", mode="w", zarr_format=2)
    group.create_array("0", shape=(8, 8), chunks=(8, 8), dtype="uint8")[...] = 7
    group.attrs["multiscales"] = [{"datasets": [{"path": "0"}], "axes": ["y", "x"]}]
    for given in (tmp_path / "cells", tmp_path / "cells" / "a.zarr"):
        labelled = label(model(), Means(), find([given]))
        assert labelled.files == [str(tmp_path / "cells" / "a.zarr")]
        np.testing.assert_array_equal(labelled.scores, [[7, 7]])


def test_a_layout_gives_columns_and_leaves_out_what_does_not_fit(tmp_path, monkeypatch):
    for well in ("A01", "B02"):
        write(tmp_path / "plate 1" / well / "x.png", 1)
    write(tmp_path / "other.png", 1)
    found = find([tmp_path], layout="{plate}/{well}/*.png")
    assert [dict(places) for places in found.places.values()] == [
        {"plate": "plate 1", "well": "A01"},
        {"plate": "plate 1", "well": "B02"},
    ]
    assert found.remarks == ("1 image that does not fit the layout left out",)
    monkeypatch.chdir(tmp_path)
    assert list(find([Path()], layout="{plate}/{well}/*.png").places.values()) == list(found.places.values())
    with pytest.raises(UsageError, match=r"none of 3 images fits the layout '\{a\}/\{b\}/\{c\}/\*'"):
        find([tmp_path], layout="{a}/{b}/{c}/*")
    with pytest.raises(UsageError, match=r"\{label\} would be a second column 'label'"):
        find([tmp_path], layout="{label}/*/*")
    with pytest.raises(UsageError, match="it is no layout"):
        find([tmp_path], layout="{a}/{a}/*")
