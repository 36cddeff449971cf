"""Runs that had less than their source: fewer steps, epochs or images."""

import pytest

from cellbench.reporting.findings import show

from .scored import YEAST, claim_with, first_right, scored


def test_fewer_steps_than_the_source_had_settle_nothing_and_the_full_command_is_given(judge):
    """The paper has 64,000 steps: of 6,400 images in batches of 64, 640 epochs; 60 of them are 6,000 steps."""
    kind = {"params": {"epochs": 60, "batch": 64}, "n": 6400}
    records = [
        scored(method, first_right(30), train=value + seed / 100, seed=seed, dataset="hep2", **kind)
        for method, value in (("plain18", 0.95), ("plain34", 0.60))
        for seed in range(3)
    ]
    found = judge("plain-nets-degrade", *records)
    assert found.verdict == "inconclusive"
    assert [one.verdict for one in found.rulings] == ["inconclusive"]
    assert found.summary.startswith("inconclusive, shortened (plain18: 60 epochs, 6,000 steps; plain34: 60 epochs")
    assert "; the source has 64,000 steps) on hep2" in found.summary
    assert found.commands == ("cellbench run --suite depth -m 'plain*' --set epochs=640",)


def test_each_method_is_held_to_the_epochs_that_its_source_gave_it(judge):
    """The yeast study trained its CNNs for 9 epochs and its VGG for 6: 8 are enough for one of them."""
    vgg = {"lr": 0.005, "momentum": 0.9, "batch": 100, "epochs": 8, "schedule": "constant"}
    cnn = {"lr": 0.01, "momentum": 0.5, "batch": 64, "epochs": 8, "schedule": "constant"}
    records = [scored("cnn", first_right(40), named="vgg-yeast", params=vgg, dataset=YEAST)]
    records.append(scored("cnn", first_right(20), named="cnn2-yeast", params=cnn, dataset=YEAST, n=6400))
    claim = claim_with("vgg-above-simple-cnn-as-run", a=("method=vgg-yeast",), b=("method=cnn2-yeast",))
    found = judge(claim, *records)
    assert found.verdict == "inconclusive"
    assert found.summary.startswith("inconclusive, shortened (cnn2-yeast: 8 epochs, 800 steps; the source has 9 ep")
    records[1] = scored("cnn", first_right(20), named="cnn2-yeast", params={**cnn, "epochs": 9}, dataset=YEAST)
    assert judge(claim, *records).verdict == "supported"


def test_fewer_images_than_the_source_had_settle_nothing_unless_the_claim_is_about_them(judge):
    theirs = {"lr": 0.01, "momentum": 0.5, "batch": 64, "epochs": 9, "schedule": "constant"}
    svm = scored("svm-flat", first_right(30), named="svm-yeast", dataset=YEAST, limit=500)
    cnn = scored("cnn", first_right(10), named="cnn2-yeast", params=theirs, dataset=YEAST, limit=500, n=500)
    found = judge("svm-above-simple-cnn-as-run", svm, cnn)
    assert found.verdict == "inconclusive"
    assert found.summary.startswith(
        "inconclusive, shortened (svm-yeast: 500 images; cnn2-yeast: 9 epochs, 63 steps on 500 images; "
        "the source has 9 epochs on 65,000 images)"
    )
    assert judge("svm-good-with-little-data", svm, cnn).verdict == "supported"


def test_as_the_authors_ran_it_takes_their_methods_and_recipes_alone(judge):
    theirs = {"lr": 0.01, "momentum": 0.5, "batch": 64, "epochs": 9, "schedule": "constant"}
    own = scored("cnn", first_right(20), named="cnn2-yeast", params=theirs)
    other = scored("cnn", first_right(10), named="cnn2-yeast", params={**theirs, "lr": 0.1})
    better = scored("cnn", first_right(40))
    found = judge(
        "svm-above-simple-cnn-as-run", scored("svm-flat", first_right(30), named="svm-yeast"), own, other, better
    )
    (ruling,) = found.rulings
    assert (found.verdict, ruling.trial.difference) == ("supported", pytest.approx(0.25))
    assert "SVM is more accurate than a simple CNN (as the authors ran it)." in show.as_text([found], [])


def test_no_verdict_rests_on_a_net_that_was_not_trained_enough_and_it_is_said(judge):
    claim = claim_with("svm-above-simple-cnn")
    short = {"undertrained": "12 steps, where the default is 1,500"}
    found = judge(claim, scored("svm-hog", first_right(60, 100)), scored("cnn", first_right(80, 100), facts=short))
    assert found.rulings == ()
    assert found.verdict == "not tested"
    assert found.summary == "not tested; not counted, as not trained enough: cnn"
