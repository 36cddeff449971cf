"""Runs become rows: only random seeds, and draws of one split, are pooled, and what failed stays visible."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from ...core.machine.contention import BUSY
from ...core.mixed_values import Document
from ...core.records.runs import canonical_text
from ..columns import COLUMNS, REAL
from ..runs import Run
from ..statistics.bootstrap import Interval
from .places import in_places
from .row import DATA, HARDWARE, MAKE, SETTINGS, Line, Row, as_rows
from .settings import fixed_params
from .undertrained import NOT_ENOUGH, with_undertrained

ROW = (*DATA, *SETTINGS, *HARDWARE, *MAKE, "val_in_fit")
MEMORY = ("host_memory", "device_memory")
GAPS = ("accuracy", "macro_f1")  # metrics for which a row has the value on train minus that on test
BELOW_TWICE_CHANCE = "below twice chance"
Drawn = dict[tuple[Run, ...], dict[str, Interval]]  # intervals over images, by the runs of a row
OF_ONE_RUN = ("draw", "seed", "status", "reason", "undertrained", "path")


@dataclass(frozen=True, order=True)
class RunInRow:
    """How one run of a row ended; draw: that of its split.

    reason: why its status is not 'ok', or empty. undertrained: why it was not trained enough, or empty. file: path of
    its record.
    """

    draw: int
    seed: int
    status: str
    reason: str
    undertrained: str
    file: str
    run: Run = field(compare=False)


def pool(frame: pd.DataFrame, runs: Sequence[Run], drawn: Drawn) -> list[Row]:
    """Return one row for all runs with equal values in the columns ROW, whatever the draw of a split; see `in_places`.

    Its figures are means over the draws and seeds whose status is 'ok' (`others` and `shared` are the largest), and
    '<figure>_sd' is their standard deviation where there are two runs or more.

    frame: one row for each run; its index holds the run's position in `runs`. drawn: see `Row`; rows of the same runs
    share their intervals.

    Further columns. seeds, runs, files: those whose status is 'ok'. n_runs: number of all runs. status: 'ok' if any
    run is, else that of the first. remark: what went wrong, and with which seed. fixed_params: the settings that do not
    follow from the number of training images, as JSON. gap_<metric>: train minus test. undertrained: why half of the
    seeds or more were not trained enough, or what `with_undertrained` finds for the row.
    """
    frame = in_places(frame, ROW)
    places = frame.index.to_numpy()
    frame = frame.reset_index(drop=True)
    ok = frame["status"] == "ok"
    gaps = {f"gap_{name}": frame[f"train_{name}"] - frame[f"test_{name}"] for name in GAPS}
    frame = frame.assign(**_filled(frame, ok), **gaps)
    numbers = [name for name in frame if COLUMNS.get(str(name), REAL) == REAL or name in MEMORY]
    figures = [name for name in numbers if name not in OF_ONE_RUN]
    number = frame.groupby(list(ROW), dropna=False).ngroup()
    by_row = frame.loc[ok, figures].astype(float).groupby(number[ok])
    facts = frame.drop(columns=[*figures, *OF_ONE_RUN]).groupby(number).first()
    facts = facts.assign(shared=frame["shared"].groupby(number).max())
    means = by_row.mean().assign(others=_others(frame[ok], number[ok]))
    pooled = facts.join(means).join(by_row.std().add_suffix("_sd"))
    of_rows: dict[int, list[RunInRow]] = {}
    for i, at, facts_of_run in zip(number, places, as_rows(frame[list(OF_ONE_RUN)]), strict=True):
        of_rows.setdefault(i, []).append(_run_in_row(facts_of_run, runs[at]))
    rows = [row | _of_all(sorted(of_rows[i]), row) for i, row in zip(pooled.index, as_rows(pooled), strict=True)]
    return [Row(row, drawn.setdefault(row["runs"], {})) for row in with_undertrained(rows)]


def _others(frame: pd.DataFrame, number: pd.Series) -> pd.Series:
    """Return the largest share of other programs of each row's runs: one time that is too long makes the mean so.

    It is unknown if it is unknown of any run, unless another is too long anyway.
    """
    most = frame["others"].groupby(number).max()
    unknown = frame["others"].isna().groupby(number).any()
    return most.mask(unknown & ~(most > BUSY))


def _run_in_row(facts: Line, run: Run) -> RunInRow:
    reason = " ".join(facts["reason"].split())
    return RunInRow(
        int(facts["draw"]), int(facts["seed"]), facts["status"], reason, facts["undertrained"] or "", str(run.file), run
    )


def _filled(frame: pd.DataFrame, ok: pd.Series) -> dict[str, pd.Series]:
    """Return the columns for threads, hardware and backend, completed for runs that failed before they recorded them.

    Missing values are those of the successful runs on the same machine and device, for `backend` also of the same
    method.
    """
    machine = ["machine", "device"]
    alike = {"threads": machine, "processor": machine, "gpu": machine, "backend": [*machine, "method"]}
    filled = {}
    for name, keys in alike.items():
        known = frame[name].mask(frame[name].isna() | (frame[name] == ""))
        of_others = known.where(ok).groupby([frame[key] for key in keys]).transform("first")
        filled[name] = known.mask(known.isna() & ~ok, of_others)
    return filled


def _of_all(of_rows: Sequence[RunInRow], row: Line) -> Document:
    trained = [one for one in of_rows if one.status == "ok"]
    bad = [one for one in of_rows if one.status != "ok"]
    short = [one for one in trained if one.undertrained]
    of_row = bool(short) and 2 * len(short) >= len(trained)
    several = len({one.draw for one in of_rows}) > 1
    which = {one: f"draw {one.draw}, seed {one.seed}" if several else f"seed {one.seed}" for one in of_rows}
    remarks = [f"{f'{which[one]} ' if trained else ''}{one.status}: {one.reason}" for one in bad]
    if not of_row:
        remarks = [*(f"{which[one]} {NOT_ENOUGH}: {one.undertrained}" for one in short), *remarks]
    accuracy, classes = row.get("test_balanced_accuracy"), row.get("n_classes")
    if accuracy is not None and classes and classes > 2 and accuracy < 2 / classes:
        remarks.insert(0, BELOW_TWICE_CHANCE)
    return {
        "seeds": sorted({one.seed for one in trained}),
        "runs": tuple(one.run for one in trained),
        "files": [one.file for one in trained],
        "n_runs": len(of_rows),
        "status": "ok" if trained else bad[0].status,
        "reason": "" if trained else bad[0].reason,
        "undertrained": _why_short(short, len(trained)) if of_row else None,
        "remark": "; ".join(dict.fromkeys(remarks)),
        "fixed_params": canonical_text(fixed_params(row)),
    }


def _why_short(short: Sequence[RunInRow], n: int) -> str:
    """Return why a row was not trained enough and, if it has several seeds, for how many of them that holds."""
    return short[0].undertrained + (f", in {len(short)} of {n} seeds" if n > 1 else "")
