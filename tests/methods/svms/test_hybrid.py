"""A net's penultimate layer as features: what is handed over, what is kept, what a kept net costs."""

import itertools

import numpy as np
import pytest
import torch

from cellbench.core.errors import UsageError
from cellbench.core.machine.contention import Spent
from cellbench.core.records.runs import RunLog
from cellbench.datasets.toy import rings
from cellbench.deep.classifier import NetClassifier
from cellbench.deep.precision import Precision
from cellbench.methods import methods
from cellbench.methods.svms.hybrid import DeepFeatureSettings, DeepFeatureSVM, penultimate

QUICK = DeepFeatureSettings(net="cnn", epochs=3, batch=16, lr=0.02)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path))
    return tmp_path / "nets"


def fitted(settings=QUICK, seed=0, n=60):
    data, log = rings(n=n), RunLog()
    method = DeepFeatureSVM(settings, seed, "cpu")
    method.fit(data.part("train"), data.part("val"), log)
    return method, log, method.predict(data.part("test").images)


def test_the_penultimate_layer_is_what_the_last_one_is_given():
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    model = NetClassifier(net, torch.zeros(1), torch.ones(1), 1.0, Precision(None, "cpu"), "cpu")
    images = torch.rand(7, 1, 2, 2)
    with torch.no_grad():
        expected = net[1](images.flatten(1)).relu()
    torch.testing.assert_close(penultimate(model, images), expected)
    assert not net[3]._forward_pre_hooks


def test_a_net_trained_before_is_taken_again_and_counted_again(cache, monkeypatch):
    seconds = itertools.count()
    monkeypatch.setattr(Spent, "now", lambda: Spent(next(seconds), 0, 0))
    first, log, scores = fitted()
    assert (first.chosen["net_from_cache"], len(list(cache.iterdir()))) == (False, 1)
    monkeypatch.setattr("cellbench.deep.training.loop.train", lambda *_: pytest.fail("trained again"))
    second, again, same = fitted()
    assert second.chosen == {**first.chosen, "net_from_cache": True}
    assert np.array_equal(same, scores)
    kept = torch.load(next(cache.iterdir()), weights_only=True)
    for phase in ("warmup", "fit", "transfer"):
        assert 0 < kept["seconds"][phase] <= min(log.seconds[phase], again.seconds[phase])
    assert again.spent == log.spent  # what others had then is counted as well
    assert set(again.seconds) == set(log.seconds)


@pytest.mark.parametrize("change", [{"settings": DeepFeatureSettings(net="cnn", epochs=2)}, {"seed": 1}, {"n": 63}])
def test_another_recipe_seed_or_data_set_trains_a_net_of_its_own(cache, change):
    fitted()
    method, _, _ = fitted(**change)
    assert not method.chosen["net_from_cache"]
    assert len(list(cache.iterdir())) == 2


def test_a_kept_net_that_was_cut_short_is_trained_again(cache):
    _, _, scores = fitted()
    kept = next(cache.iterdir())
    kept.write_bytes(kept.read_bytes()[:1000])
    again, _, same = fitted()
    assert (again.chosen["net_from_cache"], len(list(cache.iterdir()))) == (False, 1)
    assert np.array_equal(same, scores)
    assert fitted()[0].chosen["net_from_cache"]


@pytest.mark.parametrize("content", [b"", b"abc", b"hello\n", bytes(range(256))])
def test_a_kept_net_that_was_overwritten_is_trained_again(content, cache):
    _, _, scores = fitted()
    kept = next(cache.iterdir())
    kept.write_bytes(content)
    again, _, same = fitted()
    assert not again.chosen["net_from_cache"]
    assert np.array_equal(same, scores)
    assert fitted()[0].chosen["net_from_cache"]


@pytest.mark.parametrize("other", [{}, [1, 2], 7, {"state": 7}], ids=str)
def test_a_file_of_something_else_in_place_of_a_kept_net_is_trained_again(other, cache):
    fitted()
    torch.save(other, next(cache.iterdir()))
    assert not fitted()[0].chosen["net_from_cache"]


def test_another_number_of_threads_trains_a_net_of_its_own_as_its_cost_is_another(cache):
    fitted()
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        assert not fitted()[0].chosen["net_from_cache"]
    finally:
        torch.set_num_threads(threads)


def test_without_a_cache_nothing_is_taken(cache):
    fitted()
    method, _, _ = fitted(DeepFeatureSettings(net="cnn", epochs=3, batch=16, lr=0.02, cached=False))
    assert not method.chosen["net_from_cache"]


def test_it_runs_by_name_and_says_what_it_is_made_of():
    data = rings(n=60)
    method = methods["svm-deep"].factory(QUICK, 0, "cpu")
    method.fit(data.part("train"), data.part("val"), RunLog())
    assert method.backend.startswith("torch ")
    assert method.backend.endswith(", torch")
    assert {"C", "gamma", "epoch"} <= set(method.chosen)
    assert method.parameters > 1000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"net": "resnet81"}, "no net is called 'resnet81'.*resnet18"),
        ({"epochs": -1}, "epochs is -1"),
        ({"mosaic": 2}, "mosaic is 2; give a number from 0 to 1"),
        ({"C": -1}, "C is -1"),
        ({"cached": "yes"}, "give true or false"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        DeepFeatureSettings(**settings)


def test_without_epochs_the_features_are_those_of_the_weights_as_they_come():
    method, log, _ = fitted(DeepFeatureSettings(net="cnn", epochs=0, cached=False))
    assert not any("epoch" in row for row in log.history)
    torch.manual_seed(0)
    fresh = methods["cnn"].factory.args[0].build(1, 3, 32).state_dict()
    learnt = method._machine._features.args[0].net.state_dict()
    assert all(torch.equal(learnt[name], value) for name, value in fresh.items())
