import pandas as pd
import pytest

from cellbench import load_results
from cellbench.core.errors import UsageError
from cellbench.results.rows.conditions import rows_where


@pytest.fixture
def frame(results, record) -> pd.DataFrame:
    return load_results(
        results(
            record("svm-hog"),
            record("svm-hog", overrides={"C": 10}, limit=1000),
            record("svm-flat", overrides={"C": [1, 10]}),
            record("cnn", overrides={"epochs": 4}),
            record("cnn", device="cuda"),
        )
    ).to_frame()


@pytest.mark.parametrize(
    ("conditions", "methods"),
    [
        (["method=cnn"], ["cnn", "cnn"]),
        (["method=svm-*"], ["svm-flat", "svm-hog", "svm-hog"]),
        (["method!=svm-*"], ["cnn", "cnn"]),
        (["method=cnn", "method=svm-flat"], ["cnn", "cnn", "svm-flat"]),
        (["method=cnn", "device=cuda"], ["cnn"]),
        (["C=10"], ["svm-hog"]),
        (["C=10.0"], ["svm-hog"]),
        (["C=[1,10]"], ["svm-flat"]),
        (["epochs<16"], ["cnn"]),
        (["limit=none", "family=svm"], ["svm-flat", "svm-hog"]),
        (["limit>=1000"], ["svm-hog"]),
        (["size=64", "test_accuracy > 0.84"], ["cnn", "cnn"]),
        (["default=true", "family=deep"], ["cnn"]),
        ([], ["cnn", "cnn", "svm-flat", "svm-hog", "svm-hog"]),
    ],
)
def test_conditions_choose_by_column_or_setting(frame, conditions, methods):
    assert sorted(rows_where(frame, conditions)["method"]) == methods


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("method", "'method' is no condition; write NAME=VALUE, such as method=svm-* or limit>=1000"),
        ("metod=cnn", "results have no column or setting 'metod'; did you mean 'method'?"),
        ("C>ten", "'C>ten' compares with 'ten', which is no number; > takes a number"),
        ("device=gpu", "no result has device=gpu; device is cpu, cuda"),
        ("C=7", "no result has C=7; C is 10, [1,10,100], [1,10]"),
    ],
)
def test_a_condition_that_chooses_nothing_is_told_with_what_there_is(frame, condition, told):
    with pytest.raises(UsageError) as error:
        rows_where(frame, [condition])
    assert str(error.value) == told


def test_a_text_of_digits_is_compared_as_text():
    frame = pd.DataFrame({"class": ["1", "01", "2"], "n": [1, 1, 2], "preprocessing": "{}", "params": "{}"})
    assert rows_where(frame, ["class=1"])["class"].tolist() == ["1"]
    assert rows_where(frame, ["class=01"])["class"].tolist() == ["01"]
    assert rows_where(frame, ["n=1.0"])["class"].tolist() == ["1", "01"]
