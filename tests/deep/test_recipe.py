"""What a recipe accepts, and how it refuses the rest."""

import pytest

from cellbench.core.errors import UsageError
from cellbench.core.settings import described
from cellbench.deep.recipe import Recipe, suited


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": -1}, "epochs is -1; give a whole number, at least 0"),
        ({"epochs": 1.5}, "epochs is 1.5; give a whole number"),
        ({"batch": True}, "batch is True; give a whole number"),
        ({"lr": 0}, "lr is 0; give a number above 0"),
        ({"lr": "fast"}, "lr is 'fast'; give a number"),
        ({"factor": 1}, "factor is 1; give a number between 0 and 1"),
        ({"milestones": (0.5, 2)}, r"milestones is \(0.5, 2\); give a number from 0 to 1"),
        ({"flip": 1}, "flip is 1; give true or false"),
        ({"weights": 3}, "weights is 3; give imagenet or the path of a file"),
        ({"schedule": "onecycle"}, "schedule is 'onecycle'; did you mean 'one-cycle'"),
        ({"single_label": "delete"}, "single_classes is empty; name classes by number"),
        ({"optimiser": "adam", "momentum": 0.5}, "momentum is 0.5, and only optimiser=sgd looks at it; leave it out"),
        ({"milestones": (0.3,)}, "only schedule=step looks at it"),
        ({"head_epochs": 3}, "only freeze=head looks at it"),
        ({"dropout": 1}, "dropout is 1; give a number from 0 to 0.9999"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        Recipe(**settings)


def test_one_number_will_do_where_several_may_stand():
    assert Recipe(schedule="step", milestones=0.5).milestones == (0.5,)
    assert Recipe(single_label="copy", single_classes=[0, 25]).single_classes == (0, 25)


def test_no_value_is_the_word_none_where_that_is_a_choice():
    """The command line reads `--set freeze=none` as no value."""
    recipe = Recipe(freeze=None, class_weight=None, weights=None)
    assert (recipe.freeze, recipe.class_weight, recipe.weights) == ("none", "none", None)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("epochs", "a whole number, at least 0"),
        ("lr", "a number above 0"),
        ("milestones", "a number from 0 to 1, or several"),
        ("factor", "a number between 0 and 1"),
        ("nesterov", "true or false"),
        ("batch_norm", "true or false"),
        ("sampler", "shuffle or balanced"),
        ("weights", "imagenet or the path of a file"),
    ],
)
def test_what_a_setting_may_be_is_told_by_its_bounds_its_choices_or_its_type(name, words):
    assert {setting.name: setting.may_be for setting in described(Recipe())}[name] == words


def test_few_images_take_a_smaller_rate_and_the_last_epoch():
    found = suited(Recipe(), 100, sgd_rate=0.05)
    assert (found.batch, found.epochs, found.lr, found.choose) == (16, 250, 0.0125, "last")


def test_many_images_keep_the_nets_rate_and_the_best_epoch():
    found = suited(Recipe(), 8_701, sgd_rate=0.05)
    assert (found.batch, found.epochs, found.lr, found.choose) == (64, 20, 0.05, "best")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"lr": 0.3}, (16, 0.3, "last")),
        ({"lr": 0.05}, (16, 0.05, "last")),  # the net's own rate, but asked for
        ({"batch": 16}, (16, 0.0125, "last")),  # what is automatic too
        ({"batch": 128}, (128, 0.05, "last")),
        ({"batch": 32, "lr": 0.05}, (32, 0.05, "last")),
        ({"optimiser": "adam"}, (16, 0.001, "last")),
        ({"optimiser": "adamw", "lr": 0.05}, (16, 0.05, "last")),
        ({"choose": "best"}, (16, 0.0125, "best")),
    ],
)
def test_what_is_given_stays_and_the_rate_follows_the_batch_whoever_chose_it(given, expected):
    found = suited(Recipe(**given), 100, sgd_rate=0.05)
    assert (found.batch, found.lr, found.choose) == expected


def test_auto_is_what_nobody_gave():
    assert Recipe(lr="auto", batch="auto", epochs="auto") == Recipe()
