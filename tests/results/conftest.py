"""The fixtures of records that nobody made serve here too."""

from ..reporting.conftest import everything_fixture, record, results, view

__all__ = ["everything_fixture", "record", "results", "view"]
