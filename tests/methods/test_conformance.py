"""Every registered method keeps the rules, whatever the number of channels and classes."""

import pytest

from cellbench.methods import methods
from cellbench.methods.conformance import (
    CHECKS,
    EPOCHS,
    FEW_EPOCHS,
    check_inputs_untouched,
    check_learns,
    check_scores,
    conformance,
    try_out,
)
from cellbench.methods.registry import MethodEntry

pytestmark = pytest.mark.long

SMALL = [name for name in methods if name in ("svm-flat", "svm-hog", "mlp", "cnn")]
# Those that --all runs, all SVMs and floors, and of the rest one small net a family; their larger relatives differ in
# numbers.
RELATIVES = ("cnn2-yeast", "resnet20", "plain20", "bninception", "forest", "boosting")
TRIED = [
    entry.name
    for entry in methods.entries()
    if entry.standard or entry.family in ("svm", "floor") or entry.name in RELATIVES
]


@pytest.fixture(scope="module", params=TRIED)
def tried(request):
    entry = methods[request.param]
    return entry, try_out(entry)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_method_keeps_the_rule(tried, check):
    check(*tried)


@pytest.mark.parametrize("name", SMALL)
def test_two_classes_and_two_channels_are_no_special_case(name):
    trial = try_out(methods[name], channels=2, classes=2)
    for check in CHECKS[:2]:
        check(methods[name], trial)


@pytest.mark.parametrize("name", TRIED)
def test_every_method_takes_several_labels_an_image(name):
    learns = name in SMALL  # deep plain nets hardly learn this in so few steps, and that is no fault
    trial = try_out(methods[name], multilabel=True, epochs=EPOCHS if learns else FEW_EPOCHS)
    check_scores(methods[name], trial)
    check_inputs_untouched(methods[name], trial)
    if learns:
        check_learns(methods[name], trial)


class Broken:
    """A method that breaks most rules."""

    backend, chosen, parameters = "", {}, None

    def fit(self, train, val, log):
        train.labels[:] = 0

    def predict(self, images):
        return images.reshape(len(images), -1)[:, :2].astype(float)


def test_a_broken_method_is_told_what_it_broke():
    entry = MethodEntry("broken", lambda *_: Broken(), "", "svm", defaults=methods["svm-hog"].defaults)
    problems = [problem for _, problem in conformance(entry) if problem]
    assert any("scores have shape (30, 2); expected (30, 3)" in problem for problem in problems)
    assert "fit changed the training labels" in problems
    assert any("no time in phase 'fit'" in problem for problem in problems)
