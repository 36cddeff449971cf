"""Runs become rows: only random seeds are pooled, and what failed stays visible."""

import itertools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ..core.words import counted
from .frame import COLUMNS, REAL
from .table import Row
from .undertrained import with_undertrained

DATA = ("dataset", "fingerprint", "split", "limit", "val_limit")
HARDWARE = ("device", "machine", "threads")
MAKE = ("processor", "gpu", "backend", "version")  # times and results of unlike ones are not to be averaged
SETTINGS = ("preprocessing", "method", "revision", "params", "deterministic")
OFFICIAL = "official"  # the split that comes with the data
ROW = (*DATA, *SETTINGS, *HARDWARE, *MAKE)
LEFT_OUT = "left_out"  # the key of a frame's attrs for rows that `select` does not show, see OF_LEFT_OUT
OF_LEFT_OUT = ("dataset", "fingerprint", "split", "family", "method", "settings", "depth")
MEMORY = ("host_memory", "device_memory")
BELOW_TWICE_CHANCE = "below twice chance"
OF_ONE_RUN = ("seed", "path", "reason")

Run = tuple[int, str, str, str]  # seed, status, reason, file


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
    with which seed; undertrained: see `with_undertrained`.
    """
    root = Path(frame.attrs.get("root", "."))
    ok = frame["status"] == "ok"
    frame = frame.assign(**_filled(frame, ok))
    frame.attrs = {}
    figures = [name for name in frame if COLUMNS.get(str(name), REAL) == REAL or name in MEMORY]
    number = frame.groupby(list(ROW), dropna=False).ngroup()
    by_row = frame.loc[ok, figures].astype(float).groupby(number[ok])
    facts = frame.drop(columns=[*figures, *OF_ONE_RUN, "status"]).groupby(number).first()
    means = by_row.mean().assign(others=by_row["others"].max())  # one time that is too long makes the mean so
    pooled = facts.join(means).join(by_row.std().add_suffix("_sd"))
    runs: dict[int, list[Run]] = {}
    for i, *run in zip(number, frame["seed"], frame["status"], frame["reason"], frame["path"], strict=True):
        runs.setdefault(i, []).append((int(run[0]), run[1], " ".join(run[2].split()), str(root / run[3])))
    rows = [row | _outcome(sorted(runs[i]), row) for i, row in zip(pooled.index, as_rows(pooled), strict=True)]
    return list(with_undertrained(rows))


def as_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A row of a frame as a mapping, None where something is missing."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")  # type: ignore[return-value]


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
    seeds = {seed: file for seed, status, _, file in runs if status == "ok"}
    bad = [run for run in runs if run[1] != "ok"]
    told = [f"{f'seed {seed} ' if seeds else ''}{status}: {reason}" for seed, status, reason, _ in bad]
    accuracy, classes = row.get("test_balanced_accuracy"), row.get("n_classes")
    if accuracy is not None and classes and classes > 2 and accuracy < 2 / classes:
        told.insert(0, BELOW_TWICE_CHANCE)
    status = "ok" if seeds else bad[0][1]
    return {
        "seeds": list(seeds),
        "files": list(seeds.values()),
        "n_runs": len(runs),
        "status": status,
        "remark": "; ".join(dict.fromkeys(told)),
    }


def by(rows: Iterable[Row], names: Sequence[str]) -> list[list[Row]]:
    """Rows that share `names`, in the order of these; missing comes first, and the official split before others."""

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(
            (row[name] is not None, name == "split" and row[name] != OFFICIAL, row[name] or 0) for name in names
        )

    return [list(group) for _, group in itertools.groupby(sorted(rows, key=key), key)]


def with_settings(rows: Sequence[Row], told_apart: Collection[str] = ()) -> list[Row]:
    """Rows with 'settings': what the user changed, and what else tells a row from others of its method.

    told_apart: settings that have a column of their own.
    """
    texts: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        for name, value in _all_settings(row).items():
            texts.setdefault((row["method"], name), set()).add(plain(value))
    told: list[Row] = []
    for row in rows:
        differ = {k: v for k, v in _all_settings(row).items() if len(texts[row["method"], k]) > 1}
        settings = {**differ, **json.loads(row["overrides"])}
        told.append({**row, "settings": listed({k: v for k, v in settings.items() if k not in told_apart})})
    return told


def _all_settings(row: Row) -> dict[str, Any]:
    return {
        **json.loads(row["preprocessing"]),
        **json.loads(row["params"]),
        **{name: row[name] for name in ("revision", "deterministic")},
    }


def listed(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={plain(value)}" for name, value in sorted(settings.items()))


def plain(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}" if abs(value) >= 1e6 or isinstance(value, float) else str(value)
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
