"""What `cellbench run --quick` runs: a first answer within two minutes on two processor cores."""

from typing import Any

from ..core.errors import UsageError

# A floor, the two SVMs that say most for their time, and the quickest net that is worth its time.
METHODS = ("floor-intensity", "svm-combined", "svm-hog", "fastnet")
DATA = "synthetic-yeast"


def choose_quick(options: dict[str, Any]) -> None:
    """Fill in the methods among the options of `run`, and the data set where none is named.

    Raises UsageError where the options choose other runs.
    """
    chosen = {"--all": options["everything"], "--suite": options["suite_names"], "--method": options["method_names"]}
    if clash := [flag for flag, given in chosen.items() if given]:
        raise UsageError(f"--quick chooses the methods itself, and {clash[0]} was given too; leave one of them out")
    options["method_names"] = METHODS
    options["dataset_names"] = options["dataset_names"] or (DATA,)
