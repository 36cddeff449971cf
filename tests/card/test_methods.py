"""Every method on a card: no tensor is on the wrong device, and what it finds is what it finds on the processor."""

import io

import numpy as np
import pytest
import torch

from cellbench.core.records.runs import RunLog
from cellbench.core.settings import names, replace
from cellbench.datasets.toy import rings
from cellbench.deep.nets.table import NETS
from cellbench.methods import methods
from cellbench.methods.conformance import quick_settings

from .pretended import card

pytestmark = pytest.mark.long

ON_A_CARD = [entry.name for entry in methods.entries() if "cuda" in entry.devices]
NETS_ON_A_CARD = [name for name in ON_A_CARD if methods[name].family == "deep"]
OTHERS = [name for name in ON_A_CARD if methods[name].family != "deep"]
# A smaller net or encoder than the default; that of the default probe is tried once.
SMALL = {
    "svm-deep": {"net": "cnn", "precision": "fp32"},
    "probe-knn": {"encoder": "resnet20"},
    "probe-linear": {"encoder": "resnet20"},
}


def fitted(name, device, shape, settings):
    """The method fitted on toy images, its scores of the test images, and these images."""
    entry, data = methods[name], rings(n=36, **shape)
    chosen = replace(quick_settings(entry, epochs=1), **settings)
    if "cached" in names(chosen):
        chosen = replace(chosen, cached=False)  # nets and embeddings of the other device
    method = entry.factory(chosen, 0, device)
    method.fit(data.part("train"), data.part("val"), RunLog())
    test = data.part("test").images
    return entry, chosen, method, test, method.predict(test)


def found_in(state, name):
    """The values of this name in a mapping, however deep."""
    for key, value in state.items():
        if key == name:
            yield value
        elif isinstance(value, dict):
            yield from found_in(value, name)


def check(name, shape, **settings):
    """What the method finds on a card is what it finds on the processor, and a saved model says it on both."""
    settings = SMALL.get(name, {}) | settings
    with card():
        entry, chosen, method, test, there = fitted(name, "cuda", shape, settings)
        for value in (there, *np.ravel(getattr(method, "facts", {}).get("gap", 0.0))):
            assert np.isfinite(value).all()
        kept = dict(method.state())
        if settings.get("kernel") != "sigmoid":  # which LIBSVM solves, on the processor
            assert {vectors.device.type for vectors in found_in(kept, "vectors")} <= {"cuda"}
        file = io.BytesIO()
        torch.save(kept, file)
        for device in ("cuda", "cpu"):
            file.seek(0)
            state = torch.load(file, map_location="cpu", weights_only=True)
            assert np.allclose(entry.restore(chosen, state, device).predict(test), there, rtol=1e-3, atol=1e-3)
    *_, here = fitted(name, "cpu", shape, settings)
    # Embeddings are in bf16, and products of small maps are computed in another order on the processor.
    tolerance = 0.05 if name.startswith("probe") else 1e-4
    assert np.allclose(there, here, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", OTHERS)
def test_a_method_finds_the_same_as_on_the_processor(name):
    check(name, {"size": 32})


@pytest.mark.parametrize("name", OTHERS)
def test_with_several_labels_and_channels(name):
    encoder = {"encoder": "resnet20"} if name.startswith("probe") else {}
    check(name, {"size": 32, "channels": 2, "multilabel": True}, **encoder)


SETTINGS = [
    ("svm-hog", {"kernel": "linear"}),
    ("svm-hog", {"kernel": "poly"}),
    ("svm-hog", {"kernel": "sigmoid"}),
    ("svm-hog", {"class_weight": "balanced", "gamma": (0.001, 0.01)}),
    ("svm-combined", {"kernel": "rbf"}),
    ("svm-combined", {"kernel": "rbf", "optional": None, "gamma_factors": None}),
    ("svm-combined", {"features": ("texture", "haralick")}),
    ("probe-svm", {"encoder": "resnet20", "channel_mode": "rgb", "views": 8}),
    ("probe-svm", {"encoder": "resnet20", "layer": "stage1", "pooling": "avg+max"}),
    ("probe-knn", {"encoder": "resnet20", "pooling": "avg"}),
]


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_settings_of_features_and_machines(name, settings):
    check(name, {"size": 32, "channels": 2}, **settings)


def test_smote():
    pytest.importorskip("imblearn")
    check("svm-hog", {"size": 32}, smote=True)


@pytest.mark.parametrize("name", sorted(NETS))
def test_a_net_goes_forward_and_back(name):
    net = NETS[name]
    size = max(16, net.min_size)
    with card():
        module = net.build(channels=2, classes=3, size=size).to("cuda").train()
        images = torch.rand(2, 2, size, size, device="cuda").contiguous(memory_format=torch.channels_last)
        scores = module(images)
        torch.nn.functional.cross_entropy(scores, torch.tensor([0, 2], device="cuda")).backward()
        assert {parameter.grad.device.type for parameter in module.parameters()} == {"cuda"}
        with torch.inference_mode():
            assert module.eval()(images).device.type == "cuda"


def test_every_net_has_its_method():
    assert {name for name in NETS_ON_A_CARD if ":" not in name} <= NETS.keys()
