"""For each data set one plain sentence: the best SVM against the best net."""

import itertools
import math
import shlex
from collections.abc import Sequence
from typing import Any

from ..captions import split_of
from ..certainty import ALPHA, compare_rows
from ..pooling import by, with_settings
from ..ranking import best_on_val, main_figure
from ..table import Row, two_digits
from ..views import svm_vs_deep

PLACE = ("dataset", "fingerprint", "split")
GAPS = ("test_accuracy_gap", "test_macro_f1_gap")


def plain_sentences(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A sentence for each data set, split and hardware: gap with its interval, ratios of time and memory, crossing.

    Gap and ratios are of the most training images that both kinds have; the crossing is of all numbers of images.
    """
    told = []
    for group in by(rows, PLACE):
        cross = crossing(group)
        for duel in svm_vs_deep(with_settings(_largest(group))).rows:
            whole = duel["svm"] is not None and duel["net"] is not None
            told.append(
                {
                    **{name: duel[name] for name in ("dataset", "split", "limit", "device", "machine", "svm", "net")},
                    **{f"{gap}{end}": duel[f"{gap}{end}"] for gap in GAPS for end in ("", "_low", "_high")},
                    **{name: duel[name] for name in ("train_seconds_ratio", "memory_ratio")},
                    "interval_over": duel["interval_over"],
                    "simulated": duel["synthetic"],
                    "crossing": cross,
                    "sentence": " ".join([duel["sentence"], *_memory(duel), cross["said"]])
                    if whole
                    else duel["sentence"],
                }
            )
    return told


def _largest(rows: Sequence[Row]) -> list[Row]:
    """Rows of the largest limit, none being the largest, at which both families have figures; of all rows' largest."""
    limits = sorted({row["limit"] for row in rows}, key=lambda n: -(n or math.inf))
    groups = [[row for row in rows if row["limit"] == n] for n in limits]
    both = [group for group in groups if {row["family"] for row in group if _figure(row)} >= {"svm", "deep"}]
    return (both or groups)[0]


def _figure(row: Row) -> float | None:
    return row[f"test_{main_figure([row])}"]


def _memory(duel: Row) -> list[str]:
    ratio = duel["memory_ratio"]
    return [f"The net takes {ratio:,.{two_digits(ratio)}f} × the memory (libraries included)."] if ratio else []


def crossing(rows: Sequence[Row]) -> dict[str, Any]:
    """Where the best net's figure passes the best SVM's as training images grow; both chosen on val at each number.

    low, high: numbers of images between which it does; at: where straight lines over log n meet; None where the
    curves don't cross, or weren't measured.
    """
    duels = []
    for group in by([row for row in rows if row["n_train"]], ("n_train",)):
        svm, net = (best_on_val([row for row in group if row["family"] == family]) for family in ("svm", "deep"))
        if svm and net and None not in (_figure(svm), _figure(net)):
            duels.append((group[0]["n_train"], _figure(net) - _figure(svm), svm, net))  # type: ignore[operator]
    none: dict[str, Any] = {"low": None, "high": None, "at": None}
    if len(duels) < 2:
        return {**none, "said": f"Where the curves cross was not measured; do it with: {_command(rows[0])}"}
    span = f"from {duels[0][0]:,} to {duels[-1][0]:,} training images"
    turns = [(low, high) for low, high in itertools.pairwise(duels) if low[1] * high[1] < 0]
    if not turns:
        ahead = "the net" if duels[-1][1] > 0 else "the SVM"
        return {**none, "said": f"The curves do not cross: {ahead} is ahead at all {len(duels)} sizes {span}."}
    low, high = turns[-1]
    share = low[1] / (low[1] - high[1])
    at = round(math.exp(math.log(low[0]) + share * math.log(high[0] / low[0])))
    sure = all(_sure(svm, net) for *_, svm, net in (low, high))
    leads = "net" if high[1] > 0 else "SVM"
    doubt = "" if sure else ", though at one of these two sizes neither is shown to be better"
    often = f" for the last of {len(turns)} times" if len(turns) > 1 else ""
    said = f"The curves cross{often} between {low[0]:,} and {high[0]:,} training images (at about {at:,}), above which"
    return {"low": low[0], "high": high[0], "at": at, "said": f"{said} the {leads} is ahead{doubt}."}


def _sure(svm: Row, net: Row) -> bool:
    found = compare_rows(svm, net, main_figure([svm]))
    return found is not None and found.p <= ALPHA


def _command(row: Row) -> str:
    name = row["dataset"].removeprefix("folder:")
    data = "" if name == "hep2" else f" -d {'FOLDER' if name != row['dataset'] else shlex.quote(name)}"
    return f"cellbench run --suite label-budget{data}{split_of(row)}"
