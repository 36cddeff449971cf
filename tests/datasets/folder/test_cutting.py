"""Cells are cut out by their masks: to the mask's box, on black, all to one scale."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from .folders import load, refused


def put_cells(root: Path, style: str) -> dict[str, np.ndarray]:
    """Write images of noise with masks; return the squares that are expected, by name."""
    rng, expected = np.random.default_rng(0), {}
    for kind, size in (("a", 6), ("b", 10)):
        for i in range(5):
            image = rng.integers(1, 255, (20, 24), dtype=np.uint8)
            mask = np.zeros((20, 24), np.uint8)
            mask[5 : 5 + size, 8 : 8 + size] = {"0 and 255": 255, "0 and 1": 1}.get(style, 7)
            square = np.zeros((10, 10), np.uint8)
            start = (10 - size) // 2
            square[start : start + size, start : start + size] = image[5 : 5 + size, 8 : 8 + size]
            expected[f"{kind}/{i}.png"] = square
            if style == "labels":  # a neighbour
                mask[0:3, 0:24] = 2
            if style == "colours":  # no black background, as of cervical smears
                mask = np.where(mask[..., None] > 0, np.array([0, 0, 255]), np.array([200, 10, 10])).astype(np.uint8)
            (root / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(root / kind / f"{i}.png")
            Image.fromarray(mask).save(root / kind / f"{i}_mask.png")
    return expected


@pytest.mark.parametrize("style", ["0 and 255", "0 and 1", "labels", "colours"])
def test_a_cell_is_cut_out_to_its_box_on_black_without_changing_its_scale(root: Path, style: str) -> None:
    expected = put_cells(root, style)
    data = load(root, masks=True)
    assert data.ids is not None
    assert data.ids.tolist() == list(expected)
    np.testing.assert_array_equal(data.images[:, 0], list(expected.values()))
    assert data.info.notes[0].startswith("10 masks: cells cut out by their masks, such as a/0_mask.png")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_what_is_black_is_outside_the_cell_even_where_the_cell_itself_is_black(root: Path, dtype: type) -> None:
    """So that the shape of the cell is that of its mask."""
    rng = np.random.default_rng(0)
    for kind in "ab":
        for i in range(5):
            (root / kind).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(root / kind / f"{i}.tif", rng.integers(0, 2, (20, 24)).astype(dtype))
            mask = np.zeros((20, 24), np.uint8)
            mask[3:11, 5:13] = 255
            Image.fromarray(mask).save(root / kind / f"{i}_mask.png")
    images = load(root, masks=True).images
    assert images.shape == (10, 1, 8, 8)
    assert (images > 0).all()
    assert images.min() == (np.finfo(np.float32).tiny if dtype is np.float32 else 1)


def test_an_image_without_a_mask_and_a_mask_without_a_cell_are_refused(root: Path) -> None:
    put_cells(root, "0 and 1")
    Image.fromarray(np.zeros((20, 24), np.uint8)).save(root / "b" / "2_mask.png")
    refused(root, r"b/2\.png \(its mask 2_mask\.png is empty\)", masks=True)
    Image.fromarray(np.ones((9, 9), np.uint8)).save(root / "b" / "2_mask.png")
    refused(root, r"b/2\.png \(its mask 2_mask\.png is \(9, 9\) pixels, the image \(20, 24\)\)", masks=True)
    (root / "b" / "2_mask.png").unlink()
    refused(root, r"1 of 10 images have no mask, the first is b/2\.png", masks=True)
