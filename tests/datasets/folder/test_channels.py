"""Files of one channel each become images; what is missing or does not fit is refused by name."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from cellbench.core.errors import DataError, UsageError
from cellbench.datasets.folder import FolderOptions
from cellbench.datasets.folder.ome_files import _pattern_of

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
        DataError,
        match=r"a/0\.ome\.tif is uint16 with 2 channels \(DAPI, ER\) \(19 of 20\), b/9\.ome\.tif .*\(ER, DAPI\)",
    ):
        load(root)


def put_ome_channel(path: Path, number: int, files: list[str], plane: NDArray) -> None:
    """Write one of the files of an OME-TIFF with channels DAPI and GFP, each of which names both."""
    ids = [f"urn:uuid:00000000-0000-0000-0000-{abs(hash((path.parent, file))) % 10**12:012}" for file in files]
    planes = "".join(
        f'<TiffData FirstC="{c}" IFD="0" PlaneCount="1"><UUID FileName="{file}">{ids[c]}</UUID></TiffData>'
        for c, file in enumerate(files)
    )
    description = (
        f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{ids[number]}"><Image ID="Image:0">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="{plane.shape[1]}" SizeY="{plane.shape[0]}" '
        'SizeC="2" SizeZ="1" SizeT="1"><Channel ID="Channel:0:0" Name="DAPI"/><Channel ID="Channel:0:1" Name="GFP"/>'
        f"{planes}</Pixels></Image></OME>"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, plane, description=description, metadata=None, photometric="minisblack")


def test_an_ome_tiff_with_one_file_a_channel_is_one_image(root: Path) -> None:
    for name in "ab":
        for i in range(5):
            files = [f"cell{i}_C{c}.ome.tif" for c in range(2)]
            for c, file in enumerate(files):
                put_ome_channel(root / name / file, c, files, np.full((12, 10), 100 * c + i, np.uint16))
    for options in ({}, {"pattern": "{id}_C{channel}.ome.tif"}):
        data = load(root, **options)
        assert data.channels == ("DAPI", "GFP")
        assert data.images[:, :, 0, 0].tolist() == [[i, 100 + i] for i in range(5)] * 2
        assert any("read with --pattern '{id}_C{channel}.ome.tif'" in note for note in data.info.notes) != bool(options)


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (("cell1_C0.ome.tif", "cell1_C1.ome.tif"), "{id}_C{channel}.ome.tif"),
        (("a_b_DAPI.ome.tiff", "a_b_GFP.ome.tiff"), "{id}_{channel}.ome.tiff"),
        (("DAPI_1.tif", "GFP_1.tif"), "{channel}_{id}.tif"),
        (("a_1_2.tif", "b_1_3.tif"), ""),
        (("DAPI.tif", "GFP.tif"), ""),
    ],
)
def test_the_pattern_is_what_differs_between_the_files_of_one_image(names: tuple[str, ...], pattern: str) -> None:
    assert _pattern_of(names) == pattern


def test_a_pattern_for_files_of_several_channels_is_refused_in_those_words(root: Path) -> None:
    for name in (f"{k}/{i}_{c}.tif" for k in "ab" for i in range(5) for c in "xy"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(root / name, np.zeros((12, 10, 3), np.uint8), photometric="rgb")
    refused(root, r"0_x\.tif holds 3 channels; with a pattern one grey plane", pattern="{id}_{channel}.tif")
