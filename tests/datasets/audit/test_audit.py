"""Each check fires on a culprit made for it, stays quiet on clean data, and says the numbers."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellbench.core.data import Dataset, Info, Split
from cellbench.datasets import audit
from cellbench.datasets.audit import counts, duplicates, likeness, order, pixels, shortcuts
from cellbench.datasets.audit.result import CheckResult
from cellbench.datasets.audit.shortcuts import BestResult
from cellbench.datasets.display import montage
from cellbench.datasets.folder import FolderOptions
from cellbench.datasets.sources import hep2
from cellbench.datasets.toy import rings

CLASSES = ("round", "oval", "dotted")


@pytest.fixture(autouse=True)
def _small_forests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortcuts, "TREES", 20)


def textures(n: int, seed: int = 0, channels: int = 1, size: int = 24) -> np.ndarray:
    """Images (n, channels, size, size) uint8 that have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 200, (n, channels, 6, 6)).repeat(size // 6, 2).repeat(size // 6, 3)
    return (coarse + rng.normal(0, 4, coarse.shape)).clip(0, 255).astype(np.uint8)


def random_split(n: int, seed: int = 0) -> Split:
    train, val, test = np.split(np.random.default_rng(seed).permutation(n), [n * 6 // 10, n * 8 // 10])
    return Split("random", np.sort(train), np.sort(val), np.sort(test))


def block_split(n: int, size: int) -> Split:
    """Blocks of neighbours, each whole in one part."""
    block = np.arange(n) // size % 5
    return Split("blocks", *(np.flatnonzero(np.isin(block, own)) for own in ((0, 1, 2), (3,), (4,))))


def dataset(images: np.ndarray, labels: np.ndarray | None = None, split: Split | None = None, groups=None) -> Dataset:
    n = len(images)
    labels = np.arange(n) * len(CLASSES) // n if labels is None else labels  # sorted by class, as files often are
    channels = tuple(f"channel {k}" for k in range(images.shape[1]))
    return Dataset("made", images, labels.astype(np.int64), CLASSES, channels, split or random_split(n), groups)


def near(data: Dataset) -> CheckResult:
    return duplicates.near_duplicates(data, pixels.scan(data))


# --- the pass over the pixels


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


def test_facts_count_images_and_groups_by_part():
    data = dataset(textures(60), groups=np.arange(60) // 6, split=block_split(60, 12))
    facts = counts.facts(data, pixels.scan(data).levels)
    assert facts["parts"] == {"train": 36, "val": 12, "test": 12}
    assert facts["counts"]["val"] == {"round": 0, "oval": 4, "dotted": 8}
    assert facts["groups"] == {"train": 6, "val": 2, "test": 2}
    finding = counts.empty_classes(data)
    assert finding.status == "found"
    assert finding.figures["absent"] == ["dotted in train", "round in val", "round in test", "oval in test"]
    assert counts.empty_classes(dataset(textures(60))).status == "ok"


# --- duplicates and groups


def test_identical_images_in_two_parts_are_counted_and_one_pair_is_named():
    images, split = textures(60), random_split(60)
    images[split.test[[2, 5]]] = images[split.train[[7, 9]]]
    images[split.val[1]] = images[split.train[0]]
    data = dataset(images, split=split)
    finding = duplicates.exact_duplicates(data, pixels.scan(data).digests)
    assert finding.status == "found"
    assert (finding.figures["test"], finding.figures["val"]) == (2, 1)
    assert finding.figures["example"] == [split.test[2], split.train[7]]
    assert "2 of 12 test images are in train or val as well" in finding.text
    assert near(data).status == "ok"  # reported once


def test_identical_images_within_one_part_are_no_leak():
    images, split = textures(60), random_split(60)
    images[split.train[3]] = images[split.train[4]]
    data = dataset(images, split=split)
    assert duplicates.exact_duplicates(data, pixels.scan(data).digests).status == "ok"


def test_identical_images_with_different_labels_are_found_anywhere():
    images = textures(60)
    images[50] = images[3]
    images[21] = images[22]  # of one class
    data = dataset(images)
    finding = duplicates.conflicting_labels(data, pixels.scan(data).digests)
    assert finding.status == "found"
    assert finding.figures == {"images": 2, "example": [3, 50]}
    assert "image 3 is round, image 50 is dotted" in finding.text
    clean = dataset(textures(60))
    assert duplicates.conflicting_labels(clean, pixels.scan(clean).digests).status == "ok"


def test_a_picture_lies_on_its_square_in_eight_ways():
    picture = np.arange(9).reshape(3, 3)
    assert len({duplicates.turned(picture, way).tobytes() for way in range(8)}) == 8
    assert (duplicates.turned(picture, 0) == picture).all()
    assert (duplicates.turned(picture, 4) == picture[:, ::-1]).all()


@pytest.mark.parametrize("way", range(8))
def test_a_turned_brighter_noisier_copy_is_a_near_duplicate(way):
    images, split = textures(60, size=48), random_split(60)
    source, copy = split.train[7], split.test[3]
    noise = np.random.default_rng(9).normal(0, 3, (48, 48))
    images[copy, 0] = duplicates.turned(images[source, 0] * 0.8 + 20 + noise, way)
    finding = near(dataset(images, split=split))
    assert finding.status == "found"
    assert (finding.figures["test"], finding.figures["val"]) == (1, 0)
    (example,) = finding.figures["examples"]
    assert (example["image"], example["like"]) == (copy, source)
    back = duplicates.turned(images[copy, 0], example["orientation"])
    assert np.corrcoef(back.ravel(), images[source, 0].ravel())[0, 1] > 0.99


def test_images_that_share_no_more_than_a_bright_cell_in_the_middle_are_no_near_duplicates():
    y, x = np.mgrid[-1:1:48j, -1:1:48j]
    blob = 220 * np.exp(-2 * (x**2 + y**2))
    images = (0.9 * blob + 0.1 * textures(90, size=48)).astype(np.uint8)
    thumbs = pixels.scan(dataset(images)).thumbs.reshape(90, -1)
    assert np.corrcoef(thumbs).max(initial=0, where=~np.eye(90, dtype=bool)) > duplicates.ALIKE
    assert near(dataset(images)).status == "ok"


def test_flat_images_are_no_near_duplicates():
    images = textures(60)
    images[::2] = 30
    images[::4] = 31
    assert near(dataset(images)).status == "ok"


def test_of_many_images_a_fixed_sample_is_compared_and_the_page_says_so(monkeypatch):
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 500)
    finding = near(dataset(textures(60)))
    assert finding.figures["compared"] == {"val": 5, "test": 5}  # 12·36 + 12·48 = 1008 pairs
    assert finding.text.endswith("A fixed sample was compared: 5 val images and 5 test images.")


def test_groups_in_two_parts_are_counted():
    n = 60
    whole = dataset(textures(n), split=block_split(n, 4), groups=np.arange(n) // 2)
    assert counts.groups(whole).status == "ok"
    torn = replace(whole, groups=(np.arange(n) + 1) // 4)  # one of the four is in the block before
    finding = counts.groups(torn)
    assert finding.status == "found"
    assert finding.figures["groups"] == 16
    assert finding.figures["in_several_parts"] == 8  # 14 inner borders, less 6 between two blocks of train
    assert counts.groups(dataset(textures(n))).status == "skipped"


# --- order


def drift(n: int, length: int, seed: int = 0) -> np.ndarray:
    """Values (n,) that neighbours share for about `length` places."""
    rng = np.random.default_rng(seed)
    keep = np.exp(-1 / length)
    values, shocks = np.empty(n), rng.normal(size=n)
    values[0] = shocks[0]
    for i in range(1, n):
        values[i] = keep * values[i - 1] + np.sqrt(1 - keep**2) * shocks[i]
    return values


def ordered(values: np.ndarray, split: Split) -> CheckResult:
    return order.order_leakage(
        dataset(np.zeros((len(values), 1, 8, 8), np.uint8), split=split), {"mean brightness": values}
    )


def test_a_slow_drift_under_a_random_split_is_order_leakage():
    finding = ordered(drift(600, 20), random_split(600))
    assert finding.status == "found"
    assert finding.figures["p"] == finding.figures["p_across"] == 0.001
    assert finding.figures["cut"] == pytest.approx(1 - (0.36 + 0.04 + 0.04), abs=0.06)
    assert finding.figures["cut_by_random_split"] == pytest.approx(0.56, abs=0.01)
    assert 5 <= finding.figures["reach"] <= 60
    assert "the split cuts between them" in finding.text


def test_the_same_in_shuffled_order_is_not():
    values = drift(600, 20).reshape(3, 200)
    shuffled = np.random.default_rng(1).permuted(values, axis=1).ravel()
    finding = ordered(shuffled, random_split(600))
    assert finding.status == "ok"
    assert finding.figures["p"] > 0.05
    assert "no more alike than random images" in finding.text


def test_a_split_by_blocks_keeps_neighbours_together_and_is_no_leak():
    finding = ordered(drift(1500, 20), block_split(1500, 100))
    assert finding.status == "ok"
    assert finding.figures["p"] == 0.001
    assert finding.figures["cut"] < 0.1 * finding.figures["cut_by_random_split"]
    assert "the split keeps them together" in finding.text


def test_small_wells_that_lie_whole_in_a_part_are_no_leak_though_the_split_cuts_often():
    wells = np.arange(600) // 4
    values = np.random.default_rng(0).normal(size=150)[wells]
    finding = ordered(values, block_split(600, 4))
    assert finding.figures["cut"] > 0.1 * finding.figures["cut_by_random_split"]
    assert finding.status == "ok"
    assert "not those that the split separates" in finding.text
    assert ordered(values, random_split(600)).status == "found"


def test_likeness_that_reaches_the_next_image_alone_is_told_of_one_image():
    values = np.random.default_rng(0).normal(size=300)[np.arange(600) // 2]
    finding = ordered(values, random_split(600))
    assert finding.figures["reach"] == 1
    assert "up to 1 image apart" in finding.text


def test_drift_in_one_class_only_is_found_and_named():
    values = np.random.default_rng(0).normal(size=600)
    values[200:400] += 3 * drift(200, 15)
    finding = ordered(values, random_split(600))
    assert finding.status == "found"
    assert [name for name, own in finding.figures["by_class"].items() if own["alike"]] == ["oval"]


def test_correlations_by_lag_are_pearsons():
    values = drift(300, 10)
    curve = likeness.lag_curve(values, np.arange(300))
    assert list(curve) == ["1", "2", "5", "10", "20", "50", "100", "200"]
    for lag, found in curve.items():
        assert found == pytest.approx(np.corrcoef(values[: -int(lag)], values[int(lag) :])[0, 1], abs=6e-5)


def test_autocorrelation_is_the_sum_of_products_over_the_variance():
    values = drift(50, 5)
    centred = values - values.mean()
    by_hand = [centred[: 50 - lag] @ centred[lag:] / (centred @ centred) for lag in range(50)]
    assert likeness.autocorrelation(values) == pytest.approx(np.array(by_hand))
    assert (likeness.autocorrelation(np.ones(9)) == 0).all()


def test_the_likeness_reaches_the_last_lag_above_bartletts_bound():
    curve = np.zeros(400)
    curve[:5] = (1, 0.8, 0.5, 0.3, 0.15)
    error = [np.sqrt((1 + 2 * squares) / 400) for squares in (0, 0.64, 0.89, 0.98)]  # at lags 1 to 4
    assert [value > 2.326 * bound for value, bound in zip(curve[1:5], error, strict=True)] == [True, True, True, False]
    assert likeness.reach([curve]) == 3
    assert likeness.reach([curve] * 4) == 4  # more classes, a surer mean
    assert likeness.reach([np.r_[1, np.zeros(399)]]) == 0


def test_values_that_stretches_of_60_share_reach_no_further():
    """Wells of 60 images: the correlation falls in a straight line to 0 at lag 60."""
    reaches = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=50).repeat(60) + 0.5 * rng.normal(size=3000)
        reaches.append(likeness.reach([likeness.autocorrelation(values)]))
    assert 25 <= np.median(reaches) <= 60


def test_the_permutation_test_keeps_its_promise_on_data_without_any_order():
    """p is at most 0.05 in about 5 % of 600 data sets of 3 classes and 5 features; hardly any is flagged."""
    rng = np.random.default_rng(1)
    n, split = 120, random_split(120)
    blank = dataset(np.zeros((n, 1, 8, 8), np.uint8), split=split)
    ps, flagged = [], 0
    for _ in range(600):
        values = rng.normal(size=(5, n)) ** 3  # with heavy tails
        finding = order.order_leakage(blank, {str(k): row for k, row in enumerate(values)}, permutations=199)
        ps.append(finding.figures["p"])
        flagged += finding.status == "found"
    assert 0.03 <= np.mean(np.array(ps) <= 0.05) <= 0.08
    assert flagged <= 12


def test_too_few_images_of_every_class_say_nothing_of_their_order():
    assert ordered(drift(60, 20), random_split(60)).status == "skipped"


def test_long_runs_are_read_in_stretches(monkeypatch):
    monkeypatch.setattr(order, "LONGEST_RUN", 100)
    run = order._shortened(np.arange(1000))
    assert len(run) == 100
    assert (run[0], run[-1]) == (0, 999)
    assert (np.diff(run) == 1).sum() == 90


# --- shortcuts


def by_check(data: Dataset, best: BestResult | None = None, sizes: np.ndarray | None = None) -> dict:
    return {finding.check: finding for finding in shortcuts.all_shortcuts(data, pixels.scan(data), sizes, best)}


def test_a_border_that_depends_on_the_class_is_a_shortcut():
    images, labels = textures(200), np.arange(200) % 3
    clean = by_check(dataset(images, labels))
    assert clean["border"].status == clean["mean-intensity"].status == "ok"
    assert clean["border"].figures["chance"] == pytest.approx(1 / 3)
    assert clean["border"].figures["value"] < 0.5
    images = images.copy()
    images[:, 0, :, -1] = (60 + 20 * labels)[:, None]
    found = by_check(dataset(images, labels))
    assert found["border"].status == "found"
    assert found["border"].figures["value"] > 0.9
    assert found["border"].figures["n"] == 40
    assert found["mean-intensity"].status == "ok"


def test_brightness_that_depends_on_the_class_is_a_shortcut():
    labels = np.arange(200) % 3
    images = (textures(200) * (0.4 + 0.3 * labels[:, None, None, None])).astype(np.uint8)
    found = by_check(dataset(images, labels))["mean-intensity"]
    assert found.status == "found"
    assert found.figures["value"] > 0.9
    assert found.figures["limit"] == pytest.approx(2 / 3)


def test_without_a_test_image_that_has_a_label_shortcuts_are_skipped():
    labels = np.eye(3, dtype=bool)[np.arange(200) % 3]
    data = dataset(textures(200))
    labels[data.split.test] = False
    found = by_check(replace(data, labels=labels))
    assert found["border"].status == found["mean-intensity"].status == "skipped"


def test_beside_results_a_shortcut_is_measured_by_the_best_method():
    labels = np.arange(200) % 3
    images = (textures(200) * (1 - 0.08 * labels[:, None, None, None])).astype(np.uint8)
    plain = by_check(dataset(images, labels))["mean-intensity"]
    assert plain.status == "ok"
    best = BestResult("resnet18", plain.figures["value"] + 0.02)
    found = by_check(dataset(images, labels), best)["mean-intensity"]
    assert found.status == "found"
    assert found.figures["limit"] == pytest.approx(1 / 3 + 0.8 * (best.value - 1 / 3))
    assert "resnet18, the best method, at" in found.text


@pytest.mark.parametrize(
    ("value", "limit", "chance", "found"),
    [
        (0.1 + 0.2, 0.3, 0.1, True),
        (0.3, 0.1 + 0.2, 0.1, True),  # in floats 0.3 < 0.1 + 0.2
        (0.58304, 0.58331, 0.1, True),  # both are printed as 58.3 %
        (0.5824, 0.5826, 0.1, False),  # 58.2 % and 58.3 %
        (0.5831, 0.5822, 0.1, True),
        (1 / 3, 1 / 3, 1 / 3, False),  # the best method is at chance, and so is this
        (0.4, 0.3, 1 / 3, True),
    ],
)
def test_a_value_at_its_threshold_as_printed_is_found_but_never_one_at_chance(value, limit, chance, found):
    assert shortcuts.reached(value, limit, chance) is found


def test_sizes_that_tell_the_class_are_a_shortcut_and_equal_ones_are_skipped():
    data = dataset(textures(120), np.arange(120) % 3)
    sizes = np.stack([30 + 5 * data.labels, 40 + np.arange(120) % 7], 1)
    assert by_check(data, sizes=sizes)["image-size"].figures["value"] == 1
    assert by_check(data)["image-size"].text == "Image size: all images are 24×24 px."
    resized = replace(data, info=Info(notes=("images of 3 sizes resized to 24×24",)))
    assert "not known" in by_check(resized)["image-size"].text


def test_a_label_that_no_training_image_has_is_scored_like_any_other():
    labels = np.random.default_rng(0).random((200, 3)) < 0.5
    data = dataset(textures(200))
    labels[data.split.train, 2] = False
    found = by_check(replace(data, labels=labels))["border"].figures
    assert found["chance"] == pytest.approx(labels[data.split.test].mean())
    assert found["value"] == pytest.approx(0.5, abs=0.15)


def test_sizes_on_disk_pair_up_with_the_prepared_images(tmp_path: Path):
    for k, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.new("L", (20 + i, 30 + k)).save(tmp_path / name / f"{i}.png")
    sizes = counts.original_sizes(tmp_path, FolderOptions(), 6)
    assert sizes is not None
    assert sizes.tolist() == [[30, 20], [30, 21], [30, 22], [31, 20], [31, 21], [31, 22]]
    assert counts.original_sizes(tmp_path, FolderOptions(), 5) is None


# --- all together


def test_several_labels_an_image_go_through_every_check():
    rng = np.random.default_rng(0)
    labels = rng.random((200, 3)) < 0.4
    images = textures(200)
    images[:, 0, 0] = np.where(labels[:, :1], 20, 200)
    data = replace(dataset(images), labels=labels)
    found = {result.check: result for result in audit.audit(data).checks}
    border, prevalence = found["border"].figures, labels[data.split.test].mean(0)
    assert border["measure"] == "mean_average_precision"
    assert border["chance"] == pytest.approx(prevalence.mean())
    given_away = (1 + prevalence[1] + prevalence[2]) / 3  # the other two classes are guessed
    assert border["value"] == pytest.approx(given_away, abs=0.1)
    assert found["order"].status == "ok"
    assert [found[name].status for name in ("exact-duplicates", "near-duplicates", "conflicting-labels")] == ["ok"] * 3
    assert labels[montage.example_images(data, 1)["test"], 1].all()


def test_the_toy_rings_leak_nothing():
    found = audit.audit(rings(n=150))
    assert {result.section for result in found.problems} == {"shortcuts"}  # a wider ring has more bright pixels


@pytest.mark.real
def test_order_leakage_is_flagged_on_the_official_hep2_split_and_not_in_shuffled_order(real_data: Path, tmp_path: Path):
    data = hep2.build(tmp_path, real_data / "hep2_i3a.tar")
    start = time.perf_counter()
    features = order.order_features(pixels.scan(data))
    finding = order.order_leakage(data, features)
    assert finding.status == "found"
    assert 100 <= finding.figures["reach"] <= 200
    own = {name: row["mean brightness by lag"] for name, row in finding.figures["by_class"].items()}
    published = {"Centromere": (0.80, 0.75, 0.62, 0.49, 0.21), "Golgi": (0.80, 0.75, 0.46, 0.12, -0.47)}
    for name, values in published.items():
        assert [own[name][lag] for lag in ("1", "10", "50", "100", "200")] == pytest.approx(values, abs=0.011)
    mixed = np.random.default_rng(0).permutation(len(data))
    shuffled = replace(data, labels=data.labels[mixed], split=_moved(data.split, mixed))
    assert order.order_leakage(shuffled, {name: values[mixed] for name, values in features.items()}).status == "ok"
    assert time.perf_counter() - start < 20


def _moved(split: Split, order: np.ndarray) -> Split:
    """The same split of images that stand in another order."""
    place = np.argsort(order)
    return Split(split.name, *(np.sort(place[split[part]]) for part in ("train", "val", "test")))
