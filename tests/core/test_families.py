import pytest

from cellbench.core.errors import UsageError
from cellbench.core.families import FAMILIES, check_family, family_of
from cellbench.methods import methods


def test_every_method_of_ours_is_of_a_known_family():
    assert {entry.family for entry in methods.entries()} <= set(FAMILIES)


def test_every_familys_usual_method_is_one_of_its_methods():
    assert {methods[family.usual].family: name for name, family in FAMILIES.items()} == {
        name: name for name in FAMILIES
    }


@pytest.mark.parametrize(("slip", "meant"), [("svms", "svm"), ("Deep", "deep"), ("floors", "floor"), ("prob", "probe")])
def test_a_slip_in_a_familys_name_is_refused(slip, meant):
    with pytest.raises(UsageError, match=f"'mine' is of family '{slip}', which is almost '{meant}'"):
        check_family(slip, "mine")


def test_a_method_without_a_family_is_refused():
    with pytest.raises(UsageError, match="has no family; give one of svm, probe, deep"):
        check_family("", "mine")


def test_a_new_family_is_a_contender():
    check_family("bayes", "mine")
    assert family_of("bayes").contender
    assert family_of("bayes").noun == "bayes method"
    assert not family_of("floor").contender
