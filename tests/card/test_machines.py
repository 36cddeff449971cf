"""The solver of support vector machines and the features on a card, beside the same on the processor."""

import numpy as np
import pytest
import torch

from cellbench.core.errors import BackendError
from cellbench.features import hog
from cellbench.features.groups import GROUPS, values_of
from cellbench.svm import SVC, path

from ..svm.problems import draw
from .pretended import card


def decisions(device, X, y, **settings):
    model = SVC(device=device, **settings).fit(X, y)
    return model, model.decision_function(X)


@pytest.mark.parametrize("seed", [0, 1, 3, 5, 9, 11, 13])  # each kind once
def test_awkward_problems(seed):
    problem = draw(seed)
    with card():
        there, of_card = decisions("cuda", problem.X, problem.y, **problem.settings)
    here, of_processor = decisions("cpu", problem.X, problem.y, **problem.settings)
    assert np.allclose(there.dual_objective_, here.dual_objective_, rtol=1e-3, atol=1e-6)
    assert np.allclose(of_card, of_processor, atol=5e-3 * max(1, np.abs(of_processor).max()))
    assert there.gap_.max() <= max(1e-3, here.gap_.max())


def test_gram_matrices_in_blocks_several_labels_weights_and_a_path(pretended):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 6)).astype(np.float32) + 3, rng.integers(0, 3, 60)
    whole = decisions("cuda", X, y)[1]
    assert np.allclose(decisions("cuda", X, y, memory=10_000)[1], whole, atol=2e-2)
    weighted = SVC(device="cuda", class_weight="balanced").fit(X, y, sample_weight=rng.random(60))
    assert weighted.support_vectors_.shape[1] == 6
    labels = np.stack([y < 2, y == 2], 1).astype(int)
    assert SVC(device="cuda").fit(X, labels).predict(X).shape == labels.shape
    models = path(SVC(device="cuda"), torch.from_numpy(X).to("cuda"), y, [0.1, 10], ["scale", 0.5])
    assert [model.C for model in models] == [0.1, 10, 0.1, 10]


def test_a_full_card_is_told_and_how_to_go_on():
    X, y = np.random.default_rng(0).normal(size=(400, 5)), np.arange(400) % 2
    with card(memory=300_000), pytest.raises(BackendError, match="memory of the cuda ran out with 400 samples"):
        SVC(device="cuda", memory=2**30).fit(X, y)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("group", GROUPS)
def test_features(group, kind):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 200, (5, 2, 24, 20))
    images = torch.from_numpy(images.astype(kind) if kind != "float32" else images.astype(kind) / 200 - 0.2)
    with card():
        there = values_of((group,), images.to("cuda"))
        assert there.is_cuda
        fetched = there.cpu()
    assert torch.allclose(fetched, values_of((group,), images), atol=1e-6)


@pytest.mark.parametrize("channels", ["each", "strongest"])
def test_hog(channels, pretended):
    assert hog(torch.rand(4, 2, 32, 32, device="cuda"), channels=channels).is_cuda
