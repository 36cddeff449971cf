"""Every loss against a computation by hand or torch's own."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cellbench.core.errors import UsageError
from cellbench.deep.recipe import Recipe
from cellbench.deep.training.losses import class_weights, make_loss

SCORES = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.3, -0.2], [1.0, 1.0, 3.0], [-2.0, 0.1, 0.2]])
LABELS = torch.tensor([0, 1, 2, 1])
ONE_HOT = F.one_hot(LABELS, 3).float()
SEVERAL = torch.tensor([[1.0, 0, 1], [0, 0, 0], [1, 1, 0], [0, 1, 0]])


def loss(truth=ONE_HOT, multilabel=False, smoothing=None, **settings):
    function = make_loss(Recipe(**{"label_smoothing": 0.0, **settings}), truth, multilabel)
    return float(function(SCORES, truth) if smoothing is None else function(SCORES, truth, smoothing))


def test_one_label_an_image_means_cross_entropy_and_several_mean_binary():
    assert loss() == pytest.approx(float(F.cross_entropy(SCORES, LABELS)))
    expected = float(F.binary_cross_entropy_with_logits(SCORES, SEVERAL))
    assert loss(SEVERAL, multilabel=True) == pytest.approx(expected)


def test_labels_are_smoothed_as_torch_does_unless_val_is_scored():
    expected = float(F.cross_entropy(SCORES, LABELS, label_smoothing=0.1))
    assert loss(label_smoothing=0.1) == pytest.approx(expected)
    assert loss(label_smoothing=0.1, smoothing=0.0) == pytest.approx(float(F.cross_entropy(SCORES, LABELS)))


def test_the_focal_loss_is_the_binary_one_weighed_by_how_wrong_it_is():
    p = torch.sigmoid(SCORES)
    of_truth = torch.where(ONE_HOT > 0, p, 1 - p)
    expected = -((1 - of_truth) ** 2 * of_truth.log()).mean()
    assert loss(loss="focal") == pytest.approx(float(expected), rel=1e-5)
    assert loss(loss="focal", focal_gamma=0) == pytest.approx(loss(loss="bce"), rel=1e-5)


def test_smooth_l1_is_taken_of_scores_and_one_hot_labels():
    gap = (SCORES - ONE_HOT).abs().numpy()
    assert loss(loss="smooth-l1") == pytest.approx(np.where(gap < 1, gap**2 / 2, gap - 0.5).mean(), rel=1e-5)


def test_smooth_l1_of_several_labels_is_taken_of_probabilities_so_that_a_label_begins_at_a_score_of_zero():
    gap = (SCORES.sigmoid() - SEVERAL).abs().numpy()  # all below 1
    assert loss(SEVERAL, multilabel=True, loss="smooth-l1") == pytest.approx((gap**2 / 2).mean(), rel=1e-5)


def test_the_softmax_can_be_put_in_twice():
    expected = F.nll_loss(SCORES.softmax(1).log_softmax(1), LABELS)
    assert loss(loss="softmax-cross-entropy") == pytest.approx(float(expected))


def test_balanced_weights_are_scikit_learns():
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.array([0] * 6 + [1] * 3 + [2])
    truth = torch.from_numpy(np.eye(3, dtype=np.float32)[labels])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(class_weights(truth), expected, rtol=1e-6)


def test_balanced_weights_weigh_the_loss():
    weight = class_weights(ONE_HOT)
    by_image = F.cross_entropy(SCORES, LABELS, reduction="none")
    assert loss(class_weight="balanced") == pytest.approx(float((weight[LABELS] * by_image).mean()), rel=1e-5)
    by_class = F.binary_cross_entropy_with_logits(SCORES, SEVERAL, reduction="none")
    expected = float((class_weights(SEVERAL) * by_class).mean())
    assert loss(SEVERAL, multilabel=True, class_weight="balanced") == pytest.approx(expected, rel=1e-5)


def test_a_class_without_an_image_weighs_like_the_rarest():
    truth = torch.tensor([[1.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    weights = class_weights(truth)
    assert weights[2] == weights[1] > weights[0]


def test_without_any_label_all_classes_weigh_one():
    assert class_weights(torch.zeros(4, 3)).tolist() == [1, 1, 1]


@pytest.mark.parametrize("kind", ["cross-entropy", "softmax-cross-entropy"])
def test_a_loss_for_one_label_is_refused_for_several(kind):
    with pytest.raises(UsageError, match="several; use bce, focal, smooth-l1"):
        make_loss(Recipe(loss=kind), SEVERAL, multilabel=True)
