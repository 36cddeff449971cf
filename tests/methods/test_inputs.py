"""What methods do with their inputs: what they cannot learn from is refused in one line, images stay as they are."""

from dataclasses import replace

import numpy as np
import pytest

from cellbench.core.data import Samples
from cellbench.core.errors import DataError
from cellbench.core.records.runs import RunLog
from cellbench.datasets.toy import rings
from cellbench.methods import methods
from cellbench.methods.best_candidate import Candidate, best_candidate
from cellbench.methods.conformance import quick_settings
from cellbench.methods.inputs import square_side

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 1, 16, 16), np.uint8)
ONE_CLASS = Samples(IMAGES, np.ones(6, np.int64), ("a", "b"))


@pytest.mark.parametrize("name", ["svm-hog", "svm-combined", "boosting", "forest", "floor-intensity"])
def test_one_class_to_learn_from_is_refused(name):
    entry = methods[name]
    method = entry.factory(entry.defaults, 0, "cpu")
    with pytest.raises(DataError, match="all 6 training images are of class 'b'; this method needs two"):
        method.fit(ONE_CLASS, ONE_CLASS, RunLog())


def test_nets_need_square_images():
    assert square_side(ONE_CLASS) == 16
    with pytest.raises(DataError, match="images are 16×12; nets need square ones: set size"):
        square_side(Samples(IMAGES[..., :12], ONE_CLASS.labels, ONE_CLASS.classes))


def test_of_equals_the_first_candidate_is_taken_and_all_are_in_the_history():
    val = Samples(IMAGES[:2], np.array([0, 1]), ("a", "b"))
    right, wrong = np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32)[::-1]
    tried = [Candidate({"C": C, "gamma": "scale"}, str(C), s) for C, s in ((1, wrong), (2, right), (3, right))]
    log = RunLog()
    figure, winner = best_candidate(tried, val, log)
    assert (figure, winner.model) == (1.0, "2")
    assert log.history == [{"C": C, "val_macro_f1": f} for C, f in ((1, 0.0), (2, 1.0), (3, 1.0))]


@pytest.mark.parametrize("name", ["cnn", "probe-linear", "svm-deep", "svm-combined", "floor-untrained", "forest"])
def test_images_of_real_numbers_are_as_they_were_after_training_and_scoring(name):
    data = rings(size=32)
    parts = {}
    for part in ("train", "val"):
        samples = data.part(part)
        parts[part] = replace(samples, images=samples.images.astype(np.float32))
    before = {part: samples.images.copy() for part, samples in parts.items()}
    method = methods[name].factory(quick_settings(methods[name], 1), 0, "cpu")
    method.fit(parts["train"], parts["val"], RunLog())
    first = method.predict(parts["train"].images)
    for part, samples in parts.items():
        np.testing.assert_array_equal(samples.images, before[part])
    np.testing.assert_array_equal(method.predict(parts["train"].images), first)
