"""Runs become rows: only random seeds are pooled, and what failed stays visible."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..core.runs import canonical_text
from ..core.words import counted
from .frame import COLUMNS, REAL
from .row_settings import fixed_params, with_settings
from .rows import DATA, HARDWARE, MAKE, SETTINGS, Row, as_rows, by
from .undertrained import NOT_ENOUGH, with_undertrained

ROW = (*DATA, *SETTINGS, *HARDWARE, *MAKE, "val_in_fit")
LEFT_OUT = "left_out"  # the key of a frame's attrs for rows that `select` does not show, see OF_LEFT_OUT
OF_LEFT_OUT = ("dataset", "fingerprint", "split", "family", "method", "settings", "depth")
MEMORY = ("host_memory", "device_memory")
BELOW_TWICE_CHANCE = "below twice chance"
OF_ONE_RUN = ("seed", "status", "reason", "undertrained", "path")


@dataclass(frozen=True, order=True)
class Run:
    """One run of a row. reason: why it is not ok; undertrained: why it was not trained enough, or empty."""

    seed: int
    status: str
    reason: str
    undertrained: str
    file: str


def select(frame: pd.DataFrame, runs: str = "default") -> tuple[pd.DataFrame, str]:
    """The runs to show, 'default' (all of the data, no setting changed) or 'all', and a line about the others.

    `attrs[LEFT_OUT]` lists what is not shown, pooled, so that a view can say so where it is missed.
    """
    if runs == "all" or frame["default"].all():
        return frame, ""
    if not frame["default"].any():
        return frame, "No run here is on all of the data with default settings, so all runs are shown."
    shown, hidden = frame[frame["default"]], frame[~frame["default"]]
    rows = [row for group in by(pool(hidden), ("dataset",)) for row in with_settings(group)]
    shown.attrs[LEFT_OUT] = [{name: row[name] for name in OF_LEFT_OUT} for row in rows if row["status"] == "ok"]
    n = len(frame) - len(shown)
    what = f"{counted(n, 'other run')} (limited data or changed settings)"
    return shown, f"{what} {'are' if n > 1 else 'is'} not shown; see {'them' if n > 1 else 'it'} with: --runs all"


def pool(frame: pd.DataFrame) -> list[Row]:
    """Rows as ROW has them: means of figures over the seeds that are ok (of `others` the largest), '<figure>_sd' from
    two seeds on.

    seeds: those that are ok; files: their records; n_runs: all; status 'ok' if any is; remark: what went wrong, and
    with which seed; fixed_params: the params but those that follow from the number of training images, as JSON;
    undertrained: why at least half of the seeds were not trained enough, or as `with_undertrained` finds it.
    """
    root = Path(frame.attrs.get("root", "."))
    ok = frame["status"] == "ok"
    frame = frame.assign(**_filled(frame, ok))
    frame.attrs = {}
    figures = [name for name in frame if COLUMNS.get(str(name), REAL) == REAL or name in MEMORY]
    number = frame.groupby(list(ROW), dropna=False).ngroup()
    by_row = frame.loc[ok, figures].astype(float).groupby(number[ok])
    facts = frame.drop(columns=[*figures, *OF_ONE_RUN]).groupby(number).first()
    means = by_row.mean().assign(others=by_row["others"].max())  # one time that is too long makes the mean so
    pooled = facts.join(means).join(by_row.std().add_suffix("_sd"))
    runs: dict[int, list[Run]] = {}
    for i, run in zip(number, as_rows(frame[list(OF_ONE_RUN)]), strict=True):
        runs.setdefault(i, []).append(_run(run, root))
    rows = [row | _outcome(sorted(runs[i]), row) for i, row in zip(pooled.index, as_rows(pooled), strict=True)]
    return list(with_undertrained(rows))


def _run(row: Row, root: Path) -> Run:
    reason = " ".join(row["reason"].split())
    return Run(int(row["seed"]), row["status"], reason, row["undertrained"] or "", str(root / row["path"]))


def _filled(frame: pd.DataFrame, ok: pd.Series) -> dict[str, pd.Series]:
    """A run that died before it could tell its threads, its hardware or its backend stands with those that could."""
    machine = ["machine", "device"]
    alike = {"threads": machine, "processor": machine, "gpu": machine, "backend": [*machine, "method"]}
    filled = {}
    for name, keys in alike.items():
        told = frame[name].mask(frame[name].isna() | (frame[name] == ""))
        of_others = told.where(ok).groupby([frame[key] for key in keys]).transform("first")
        filled[name] = told.mask(told.isna() & ~ok, of_others)
    return filled


def _outcome(runs: Sequence[Run], row: Row) -> dict[str, Any]:
    trained = [run for run in runs if run.status == "ok"]
    bad = [run for run in runs if run.status != "ok"]
    short = [run for run in trained if run.undertrained]
    of_row = bool(short) and 2 * len(short) >= len(trained)
    remarks = [f"{f'seed {run.seed} ' if trained else ''}{run.status}: {run.reason}" for run in bad]
    if not of_row:
        remarks = [*(f"seed {run.seed} {NOT_ENOUGH}: {run.undertrained}" for run in short), *remarks]
    accuracy, classes = row.get("test_balanced_accuracy"), row.get("n_classes")
    if accuracy is not None and classes and classes > 2 and accuracy < 2 / classes:
        remarks.insert(0, BELOW_TWICE_CHANCE)
    return {
        "seeds": list(dict.fromkeys(run.seed for run in trained)),
        "files": list({run.seed: run.file for run in trained}.values()),
        "n_runs": len(runs),
        "status": "ok" if trained else bad[0].status,
        "reason": "" if trained else bad[0].reason,
        "undertrained": _why_short(short, len(trained)) if of_row else None,
        "remark": "; ".join(dict.fromkeys(remarks)),
        "fixed_params": canonical_text(fixed_params(row)),
    }


def _why_short(short: Sequence[Run], n: int) -> str:
    """Why a row was not trained enough, with the number of its seeds that were not, where it has several."""
    return short[0].undertrained + (f", in {len(short)} of {n} seeds" if n > 1 else "")
