"""Which images an epoch shows: copies, omissions and weighted draws, counted by hand."""

import numpy as np
import pytest
import torch

from cellbench.core.errors import UsageError
from cellbench.deep.recipe import Recipe
from cellbench.deep.training.sampling import chosen_images, epoch_order


def one_hot(labels):
    return np.eye(max(labels) + 1, dtype=bool)[labels]


def times(truth, seed=0, **settings):
    return np.bincount(chosen_images(truth, Recipe(**settings), seed), minlength=len(truth))


def test_every_image_is_shown_once_by_default():
    assert times(one_hot([0, 1, 1, 2])).tolist() == [1, 1, 1, 1]


def test_a_rare_class_is_repeated_up_to_its_share():
    truth = one_hot([0] * 90 + [1] * 8 + [2] * 2)  # shares 0.9, 0.08, 0.02; asked for 0.1: × 2, × 5
    assert times(truth, oversample=0.1).tolist() == [1] * 90 + [2] * 8 + [5] * 2
    assert times(truth, oversample=0.1, oversample_most=3).tolist() == [1] * 90 + [2] * 8 + [3] * 2


def test_classes_are_repeated_to_shares_of_their_own():
    """90 + 8 × 4 + 2 × 15 images: 32 and 30 of 152 are the nearest to a fifth that whole copies allow."""
    truth = one_hot([0] * 90 + [1] * 8 + [2] * 2)
    assert times(truth, oversample=(0, 0.2, 0.2)).tolist() == [1] * 90 + [4] * 8 + [15] * 2
    assert times(truth, oversample=(0, 0.2, 0.2), oversample_most=3).tolist() == [1] * 90 + [3] * 10
    assert times(truth, oversample=(0.1, 0, 0)).tolist() == [1] * 100
    with pytest.raises(UsageError, match="oversample has 2 shares and the images have 3 classes"):
        times(truth, oversample=(0.1, 0.2))
    with pytest.raises(UsageError, match=r"oversample has shares of 1\.1 in all; .* 1 at most"):
        times(truth, oversample=(0, 0.6, 0.5))


def test_an_image_with_several_labels_is_repeated_for_the_rarest():
    truth = np.array([[1, 0, 0]] * 16 + [[1, 1, 0]] * 2 + [[1, 0, 1]], dtype=bool)  # 22 labels: 19, 2 and 1
    assert times(truth, oversample=0.2).tolist() == [1] * 16 + [3] * 2 + [5]


def test_images_with_only_a_given_label_are_left_out_or_doubled():
    truth = np.array([[1, 0]] * 10 + [[1, 1]] * 5 + [[0, 1]] * 5, dtype=bool)
    left = times(truth, single_label="delete", single_classes=(0,), single_share=0.3)
    assert left[:10].sum() == 7
    assert left[10:].tolist() == [1] * 10
    doubled = times(truth, single_label="copy", single_classes=(0,), single_share=0.3)
    assert sorted(doubled[:10]) == [1] * 7 + [2] * 3
    assert doubled[10:].tolist() == [1] * 10


def test_which_images_are_left_out_depends_on_the_seed_alone():
    truth = one_hot([0] * 50 + [1] * 5)
    first, again, other = (times(truth, s, single_label="delete", single_classes=(0,)).tolist() for s in (0, 0, 1))
    assert first == again != other


def test_a_class_that_is_not_there_and_an_empty_training_set_are_refused():
    with pytest.raises(UsageError, match="single_classes names class 7; classes are 0 to 1"):
        times(one_hot([0, 1]), single_label="copy", single_classes=(7,))
    with pytest.raises(UsageError, match="leaves no training image"):
        times(one_hot([0, 1]), single_label="delete", single_classes=(0, 1), single_share=1)


def test_an_epoch_shows_each_image_once_in_a_new_order():
    truth, generator = torch.eye(3).repeat(20, 1), torch.Generator().manual_seed(0)
    first, second = (epoch_order(truth, Recipe(), generator) for _ in range(2))
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(60))
    assert first.tolist() != second.tolist()


def test_a_balanced_epoch_draws_every_class_equally_often():
    labels = torch.tensor([0] * 9000 + [1] * 900 + [2] * 100)
    truth = torch.nn.functional.one_hot(labels, 3).float()
    order = epoch_order(truth, Recipe(sampler="balanced"), torch.Generator().manual_seed(0))
    shares = labels[order].bincount() / len(order)
    torch.testing.assert_close(shares, torch.full((3,), 1 / 3), atol=0.02, rtol=0)  # 4 deviations of a binomial


def test_in_a_balanced_epoch_an_image_without_a_label_counts_as_one_of_the_commonest_class():
    truth = torch.cat([torch.eye(2)[[0] * 50 + [1] * 10], torch.zeros(40, 2)])
    order = epoch_order(truth.repeat(100, 1), Recipe(sampler="balanced"), torch.Generator().manual_seed(0)) % 100
    drawn = torch.stack([(order < 50).float().mean(), ((order >= 50) & (order < 60)).float().mean()])
    expected = torch.tensor([50 / 50, 10 / 10]) / (50 / 50 + 10 / 10 + 40 / 50)
    torch.testing.assert_close(drawn, expected, atol=0.02, rtol=0)
