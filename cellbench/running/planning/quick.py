"""What `--quick` runs: a first answer within two minutes on two processor cores."""

import dataclasses

from ...core.errors import UsageError
from .options import RunOptions

# A floor, the two SVMs that say most for their time, and the quickest net that is worth its time.
METHODS = ("floor-intensity", "svm-combined", "svm-hog", "fastnet")
DATA = "synthetic-yeast"


def choose_quick(options: RunOptions) -> RunOptions:
    """Return the options with the methods of `--quick`, and with its data set if none is named.

    Raises UsageError if the options choose methods or suites as well.
    """
    chosen = {"--all": options.all, "--suite": options.suites, "--method": options.methods}
    if clash := [flag for flag, given in chosen.items() if given]:
        raise UsageError(f"--quick chooses the methods itself, and {clash[0]} was given too; leave one of them out")
    return dataclasses.replace(options, methods=METHODS, datasets=options.datasets or (DATA,))
