"""Names of splits, the draws that they stand for, and what the groups that they keep together are called."""

import pytest

from cellbench.core.errors import UsageError
from cellbench.core.split_names import draws_in, keeps_together, named, rule_of, unit_of


@pytest.mark.parametrize(
    ("name", "rule", "draws", "back"),
    [
        ("official", "official", (0,), "official"),
        ("id-block:100@3", "id-block:100", (3,), "id-block:100@3"),
        ("id-block@0", "id-block", (0,), "id-block"),
        ("id-block@0-4", "id-block", (0, 1, 2, 3, 4), "id-block@0-4"),
        ("stratified@5,1,2,1", "stratified", (1, 2, 5), "stratified@1-2,5"),
        ("leave-one-out:donor@0", "leave-one-out:donor", (0,), "leave-one-out:donor@0"),
    ],
)
def test_a_name_stands_for_the_draws_of_a_rule(name, rule, draws, back):
    assert (rule_of(name), draws_in(name)) == (rule, draws)
    assert named(rule, draws) == back


@pytest.mark.parametrize("name", ["stratified@", "grouped@4-1", "stratified@x", "stratified@0-1000", "kfold:5/0@1,"])
def test_other_text_behind_the_at_is_refused(name):
    with pytest.raises(UsageError, match="has no draws after its @; write a whole number, 0-4 or 0,2,5"):
        draws_in(name)


def test_rules_that_keep_images_together_are_known_by_name():
    names = ("id-block:50@2", "grouped", "leave-one-out:donor@1", "kfold:5/0")
    assert [keeps_together(name) for name in names] == [True, True, True, False]


@pytest.mark.parametrize(
    ("column", "split", "noun"),
    [
        ("", "official", "group"),
        ("", "id-block:100@0-4", "block"),
        ("", "leave-one-out:donor@3", "donor"),
        ("", "leave-one-out@3", "group"),
        ("well", "id-block", "well"),
        ("Metadata_Plate", "official", "plate"),
        ("plate,well", "grouped", "well"),
        ("patient_id", "grouped", "patient"),
        ("PatientID", "grouped", "patient"),
        ("tissue_block", "grouped", "tissue block"),
        ("id", "grouped", "group"),
        ("3", "grouped", "group"),
        ("\x1b[31mred" + "x" * 40, "grouped", "group"),
    ],
)
def test_the_column_names_the_unit_and_else_the_split(column, split, noun):
    assert unit_of(column, split) == noun
