"""For each data set an answer in plain sentences: the contest of families, and where their curves cross."""

import itertools
import math
import shlex
from collections.abc import Sequence

from ...core.mixed_values import Document
from ...results.certainty import ALPHA, compare_rows, over_of
from ...results.contest import Contest, contests, same_hardware, time_ratio
from ...results.rows.ranking import best_on_val, main_figure
from ...results.rows.row import FIGURES, SCOPE, Row, grouped_by, memory_of
from ...results.rows.settings import with_settings
from ...results.rows.val_policy import main_policy
from ..answers import answer
from ..captions import data_name, labels_of, split_of
from ..tables.table import two_digits
from ..tables.views.contest import lines_of


def plain_sentences(rows: Sequence[Row], shown: Sequence[Row] = ()) -> list[Document]:
    """Return an answer for each data set, split and hardware, as plain data with its text in 'sentence'.

    It has the contest of families at the largest number of training images at which both SVMs and nets have results,
    their memory, and where the curves of SVM and net cross over all numbers of training images. shown: the rows to take
    the contest from, where there are any of the place.
    """
    found, of_place = [], {_place(group[0]): group for group in grouped_by(shown, SCOPE)}
    for group in grouped_by(rows, SCOPE):
        cross = crossing(group)
        largest = with_settings(_largest(of_place.get(_place(group[0]), group)))
        several = len({row.machine for row in largest}) > 1
        found += [_as_data(contest, answer(contest, (), several), cross) for contest in contests(largest)]
    return found


def _place(row: Row) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in SCOPE)


def _as_data(contest: Contest, said: str, cross: Document) -> Document:
    """Return a contest as plain data; said: the contest in words; cross: as `crossing` returns it.

    Where both the SVM and the net were trained enough, it also has their comparison, see `_net_minus_svm`.
    """
    svm, net = contest.of("svm"), contest.of("deep")
    first, lines = contest.rows[0], lines_of(contest, said)
    data: Document = {name: first[name] for name in ("dataset", "split", "limit", "val_limit", "machine")}
    data["device"] = " / ".join(dict.fromkeys(line["device"] for line in lines)) or first.device
    data |= {"svm": svm and svm.row.method, "net": net and net.row.method}
    data |= {"simulated": any(row.synthetic for row in contest.rows), "contest": lines, "crossing": cross}
    if svm is None or net is None or not (svm.trained and net.trained):
        return {**data, "sentence": said}
    compared = _net_minus_svm(svm.row, net.row, contest.figure)
    further = " ".join([*_memory(compared["memory_ratio"]), cross["said"]])
    return {**data, **compared, "sentence": f"{said}\n{further}"}


def _net_minus_svm(svm: Row, net: Row, main: str) -> Document:
    """Return the net's figures on test minus the SVM's, with intervals, and the ratios of training time and memory.

    main: the figure whose interval `interval_over` describes. The ratios are None on unlike hardware.
    """
    compared: Document = {}
    for figure in FIGURES:
        known = None not in (svm.metric(figure), net.metric(figure))
        found = compare_rows(svm, net, figure) if known else None
        span, gap = found.interval if found else None, f"test_{figure}_gap"
        compared[gap] = net.value(figure) - svm.value(figure) if known else None
        compared |= {f"{gap}_low": span.low if span else None, f"{gap}_high": span.high if span else None}
        if figure == main:
            compared["interval_over"] = over_of(svm, span)
    memory = [memory_of(row) for row in (svm, net)]
    ratio = memory[1] / memory[0] if same_hardware(svm, net) and memory[0] and memory[1] else None
    return {**compared, "train_seconds_ratio": time_ratio(net, svm), "memory_ratio": ratio}


def _largest(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the largest limit at which both SVMs and nets have figures; all images are the largest.

    If there is no such limit, the rows of the largest limit that any row has are returned.
    """
    groups = grouped_by(rows, ("limit", "val_limit"))
    groups.sort(key=lambda group: [-(group[0][name] or math.inf) for name in ("limit", "val_limit")])
    both = [group for group in groups if {row.family for row in group if _figure(row)} >= {"svm", "deep"}]
    return (both or groups)[0]


def _figure(row: Row) -> float | None:
    return row.metric(main_figure([row]))


def _memory(ratio: float | None) -> list[str]:
    if not ratio:
        return []
    return [f"The best net takes {ratio:,.{two_digits(ratio)}f} × the memory of the best SVM (libraries included)."]


def crossing(rows: Sequence[Row]) -> Document:
    """Return where the best net's figure passes the best SVM's as the number of training images n grows.

    Both are chosen on val at each n, with val limited in the same way for all n, see `main_policy`.
    low, high: the numbers of images between which the curves last cross. at: the n where straight lines over log n
    meet. All three are None where the curves don't cross or have fewer than two sizes. said: the same in words.
    """
    sizes = []
    usable = [row for row in rows if row.n_train and not row.undertrained]
    for group in grouped_by(main_policy(usable), ("n_train", "n_val")):
        svm, net = (best_on_val([row for row in group if row.family == family]) for family in ("svm", "deep"))
        if svm and net and None not in (_figure(svm), _figure(net)):
            sizes.append((group[0], _figure(net) - _figure(svm), svm, net))  # type: ignore[operator]
    none: Document = {"low": None, "high": None, "at": None}
    if len(sizes) < 2:
        return {
            **none,
            "said": "Too few training sizes were run to see where SVM and net swap places; measure it with: "
            f"{_command(rows[0])}",
        }
    span = f"from {labels_of(sizes[0][0])} to {labels_of(sizes[-1][0])}"
    turns = [(low, high) for low, high in itertools.pairwise(sizes) if low[1] * high[1] < 0]
    if not turns:
        ahead = "the net" if sizes[-1][1] > 0 else "the SVM"
        return {
            **none,
            "said": f"The curves of SVM and net do not cross: {ahead} is ahead at all {len(sizes)} sizes {span}.",
        }
    low, high = turns[-1]
    share = low[1] / (low[1] - high[1])
    few, many = (int(size[0]["n_train"]) for size in (low, high))
    at = round(math.exp(math.log(few) + share * math.log(many / few)))
    sure = all(_sure(svm, net) for *_, svm, net in (low, high))
    leads = "net" if high[1] > 0 else "SVM"
    doubt = "" if sure else ", though at one of these two sizes neither is shown to be better"
    often = f" for the last of {len(turns)} times" if len(turns) > 1 else ""
    span = f"between {labels_of(low[0])} and {labels_of(high[0])} (at about {at:,} training images)"
    text = f"The curves of SVM and net cross{often} {span}, above which"
    return {"low": few, "high": many, "at": at, "said": f"{text} the {leads} is ahead{doubt}."}


def _sure(svm: Row, net: Row) -> bool:
    found = compare_rows(svm, net, main_figure([svm]))
    return found is not None and found.p <= ALPHA


def _command(row: Row) -> str:
    data = "" if row.dataset == "hep2" else f" -d {shlex.quote(data_name(row))}"
    return f"cellbench run --suite label-budget{data}{split_of(row)}"
