"""How raw pixels become a net's input, and where they are kept until then."""

import numpy as np
import pytest
import torch

from cellbench.deep import classifier
from cellbench.deep.classifier import make_classifier
from cellbench.deep.normalisation import channel_statistics
from cellbench.deep.recipe import Recipe
from cellbench.deep.training.batches import _fetched_ahead, batches


def test_images_are_normalised_by_train_statistics_by_channel():
    images = torch.randint(0, 255, (700, 2, 5, 5), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    images[:, 1] = 7
    mean, deviation = channel_statistics(images)
    torch.testing.assert_close(mean[0, 0, 0, 0].double(), images[:, 0].double().mean())
    torch.testing.assert_close(deviation[0, 0, 0, 0].double(), images[:, 0].double().std(correction=0))
    assert (mean[0, 1, 0, 0], deviation[0, 1, 0, 0]) == (7, 1)


def read(images, kind):
    return make_classifier(torch.nn.Flatten(), images, Recipe(normalise=kind, precision="fp32"), "cpu").normalise(
        images
    )


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_half_brings_every_kind_of_pixel_to_minus_one_and_one(dtype):
    full = {"uint8": 255, "uint16": 65535, "float32": 0.25}[dtype]
    images = torch.from_numpy((np.array([0, 0.5, 1]) * full).astype(dtype).reshape(3, 1, 1, 1))
    np.testing.assert_allclose(read(images, "half").flatten(), [-1, 0, 1], atol=0.01)


def test_imagenets_statistics_are_torchvisions_for_three_channels_and_their_average_for_others():
    from torchvision.models import ResNet18_Weights

    images = torch.randint(0, 255, (4, 3, 8, 8), dtype=torch.uint8)
    theirs = ResNet18_Weights.DEFAULT.transforms()
    expected = (images / 255 - torch.tensor(theirs.mean).view(3, 1, 1)) / torch.tensor(theirs.std).view(3, 1, 1)
    torch.testing.assert_close(read(images, "imagenet"), expected)
    grey = (images[:, :1] / 255 - np.mean(theirs.mean)) / np.mean(theirs.std)
    torch.testing.assert_close(read(images[:, :1], "imagenet"), grey)


def test_black_and_white_are_what_the_darkest_and_brightest_pixel_become():
    images = torch.tensor([0, 255, 10, 30], dtype=torch.uint8).view(4, 1, 1, 1)
    net = make_classifier(torch.nn.Flatten(), images, Recipe(precision="fp32"), "cpu")
    normalised = net.normalise(images).flatten()
    torch.testing.assert_close(torch.cat([net.black.flatten(), net.white.flatten()]), normalised[:2])


def test_large_images_are_scored_in_smaller_batches_with_the_same_result(monkeypatch):
    images = torch.randint(0, 255, (9, 1, 6, 6), dtype=torch.uint8)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(36, 2))
    trained = make_classifier(net, images, Recipe(precision="fp32"), "cpu")
    at_once = trained.predict(images)
    monkeypatch.setattr(classifier, "PREDICT_PIXELS", 2 * 36)
    np.testing.assert_allclose(trained.predict(images), at_once, rtol=1e-6)


@pytest.mark.parametrize("batches_a_chunk", [1, 4, 1000])
def test_batches_that_are_fetched_ahead_are_those_that_lie_on_the_device(monkeypatch, batches_a_chunk):
    monkeypatch.setattr("cellbench.deep.training.batches.CHUNK_BYTES", batches_a_chunk * 7 * 8)
    images = torch.arange(1000).view(1000, 1, 1, 1)
    order = torch.randperm(1000, generator=torch.Generator().manual_seed(0))
    there = [batch.flatten().tolist() for batch in batches(images, order, 7, "cpu")]
    assert there == [order[i : i + 7].tolist() for i in range(0, 994, 7)]
    fetched = [batch.flatten().tolist() for batch in _fetched_ahead(images, order[:994].split(7), "cpu")]
    assert fetched == there
