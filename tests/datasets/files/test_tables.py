"""Tables are read as they are saved, and what is ambiguous in one is refused."""

import pytest

from cellbench.core.errors import DataError
from cellbench.datasets.files.tables import read_table


def test_a_name_that_two_columns_have_is_refused_with_the_file() -> None:
    with pytest.raises(DataError, match=r"labels\.csv has several columns called 'label'; give each its own name"):
        read_table(b"file,label,label\na.png,x,y\n", "labels.csv")


def test_columns_without_a_name_may_be_several() -> None:
    assert read_table(b"file,label,,\na.png,x,,\n", "labels.csv").column("label") == ["x"]
