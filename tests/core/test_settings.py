"""The checker of settings: what it takes, what it refuses and in which words, and what lists tell."""

from typing import Annotated, Literal

import pytest

from cellbench.core.errors import UsageError
from cellbench.core.settings import (
    OneOrMore,
    OrNone,
    Positive,
    Settings,
    Several,
    Share,
    described,
    left_open,
    part,
    replace,
    setting,
)


class Toy(Settings):
    epochs: Annotated[int | None, setting("passes", ge=0, unset="auto")] = None
    momentum: Annotated[float, setting("share that is kept", ge=0, le=0.9)] = 0.9
    factor: Annotated[float, setting("what it is multiplied by", gt=0, lt=1)] = 0.1
    depth: Annotated[int, setting("layers", ge=1, lt=100)] = 3
    C: Annotated[OneOrMore[Positive], setting("price of an error")] = (1, 10)
    milestones: Annotated[Several[Share], setting("shares of training")] = ()
    optimiser: Annotated[Literal["sgd", "adam"], setting("what makes steps")] = "sgd"
    freeze: Annotated[OrNone[Literal["none", "head"]], setting("what does not learn")] = "none"
    flip: Annotated[bool, setting("mirror half")] = True
    weights: Annotated[str | None, setting("to start from", may_be="the path of a file")] = None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("epochs", "a whole number, at least 0"),
        ("momentum", "a number from 0 to 0.9"),
        ("factor", "a number between 0 and 1"),
        ("depth", "a whole number, at least 1 and below 100"),
        ("C", "a number above 0, or several"),
        ("milestones", "a number from 0 to 1, or several"),
        ("optimiser", "sgd or adam"),
        ("flip", "true or false"),
        ("weights", "the path of a file"),
    ],
)
def test_a_list_tells_what_a_setting_may_be(name, words):
    assert {one.name: one.may_be for one in described(Toy())}[name] == words


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"epochs": "auto"}, None),
        ({"C": 5}, 5),
        ({"C": [1, 2]}, (1, 2)),  # as TOML and JSON have it
        ({"milestones": 0.5}, (0.5,)),
        ({"freeze": None}, "none"),  # as the command line reads the word
        ({"momentum": 0}, 0),
    ],
)
def test_values_are_taken_in_every_form_that_people_write(given, kept):
    (name,) = given
    assert getattr(Toy(**given), name) == kept


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": True}, "epochs is True; give a whole number, at least 0, or auto"),
        ({"momentum": float("nan")}, "momentum is nan; give a number from 0 to 0.9"),
        ({"momentum": "0.5"}, "momentum is '0.5'; give a number from 0 to 0.9"),
        ({"depth": 2.0}, "depth is 2.0; give a whole number, at least 1 and below 100"),
        ({"C": ()}, "C is (); give a number above 0, or several"),
        ({"milestones": (0.5, 2)}, "milestones is (0.5, 2); give a number from 0 to 1, or several"),
        ({"optimiser": "adm"}, "optimiser is 'adm'; did you mean 'adam'?"),
        ({"optimiser": "lion"}, "optimiser is 'lion'; give sgd or adam"),
        ({"flip": 1}, "flip is 1; give true or false"),
        ({"weights": 3}, "weights is 3; give the path of a file, or none"),
        ({"epoch": 3}, "unknown setting 'epoch'; did you mean 'epochs'?"),
    ],
)
def test_what_is_wrong_is_refused_with_all_that_is_allowed(given, message):
    with pytest.raises(UsageError) as refused:
        Toy(**given)
    assert str(refused.value) == message


def test_other_values_are_checked_too():
    assert replace(Toy(flip=False), depth=4) == Toy(flip=False, depth=4)
    with pytest.raises(UsageError, match="depth is 0"):
        replace(Toy(), depth=0)


def test_a_part_has_what_both_know():
    class Smaller(Settings):
        depth: int = 1
        width: int = 2

    assert part(Smaller, Toy(depth=7)) == Smaller(depth=7)


def test_settings_left_open_are_checked_where_they_are_given():
    class Own(Settings):
        depth: int = 9

    both = left_open("Both", Own, Toy, unset="the net's")
    assert (both().depth, both().flip, both().C) == (9, None, None)
    assert both(C=5, epochs="auto", milestones=0.5, freeze=None) == both(C=5, milestones=(0.5,))
    assert {one.name: one.unset for one in described(both())}["flip"] == "the net's"
    with pytest.raises(UsageError, match="momentum is 2; give a number from 0 to"):
        both(momentum=2)
