"""Files of one channel each become images; what is missing or does not fit is refused by name."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellbench.core.errors import DataError, UsageError
from cellbench.datasets.folder import FolderOptions

from .folders import crops, load, put, refused, value, write_table


def test_files_of_one_channel_each_become_images_with_named_channels(root: Path) -> None:
    names = [f"{name}/x_{i}_{stain}.TIF" for name in "ab" for i in range(6) for stain in ("w10", "w2")]
    put(root, names, dtype=np.uint16)
    data = load(root, pattern="{id}_{channel}.tif")
    assert data.channels == ("w2", "w10")
    assert data.images.shape == (12, 2, 12, 10)
    assert data.images.dtype == np.uint16
    expected = [[value(f"{n}/x_{i}_w2.TIF"), value(f"{n}/x_{i}_w10.TIF")] for n in "ab" for i in range(6)]
    assert data.images[:, :, 0, 0].tolist() == expected
    assert data.labels.tolist() == [0] * 6 + [1] * 6


def test_channels_may_lie_in_folders_and_a_table_names_the_images(root: Path) -> None:
    put(root, [f"{stain}/{i}.png" for stain in ("DAPI", "ER") for i in range(12)])
    write_table(root / "x.csv", [["image", "class"], *([str(i), "ab"[i % 2]] for i in range(12))])
    data = load(root, pattern="{channel}/{id}.png")
    assert data.channels == ("DAPI", "ER")
    assert data.images[:, :, 0, 0].tolist() == [[value(f"DAPI/{i}.png"), value(f"ER/{i}.png")] for i in range(12)]
    assert data.labels.tolist() == [i % 2 for i in range(12)]


def test_a_missing_channel_odd_names_and_planes_that_differ_are_refused_by_name(root: Path) -> None:
    names = [f"{name}/{i}_{stain}.tif" for name in "ab" for i in range(6) for stain in ("dna", "er")]
    put(root, names)
    put(root, ["a/3_er.tif"], shape=(12, 11))
    refused(root, r"a/3\.tif \(3_er\.tif is uint8 \(1, 12, 11\), 3_dna\.tif uint8", pattern="{id}_{channel}.tif")
    (root / "a" / "3_er.tif").unlink()
    refused(root, r"image a/3\.tif has no channel 'er'; there are dna, er", pattern="{id}_{channel}.tif")
    put(root, ["b/cell.tif"])
    refused(root, r"1 of 24 images are not called '.*', the first is b/cell\.tif", pattern="{id}_{channel}.tif")
    for wrong in ("{id}.tif", "{id}_{channel}", "{id}_{channel}_{channel}.tif"):
        with pytest.raises(UsageError, match=r"give \{id\}, \{channel\} and an image's suffix"):
            FolderOptions(pattern=wrong)


def test_ome_channel_names_are_kept_and_other_ones_in_another_image_are_refused(root: Path) -> None:
    for name in crops("a", "b"):
        path = (root / name).with_suffix(".ome.tif")
        path.parent.mkdir(parents=True, exist_ok=True)
        stains = {"axes": "CYX", "Channel": {"Name": ["DAPI", "ER"]}}
        tifffile.imwrite(path, np.full((2, 12, 10), 700, np.uint16), ome=True, metadata=stains)
    assert load(root).channels == ("DAPI", "ER")
    assert load(root).images.max() == 700
    tifffile.imwrite(
        path, np.zeros((2, 12, 10), np.uint16), ome=True, metadata={**stains, "Channel": {"Name": ["ER", "DAPI"]}}
    )
    with pytest.raises(
        DataError, match=r"a/0\.ome\.tif is uint16 with 2 channels \(DAPI, ER\), b/9\.ome\.tif .*\(ER, DAPI\)"
    ):
        load(root)
