"""The views of `cellbench table`. The file of a view is imported only when its table is made."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from .table import Table


@dataclass(frozen=True)
class View:
    """A table of the rows of one data set, split and limit.

    place: 'file:function' in the folder views; the function makes a Table of rows. summary: a line for the help.
    all_data: whether one table has the rows of all data sets, splits and limits. all_sizes: whether of all limits.
    all_splits: whether it has those of all splits. on_request: whether the view is shown only if it is named, not with
    'all'. every_run: whether it takes every run, as it compares settings or limits. own_columns: columns that its lines
    have and results do not; conditions on them are applied to its lines. says_what_is_left_out: whether the function
    also takes the rows of the same data that are not shown.
    """

    place: str
    summary: str
    all_data: bool = False
    all_sizes: bool = False
    all_splits: bool = False
    on_request: bool = False
    every_run: bool = False
    own_columns: tuple[str, ...] = ()
    says_what_is_left_out: bool = False

    @property
    def table(self) -> "Callable[..., Table]":
        file, _, function = self.place.partition(":")
        return cast("Callable[..., Table]", getattr(import_module(f".views.{file}", __package__), function))


VIEWS = {
    "leaderboard": View("leaderboard:leaderboard", "every method on each data set, the best on test first"),
    "svm-vs-deep": View(
        "contest:svm_vs_deep",
        "the best SVM, probe, net and floor, each chosen on val",
        says_what_is_left_out=True,
    ),
    "summary": View("summary:summary", "svm-vs-deep on every data set, in one table", all_data=True, on_request=True),
    "depth": View("depth:depth", "plain against residual nets by depth: degradation", says_what_is_left_out=True),
    "per-class": View(
        "per_class:per_class",
        "precision, recall and F1 of each class",
        on_request=True,
        own_columns=("class", "position", "n", "precision", "recall", "f1"),
    ),
    "efficiency": View(
        "efficiency:efficiency",
        "accuracy against time, memory and parameters",
        on_request=True,
        own_columns=("pareto", "memory"),
    ),
    "stress": View(
        "stress:stress",
        "accuracy on images as another microscope might have taken them",
        on_request=True,
        own_columns=("perturbation", "fall", "seen", "unit"),
    ),
    "calibration": View(
        "calibration:calibration",
        "are probabilities right: log loss, Brier score, calibration",
        on_request=True,
        own_columns=("nll", "brier", "calibration_error", "temperature"),
    ),
    "abstention": View(
        "abstention:abstention",
        "the surest answers, and sets that hold the right class",
        on_request=True,
        own_columns=(*("accuracy_of_all", "accuracy_of_90", "accuracy_of_75", "accuracy_of_50"), "covered", "set_size"),
    ),
    "parity": View(
        "parity:parity",
        "backends of SVMs against LIBSVM: times, decisions, optimum",
        on_request=True,
        every_run=True,
    ),
    "leave-one-out": View(
        "leave_one_out:leave_one_out",
        "the fall from a random split to groups left out in turn",
        all_splits=True,
        on_request=True,
        every_run=True,
    ),
    "scaling": View(
        "scaling:scaling",
        "fit time by number of training images, and its exponent",
        all_sizes=True,
        on_request=True,
        every_run=True,
    ),
}
