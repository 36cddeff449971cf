"""All methods on one data set, the best on test first."""

from collections.abc import Sequence

from ....core.scoring.metrics import METRICS
from ....results.certainty import with_certainty
from ....results.rows.ranking import main_figure, main_title, ranked
from ....results.rows.row import Row, one_label
from ...captions import (
    LABELS,
    absent_of,
    content_of,
    counts_of,
    deviation_of,
    hardware_of,
    marked,
    seeds_of,
    title_of,
)
from ...standing import certainty_of
from ..table import BYTES, COUNT, IMAGE_TIME, PARAMETERS, PERCENT, SECONDS, Column, Table
from .efficiency import ACCURACY, MACRO_F1


def leaderboard(rows: Sequence[Row]) -> Table:
    """Return a table of all methods on one data set, the best on test first, rows without figures last."""
    rows = with_certainty(ranked(rows), main_figure(rows))
    title = f"{title_of(rows)}, {content_of(rows)}\n{counts_of(rows)}"
    notes = (
        *certainty_of(rows, main_title(rows)),
        *deviation_of(rows, " of times"),
        *absent_of(rows),
        *hardware_of(rows),
    )
    return Table("leaderboard", title, marked(LEADERBOARD, rows), tuple(rows), notes)


# Of metrics of several labels: the heading, and when it is left out of a table that is too wide; see `Column.spare`.
HEADINGS = {
    "micro_f1": ("test\nmicro-F1", 0),
    "mean_average_precision": ("test\nmAP", 0),
    "exact_match": ("exact\nmatch", 3),
    "sample_averaged_f1": ("sample-\naveraged F1", 2),
}


def _columns_of_several_labels() -> list[Column]:
    """Return a column for each metric of images with several labels; those without a short heading come last."""
    several = [one for one in METRICS if one.labels == "several"]
    others = {one.name: (f"test\n{one.title}", 3) for one in several if one.name not in HEADINGS}
    return [
        Column(f"test_{name}", heading, PERCENT, when="any", spare=spare)
        for name, (heading, spare) in {**HEADINGS, **others}.items()
    ]


LEADERBOARD = (
    Column("method", "method", label=True),
    Column("settings", "settings", label=True, when="any"),
    *LABELS,
    Column("input", "input", label=True, when="varies", spare=1),
    Column(lambda row: "yes" if row["pretrained"] else "", "pre-\ntrained", label=True, when="any"),
    ACCURACY,
    MACRO_F1,
    *_columns_of_several_labels(),
    Column("val_accuracy", "val\naccuracy", PERCENT, when=one_label, spare=4),
    Column(
        lambda row: row["val_macro_f1"] if row["several_labels"] else None,
        "val\nmacro-F1",
        PERCENT,
        when="any",
        spare=4,
    ),
    Column("train_seconds", "training", SECONDS, spread=True),
    Column("tuning_seconds", "tuning", SECONDS, when="any"),
    Column("tuning_trials", "trials", COUNT, when="any", spare=5),
    Column("warmup_seconds", "warm-up", SECONDS, spare=8),
    Column("predict_ms_per_image", "predict", IMAGE_TIME, spare=5),
    Column("parameters", "params", PARAMETERS, spare=7),
    Column("host_memory", "memory", BYTES, spare=6),
    Column("device_memory", "GPU mem.", BYTES, when="any", spare=6),
    Column(seeds_of, "seeds", label=True),
)
