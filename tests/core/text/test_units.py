"""What groups of images are called in sentences."""

import pytest

from cellbench.core.text.units import plural, unit_of


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


def test_plurals():
    nouns = ("well", "batch", "mouse", "biopsy", "assay", "series", "gas")
    assert [*map(plural, nouns)] == ["wells", "batches", "mice", "biopsies", "assays", "series", "gases"]
