"""What is said after a name that nobody knows."""

import pytest

from cellbench.core.errors import did_you_mean


@pytest.mark.parametrize(
    ("name", "known", "clause"),
    [
        ("c", ["C", "gamma", "coef0"], "did you mean 'C'?"),
        ("RESNET18", ["resnet18", "svm-hog"], "did you mean 'resnet18'?"),
        ("label", ["Label", "LABEL"], "did you mean 'LABEL' or 'Label'?"),
        ("epohcs", ["epochs", "lr"], "did you mean 'epochs'?"),
        ("zzz", ["lr", "C"], "known: C, lr"),
        (
            "zzz",
            [f"net{k:04}" for k in range(1300)],
            f"known: {', '.join(f'net{k:04}' for k in range(10))} and 1,290 more",
        ),
        ("zzz", [], "none are known"),
    ],
)
def test_close_names_are_offered_whatever_their_case_or_else_the_first(name, known, clause):
    assert did_you_mean(name, known) == clause
