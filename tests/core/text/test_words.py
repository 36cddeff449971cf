import pytest

from cellbench.core.text.words import counted, file_name, percent, plural, printed_difference, signed


@pytest.mark.parametrize(
    ("n", "noun", "text"),
    [
        (0, ("run",), "0 runs"),
        (1, ("run",), "1 run"),
        (12_500, ("image",), "12,500 images"),
        (1, ("class", "classes"), "1 class"),
        (2, ("class", "classes"), "2 classes"),
    ],
)
def test_a_noun_agrees_with_its_number(n, noun, text):
    assert counted(n, *noun) == text


def test_plurals():
    nouns = ("well", "batch", "mouse", "biopsy", "assay", "series", "gas")
    assert [*map(plural, nouns)] == ["wells", "batches", "mice", "biopsies", "assays", "series", "gases"]


def test_a_share_is_written_in_per_cent():
    assert [percent(share) for share in (0.1234, 1.0)] == ["12.3 %", "100.0 %"]


def test_a_file_gets_a_name_without_special_characters():
    names = ("folder:my cells", "a/b\\c", "v1.2+x_y", "..", "")
    assert [*map(file_name, names)] == ["folder-my-cells", "a-b-c", "v1.2+x_y", "unnamed", "unnamed"]


def test_a_difference_has_a_sign():
    assert [signed(value) for value in (11.54, -7.66, 0.0, -0.04)] == ["+11.5", "−7.7", "+0.0", "+0.0"]


def test_a_difference_is_that_of_the_printed_figures():
    assert printed_difference(0.9434, 0.8296) == 0.113  # 94.3 − 83.0, where the figures differ by 11.38
    assert printed_difference(0.83, 0.83) == 0
