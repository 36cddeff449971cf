"""One pass over the images keeps the numbers that numpy gives on all of them."""

import numpy as np
import pytest

from cellbench.datasets.audit import counts, pixels

from .made import dataset, textures


def test_an_area_mean_weighs_pixels_by_what_it_covers_of_them():
    assert pixels.shrunk(np.array([[3.0, 6.0, 9.0]] * 3), 2) == pytest.approx(np.array([[4, 8], [4, 8]]))
    coarse = np.random.default_rng(0).random((4, 12, 12))
    assert pixels.shrunk(coarse.repeat(5, 1).repeat(5, 2), 12) == pytest.approx(coarse, abs=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_one_pass_in_small_chunks_gives_what_numpy_gives_on_all_pixels(monkeypatch, dtype):
    monkeypatch.setattr(pixels, "CHUNK", 3 * 2 * 24 * 24)
    images = (textures(40, channels=2).astype(dtype) * (12 if dtype == "uint16" else 1)).clip(0, 4095)
    found = pixels.scan(dataset(images))
    assert found.means == pytest.approx(images.mean((2, 3)), rel=1e-5)
    assert found.deviation == pytest.approx(images.astype(float).std((2, 3)).mean(1), rel=1e-4)
    assert found.thumbs[7] == pytest.approx(images[7].mean(0).reshape(12, 2, 12, 2).mean((1, 3)), rel=1e-5)
    assert len(set(found.digests)) == 40
    for k, level in enumerate(found.levels):
        plane = images[:, k].ravel()
        assert [level[name] for name in ("min", "median", "max")] == [plane.min(), np.median(plane), plane.max()]
        for name, percent in (("p1", 1), ("p99", 99)):
            assert level[name] == pytest.approx(np.percentile(plane, percent, method="inverted_cdf"), abs=1)


def test_saturation_is_told_from_the_bits_that_a_camera_uses():
    images = np.full((30, 1, 16, 16), 700, np.uint16)
    images[:, 0, :2, :8] = 4095
    images[:, 0, 15, :4] = 0
    data = dataset(images)
    level = pixels.scan(data).levels[0]
    assert (level["saturated"], level["zero"]) == (16 / 256, 4 / 256)
    assert counts.facts(data, [level])["bits"] == 12
