"""All methods on one data set, the best on test first."""

from collections.abc import Sequence

from ....results.certainty import with_certainty
from ....results.rows.ranking import main_figure, ranked
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
        *certainty_of(rows, "accuracy" if one_label(rows) else "macro-F1"),
        *deviation_of(rows, " of times"),
        *absent_of(rows),
        *hardware_of(rows),
    )
    return Table("leaderboard", title, marked(LEADERBOARD, rows), tuple(rows), notes)


LEADERBOARD = (
    Column("method", "method", label=True),
    Column("settings", "settings", label=True, when="any"),
    *LABELS,
    Column("input", "input", label=True, when="varies", spare=1),
    Column(lambda row: "yes" if row["pretrained"] else "", "pre-\ntrained", label=True, when="any"),
    ACCURACY,
    MACRO_F1,
    Column("test_micro_f1", "test\nmicro-F1", PERCENT, when="any"),
    Column("test_mean_average_precision", "test\nmAP", PERCENT, when="any"),
    Column("test_exact_match", "exact\nmatch", PERCENT, when="any", spare=3),
    Column("test_sample_averaged_f1", "sample-\naveraged F1", PERCENT, when="any", spare=2),
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
