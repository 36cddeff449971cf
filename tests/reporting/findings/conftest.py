"""What is found on one claim."""

import pytest

from cellbench import load_results
from cellbench.reporting.findings import find, findings, rows_of


@pytest.fixture
def judge(results):
    """The finding on a claim, by id or as it is, from records."""

    def of(claim, *records):
        given = load_results(results(*records))
        if isinstance(claim, str):
            (found,) = findings(given, [claim])
            return found
        return find(claim, rows_of(given))

    return of
