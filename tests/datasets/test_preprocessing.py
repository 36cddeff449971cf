"""Preprocessing: each step by hand, statistics from training images only."""

import tracemalloc

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from cellbench.core.errors import UsageError
from cellbench.datasets import preprocessing
from cellbench.datasets.preprocessing import (
    PERCENTILES,
    Preprocessing,
    centre_crop,
    otsu_masked,
    resize,
    three_channels,
)

NAMES = ("cell", "protein")


def images(n=6, channels=2, side=16, seed=0, dtype=np.uint8):
    return (
        np.random.default_rng(seed)
        .integers(0, np.iinfo(dtype).max, (n, channels, side, side), endpoint=True)
        .astype(dtype)
    )


def only(preprocessing, train, test=None):
    """What becomes of training images, and of test images that stand behind them in the data set."""
    index = {"train": np.arange(len(train)), **({} if test is None else {"test": len(train) + np.arange(len(test))})}
    whole = train if test is None else np.concatenate([train, test])
    return preprocessing.apply(whole, index, NAMES[: train.shape[1]])[0]


def test_images_that_need_nothing_come_as_they_are_in_the_order_of_their_part():
    made = images(side=64)
    done, _ = Preprocessing().apply(made, {"train": np.array([4, 1]), "test": np.array([0])}, NAMES)
    np.testing.assert_array_equal(done["train"], made[[4, 1]])
    np.testing.assert_array_equal(done["test"], made[:1])


@pytest.mark.parametrize("intensity", [None, "percentile", "min-max", "standardise"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_all_steps_chunk_by_chunk_are_what_they_are_on_the_whole(monkeypatch, intensity, dtype):
    made = images(n=30, channels=4, side=24, dtype=np.uint8).astype(dtype) * dtype(1 if dtype is np.uint8 else 100)
    index = {"train": np.random.default_rng(1).permutation(30)[:17], "val": np.array([3]), "test": np.arange(20, 30)}
    steps = Preprocessing(
        channels=("d", "a", "b", "c"), three_channels=True, crop=20, mask="otsu", size=9, intensity=intensity
    )
    whole = resize(otsu_masked(centre_crop(three_channels(made[:, [3, 0, 1, 2]]), 20)), 9)
    train = whole[index["train"]].astype(np.float64)
    ends = {
        None: (0, 1),
        "standardise": (train.mean((0, 2, 3)), train.mean((0, 2, 3)) + train.std((0, 2, 3))),
        "min-max": (train.min((0, 2, 3)), train.max((0, 2, 3))),
        "percentile": np.percentile(train, PERCENTILES, axis=(0, 2, 3)),
    }
    low, high = (np.reshape(end, (1, -1, 1, 1)) for end in ends[intensity])
    expected = (whole - low) / (high - low)
    expected = expected.clip(0, 1) if intensity == "percentile" else expected
    found = {}
    for chunk in (1, 5000, 2**23):
        monkeypatch.setattr(preprocessing, "CHUNK_BYTES", chunk)
        found[chunk], measured = steps.apply(made, index, ("a", "b", "c", "d"))
    for part, at in index.items():
        assert found[1][part].dtype == (dtype if intensity is None else np.float32)
        np.testing.assert_allclose(found[1][part], expected[at], rtol=1e-5, atol=1e-5)
        for chunk in found:
            np.testing.assert_array_equal(found[1][part], found[chunk][part])
        again = steps.apply_measured(made[at], ("a", "b", "c", "d"), measured)
        np.testing.assert_array_equal(again, found[1][part])


@pytest.mark.parametrize("intensity", [None, "standardise", "min-max"])
def test_a_memory_map_is_never_whole_in_memory(tmp_path, monkeypatch, intensity):
    made = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (1000, 3, 64, 64))
    made[::100] = 7
    monkeypatch.setattr(preprocessing, "CHUNK_BYTES", 2**17)
    steps = Preprocessing(size=16, intensity=intensity)
    steps.apply(made[:2], {"train": np.arange(2)}, ("r", "g", "b"))  # imports
    tracemalloc.start()
    done, _ = steps.apply(made, {"train": np.arange(900), "test": np.arange(900, 1000)}, ("r", "g", "b"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < sum(part.nbytes for part in done.values()) + 12 * 2**17 < made.nbytes / 2


def test_only_steps_that_are_done_are_on_record():
    assert Preprocessing().steps == {"size": 64}
    assert Preprocessing(size=None).steps == {}
    assert Preprocessing(channels=("cell",), mask="otsu").steps == {"channels": ("cell",), "mask": "otsu", "size": 64}


def test_channels_are_chosen_by_name_in_the_order_asked():
    made = images()
    done = only(Preprocessing(channels=("protein", "cell"), size=None), made)["train"]
    np.testing.assert_array_equal(done, made[:, ::-1])
    np.testing.assert_array_equal(only(Preprocessing(channels="protein", size=None), made)["train"], made[:, 1:])
    numbered, _ = Preprocessing(channels=(2, 1), size=None).apply(made, {"train": np.arange(6)}, ("1", "2"))
    np.testing.assert_array_equal(numbered["train"], made[:, ::-1])


def test_the_crop_is_central():
    made = images(side=20)
    np.testing.assert_array_equal(only(Preprocessing(crop=8, size=None), made)["train"], made[:, :, 6:14, 6:14])


@pytest.mark.parametrize("shape", [(78, 78), (78, 90), (90, 78)])
def test_a_crop_larger_than_the_smaller_side_is_refused_and_one_as_large_is_done(shape):
    made = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(1, 1, *shape)
    words = rf"^crop is 79 and images have {shape[0]}×{shape[1]} pixels; give at most 78, or none$"
    with pytest.raises(UsageError, match=words):
        only(Preprocessing(crop=79, size=None), made)
    top, left = (shape[0] - 78) // 2, (shape[1] - 78) // 2
    done = only(Preprocessing(crop=78, size=None), made)["train"]
    np.testing.assert_array_equal(done, made[:, :, top : top + 78, left : left + 78])


def test_resizing_keeps_the_mean_and_the_dtype():
    for dtype in (np.uint8, np.uint16):
        made = images(side=78, dtype=dtype)
        small = resize(made, 26)  # 3 × 3 pixels to one, with the antialiasing of a triangle filter
        assert small.dtype == dtype
        assert small.shape == (6, 2, 26, 26)
        assert small.mean() == pytest.approx(made.mean(), rel=0.01)
    flat = np.full((2, 1, 30, 50), 77, np.uint8)
    np.testing.assert_array_equal(resize(flat, 64), np.full((2, 1, 64, 64), 77))


def test_what_is_darker_than_otsus_threshold_is_masked():
    made = images(n=3)
    done = only(Preprocessing(mask="otsu", size=None), made)["train"]
    for before, after in zip(made, done, strict=True):
        mean = before.mean(0)
        cell = mean > threshold_otsu(mean)
        np.testing.assert_array_equal(after[:, cell], before[:, cell])
        assert not after[:, ~cell].any()


def test_one_two_three_and_four_channels_become_three():
    one, two, three, four = (images(n=2, channels=c) for c in (1, 2, 3, 4))
    np.testing.assert_array_equal(three_channels(one), np.concatenate([one] * 3, 1))
    np.testing.assert_array_equal(three_channels(two), np.concatenate([two, np.zeros_like(two[:, :1])], 1))
    assert three_channels(three) is three
    yellow = np.minimum(four[:, :2].astype(int) + four[:, 3:], 255)
    np.testing.assert_array_equal(three_channels(four), np.concatenate([yellow, four[:, 2:3]], 1))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_standardisation_uses_training_images_alone(dtype):
    train, test = images(dtype=dtype), images(seed=1, dtype=dtype) // 3
    done = only(Preprocessing(intensity="standardise", size=None), train, test=test)
    np.testing.assert_allclose(done["train"].mean((0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(done["train"].std((0, 2, 3)), 1, atol=1e-5)
    mean, deviation = (f(train.astype(float), axis=(0, 2, 3), keepdims=True) for f in (np.mean, np.std))
    np.testing.assert_allclose(done["test"], (test - mean) / deviation, atol=1e-4)


def test_min_max_and_percentiles_of_training_images_become_0_and_1():
    train, test = images(n=40), images(seed=1)
    done = only(Preprocessing(intensity="min-max", size=None), train, test=test)
    assert (done["train"].min(), done["train"].max()) == (0, 1)
    low, high = np.percentile(train[:, 0], [1, 99])
    cut = only(Preprocessing(intensity="percentile", size=None), train, test=test)["test"][:, 0]
    np.testing.assert_allclose(cut, ((test[:, 0] - low) / (high - low)).clip(0, 1), atol=1e-5)


def test_an_empty_channel_stays_empty():
    made = images()
    made[:, 1] = 0
    assert not only(Preprocessing(intensity="standardise", size=None), made)["train"][:, 1].any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 7}, "size is 7; give a whole number of pixels from 8 to 1024"),
        ({"size": True}, "size is True"),
        ({"crop": 0.5}, "crop is 0.5"),
        ({"intensity": "zscore"}, "give percentile, min-max or standardise"),
        ({"three_channels": "no"}, "give true or false"),
        ({"mask": "hand"}, "give otsu"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        Preprocessing(**settings)


def test_a_channel_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match=r"no channel is called 'protien'; did you mean 'protein'\?"):
        only(Preprocessing(channels="protien"), images())
