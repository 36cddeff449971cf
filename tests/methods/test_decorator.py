"""What @method makes of functions and classes."""

from typing import Annotated

import numpy as np
import pytest

from cellbench.core.errors import UsageError
from cellbench.core.records.runs import RunLog
from cellbench.core.settings import described, replace, setting
from cellbench.methods import method, methods


@pytest.fixture(autouse=True)
def _own_methods(monkeypatch):
    """What a test registers is gone after it."""
    monkeypatch.setattr(methods, "_added", dict(methods._entries))


def fitted(name, toy, seed=0, **settings):
    entry, log = methods[name], RunLog()
    made = entry.factory(replace(entry.defaults, **settings), seed, "cpu")
    made.fit(toy.part("train"), toy.part("val"), log)
    return made, log


def test_keyword_only_parameters_are_settings_with_their_bounds_and_meaning():
    @method("toy", "a toy", family="classic")
    def toy(train, val, log, *, k: Annotated[int, setting("neighbours that vote", ge=1)] = 5, even: bool = False, seed):
        return len

    k, even = described(methods["toy"].defaults)
    assert (k.name, k.default, k.meaning, k.may_be) == ("k", 5, "neighbours that vote", "a whole number, at least 1")
    assert (even.name, even.default, even.may_be) == ("even", False, "true or false")
    with pytest.raises(UsageError, match="k is 0; give a whole number, at least 1"):
        replace(methods["toy"].defaults, k=0)
    with pytest.raises(UsageError, match="unknown setting 'kk'; did you mean 'k'"):
        replace(methods["toy"].defaults, kk=3)


def test_a_function_gets_its_settings_and_the_seed_and_its_time_is_that_of_fitting(toy):
    seen = []

    @method("toy", "a toy", family="classic", backend="numpy")
    def learn(train, val, log, *, k: int = 5, seed: int, device: str):
        with log.phase("features"):
            seen.append((len(train), len(val), k, seed, device))
        log.chose(k=k)
        return lambda images: images.reshape(len(images), -1)[:, :3]

    made, log = fitted("toy", toy, seed=4, k=7)
    assert seen == [(len(toy.split.train), len(toy.split.val), 7, 4, "cpu")]
    assert (made.backend, made.chosen) == ("numpy", {"k": 7})
    assert log.seconds["features"] > 0
    assert log.seconds["fit"] > 0
    scores = made.predict(toy.part("test").images)
    assert (scores.shape, scores.dtype) == ((len(toy.split.test), 3), np.float32)


def test_a_phase_of_its_own_called_fit_is_the_time_of_fitting(toy):
    @method("toy", "a toy", family="classic")
    def learn(train, val, log):
        with log.phase("fit"):
            pass
        return len

    _, log = fitted("toy", toy)
    assert log.seconds["fit"] < 0.01


def test_a_class_is_made_with_its_settings(toy):
    @method("toy", "a toy", family="classic")
    class Toy:
        backend, chosen, parameters = "numpy", {}, None

        def __init__(self, *, k: int = 5, seed: int) -> None:
            self.chosen = {"k": k, "seed": seed}

        def fit(self, train, val, log):
            with log.phase("fit"):
                pass

    made, _ = fitted("toy", toy, seed=2, k=3)
    assert made.chosen == {"k": 3, "seed": 2}


def test_what_is_returned_must_score_images(toy):
    @method("toy", "a toy", family="classic")
    def learn(train, val, log):
        return 3

    with pytest.raises(UsageError, match="learn returned int; return a function of images"):
        fitted("toy", toy)


def test_a_setting_without_type_or_default_is_refused():
    with pytest.raises(UsageError, match="setting 'k' of method 'toy' has no type; write it like k: int = 5"):

        @method("toy", "a toy", family="classic")
        def untyped(train, val, log, *, k=5):
            return len

    with pytest.raises(UsageError, match="setting 'k' of method 'toy' has no default"):

        @method("toy", "a toy", family="classic")
        def required(train, val, log, *, k: int):
            return len


def test_a_name_is_taken_once():
    with pytest.raises(UsageError, match="method 'svm-hog' is registered twice; choose another name"):

        @method("svm-hog", "another", family="svm")
        def another(train, val, log):
            return len


@pytest.mark.parametrize(
    ("settings", "code", "reason"),
    [
        (5, "lambda train, val, log: None", "has settings=5; give an object of a class of"),
        (None, "lambda train, val, log, *, settings: None", "has a parameter 'settings' and no defaults for it"),
        (methods["svm-hog"].defaults, "lambda train, val, log, *, settings, k=5: None", "takes 'settings' and k; make"),
    ],
)
def test_what_its_settings_are_must_be_clear(settings, code, reason):
    with pytest.raises(UsageError, match=reason):
        method("unclear", "", family="svm", settings=settings)(eval(code))
    assert "unclear" not in methods
