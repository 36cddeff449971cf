"""Nets as methods."""

import numpy as np
import pytest
from torch import nn

from cellbench.core.errors import UsageError
from cellbench.core.records.runs import RunLog
from cellbench.deep.nets import NETS, find
from cellbench.methods import methods
from cellbench.methods.deep import register_net
from cellbench.methods.svms.hybrid import DeepFeatureSettings


@pytest.fixture
def tiny(monkeypatch):
    """A net that is registered for one test."""
    monkeypatch.setattr(methods, "_added", dict(methods._entries))

    @register_net("tiny", "one linear layer on pixels", min_size=4, sgd_rate=0.01, least_epochs=2, cost=1)
    def build(channels: int, classes: int, size: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, classes))

    yield "tiny"
    del NETS["tiny"]


def test_a_net_that_is_registered_in_one_place_is_a_method_and_known_wherever_a_net_is_named(tiny, toy):
    entry = methods[tiny]
    assert (entry.summary, entry.family, entry.min_size, entry.cost) == ("one linear layer on pixels", "deep", 4, 1)
    recipe = entry.suited(entry.defaults, 10**6)
    assert (recipe.lr, recipe.epochs) == (0.01, 2)
    method = entry.factory(recipe, 0, "cpu")
    method.fit(toy.part("train"), toy.part("val"), RunLog())
    scores = method.predict(toy.part("test").images)
    assert scores.shape == (30, 3)
    again = entry.restore(recipe, method.state(), "cpu")
    np.testing.assert_array_equal(again.predict(toy.part("test").images), scores)
    assert find(tiny).sgd_rate == 0.01
    assert DeepFeatureSettings(net=tiny).net == tiny


def test_a_name_that_is_taken_is_refused(tiny):
    with pytest.raises(UsageError, match="method 'resnet18' is registered twice"):
        register_net("resnet18", "another")(lambda channels, classes, size: nn.Flatten())
    assert NETS["resnet18"].cost == 45
