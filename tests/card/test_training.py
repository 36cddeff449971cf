"""Training on a card, under each setting of the recipe that reaches a tensor."""

import numpy as np
import pytest
import torch

from cellbench.core.records.runs import RunLog
from cellbench.core.settings import replace
from cellbench.datasets.toy import rings
from cellbench.deep.classifier import NetClassifier
from cellbench.deep.nets.table import find
from cellbench.deep.recipe import Recipe
from cellbench.deep.training import loop

from .pretended import card

BASE = {"epochs": 1, "batch": 8, "precision": "fp32", "lr": 0.01, "choose": "best"}
# For each setting, what is tried with it; settings that need another come with it.
TRIED = {
    "epochs": [{"epochs": 0}, {"epochs": 2}],
    "batch": [{"batch": 24}],
    "accumulate": [{"accumulate": 2}],
    "optimiser": [{"optimiser": "adam"}, {"optimiser": "adamw"}],
    "lr": [{"lr": 0.001}],
    "momentum": [{"momentum": 0, "nesterov": False}],
    "nesterov": [{"nesterov": False}],
    "weight_decay": [{"weight_decay": 0}],
    "decay_all": [{"decay_all": True}],
    "clip_norm": [{"clip_norm": 1}, {"clip_norm": 1, "precision": "fp16"}],
    "clip_value": [{"clip_value": 0.1}],
    "schedule": [{"schedule": name} for name in ("cosine", "step", "constant")],
    "rise": [{"rise": 0.1}],
    "milestones": [{"schedule": "step", "milestones": (0.2,)}],
    "factor": [{"schedule": "plateau", "factor": 0.5, "epochs": 2}],
    "patience": [{"schedule": "plateau", "patience": 0, "epochs": 2}],
    "loss": [{"loss": name} for name in ("bce", "focal", "smooth-l1", "softmax-cross-entropy")],
    "label_smoothing": [{"label_smoothing": 0}],
    "focal_gamma": [{"loss": "focal", "focal_gamma": 1}],
    "class_weight": [{"class_weight": "balanced"}, {"class_weight": "balanced", "loss": "bce"}],
    "sampler": [{"sampler": "balanced"}],
    "oversample": [{"oversample": 0.4}],
    "oversample_most": [{"oversample": 0.4, "oversample_most": 2}],
    "single_label": [{"single_label": "copy", "single_classes": (0,)}],
    "single_classes": [{"single_label": "delete", "single_classes": (0, 1)}],
    "single_share": [{"single_label": "copy", "single_classes": (0,), "single_share": 1}],
    "rotate": [{"rotate": 0}],
    "flip": [{"flip": False}, {"rotate": 0, "scale": 0, "shift": 0}],
    "flip_vertical": [{"flip_vertical": True}],
    "scale": [{"scale": 0.3}],
    "shift": [{"shift": 0.2}],
    "shear": [{"shear": 10}],
    "aspect": [{"aspect": 0.2}],
    "random_crop": [{"random_crop": 2}],
    "resized_crop": [{"resized_crop": 0.5}],
    "fill": [{"fill": "zero"}],
    "gain": [{"gain": 0}],
    "offset": [{"offset": 0.2}],
    "gamma": [{"gamma": 0.2}],
    "hue": [{"hue": 0.2}],
    "saturation": [{"saturation": 0.5}],
    "blur": [{"blur": 1}],
    "noise": [{"noise": 0.1}],
    "mixup": [{"mixup": 0.4}],
    "cutmix": [{"cutmix": 1}],
    "mosaic": [{"mosaic": 1}, {"mosaic": 0.5, "mixup": 0.4, "cutmix": 1}],
    "normalise": [{"normalise": "half"}, {"normalise": "imagenet"}],
    "freeze": [{"freeze": "head", "epochs": 2}, {"freeze": "convolutions"}],
    "head_epochs": [{"freeze": "head", "head_epochs": 2, "epochs": 2}],
    "backbone_lr": [{"backbone_lr": 0.1}],
    "choose": [{"choose": "last"}],
    "early_stopping": [{"early_stopping": 1, "epochs": 3}],
    "precision": [{"precision": "auto"}, {"precision": "bf16"}, {"precision": "fp16"}],
}
# What the net is built of or starts from is settled before anything is on a device; torch.compile is out of reach.
ELSEWHERE = {"activation", "dropout", "batch_norm", "stem", "weights", "compile"}


def trained(device, settings, log=None, multilabel=False, net="cnn"):
    data = rings(n=48, size=16, channels=3, multilabel=multilabel)
    torch.manual_seed(0)
    module = find(net).build(channels=3, classes=3, size=16)
    recipe = replace(Recipe(), **{**BASE, **settings})
    classifier = loop.train(module, recipe, data.part("train"), data.part("val"), 0, device, log or RunLog())
    return classifier, classifier.predict(data.part("test").images)


def test_every_setting_is_tried_or_settled_elsewhere():
    assert TRIED.keys() | ELSEWHERE == Recipe.model_fields.keys()
    assert not TRIED.keys() & ELSEWHERE


@pytest.mark.parametrize(
    "settings",
    [pytest.param(one, id=f"{name}-{at}") for name, several in TRIED.items() for at, one in enumerate(several)],
)
def test_a_setting_of_the_recipe(settings, pretended):
    log = RunLog()
    classifier, scores = trained("cuda", settings, log)
    assert np.isfinite(scores).all()
    assert {parameter.device.type for parameter in classifier.net.parameters()} == {"cuda"}
    assert all(np.isfinite(value) for row in log.history for value in row.values())


@pytest.mark.parametrize("loss", ["auto", "focal", "smooth-l1"])
def test_several_labels_an_image(loss, pretended):
    _, scores = trained("cuda", {"loss": loss, "class_weight": "balanced", "cutmix": 1}, multilabel=True)
    assert np.isfinite(scores).all()


def test_the_card_learns_what_the_processor_learns():
    settings = {"epochs": 2, "optimiser": "adam"}
    with card():
        _, there = trained("cuda", settings, net="mlp")
    _, here = trained("cpu", settings, net="mlp")
    assert np.allclose(there, here, atol=1e-4)


def test_images_that_do_not_fit_are_sent_ahead_of_use(monkeypatch):
    whole: list[np.ndarray] = []
    for memory in (2**30, 30_000):  # 18,432 bytes of training images are more than half of the second
        with card() as made, monkeypatch.context() as patch:
            patch.setattr(torch.cuda, "mem_get_info", lambda memory=memory: (memory, memory))
            _, scores = trained("cuda", {}, net="mlp")
            whole.append(scores)
            assert made.peak > 0
    assert np.array_equal(*whole)


def test_training_goes_on_from_a_checkpoint(tmp_path, pretended):
    class EndedError(Exception):
        """Stands for the end of the process."""

    def end_after_one(kind, facts):
        if facts.get("epoch") == 1:
            raise EndedError

    settings = {"epochs": 3, "precision": "fp16", "clip_norm": 1}
    _, whole = trained("cuda", settings)
    for listener in (end_after_one, lambda kind, facts: None):
        log = RunLog(listener, tmp_path / "checkpoint")
        if listener is end_after_one:
            with pytest.raises(EndedError):
                trained("cuda", settings, log)
        else:
            _, resumed = trained("cuda", settings, log)
    assert log.seconds["fit"] > 0
    assert len(log.history) == 3
    assert np.allclose(resumed, whole, atol=1e-5)


def test_a_trained_net_is_restored_on_either_device(pretended):
    classifier, scores = trained("cuda", {})
    for device in ("cuda", "cpu"):
        net = find("cnn").build(channels=3, classes=3, size=16)
        again = NetClassifier.of_state(net, classifier.state(), replace(Recipe(), **BASE), device)
        assert np.allclose(again.predict(rings(n=48, size=16, channels=3).part("test").images), scores, atol=1e-4)
