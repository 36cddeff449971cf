"""Records as one tidy pandas frame: what every table, figure and verdict is made of."""

import contextlib
import difflib
from pathlib import Path

import pandas as pd

from ..core.data import absent_classes
from ..core.errors import UsageError
from ..core.mixed_values import Document, Facts
from ..core.records.runs import RunRecord, canonical_text
from ..core.records.store import Stored, read_records
from ..core.text.shown_text import visible
from ..core.text.words import counted
from .columns import COLUMNS, REAL, WHOLE
from .older_records import follows, val_in_fit, why_undertrained
from .rows.backends import agreements
from .runs import Run

SLIP = 0.8  # similarity from which the name of another folder is suggested
_CASTS: dict[str, type[int] | type[float]] = {WHOLE: int, REAL: float}
_CAST = {name: _CASTS.get(kind, lambda value: value) for name, kind in COLUMNS.items()}


def read_folder(path: Path | str) -> tuple[pd.DataFrame, list[Run], list[tuple[str, str]]]:
    """Read all records below `path`, sorted by file. Nothing is written, moved or repaired.

    Returns a frame with one row for each run, whose index counts the runs; the runs; and for each file that is no whole
    record its name, relative to `path`, and the reason.

    What a record does not hold is missing (NA, NaN); docs/results-frame.md has every column. Raises UsageError when
    there is no such folder, or no record in it.
    """
    root = Path(path)
    if root.is_file():
        raise UsageError(f"{str(root)!r} is a file; give the folder of records that `cellbench run -o` wrote")
    how = "make results with: cellbench run --all"
    if not root.is_dir():
        raise UsageError(f"no results folder at {str(root)!r}; {_slip(root)}{how}")
    passed_over: list[tuple[str, str]] = []

    def pass_over(file: Path, reason: str) -> None:
        passed_over.append((visible(file.relative_to(root).as_posix()), visible(reason)))

    rows, runs = [], []
    for stored in read_records(root, pass_over):
        try:
            # as their columns have them, so that one odd record is passed over instead of spoiling a column
            row = {
                name: _CAST.get(name, float)(value) for name, value in _row(stored.record).items() if value is not None
            }
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, UsageError) as error:
            pass_over(stored.path, f"not a whole record ({error})")
            continue
        path_shown = visible(stored.path.relative_to(root).as_posix())
        rows.append({**row, "machine": visible(_machine(stored)), "path": path_shown})
        runs.append(Run(stored.path, stored.text))
    if not rows:
        others = f"{counted(len(passed_over), 'file')} of another kind"
        bad = f" ({others}; {': '.join(passed_over[0])})" if passed_over else ""
        raise UsageError(f"no records in {str(root)!r}{bad}; {how}")
    found = pd.DataFrame(rows)
    found["agreement"] = agreements(rows, runs)
    extra = [name for name in found if name not in COLUMNS]
    return found.reindex(columns=[*COLUMNS, *extra]).astype(COLUMNS), runs, passed_over


def empty_frame() -> pd.DataFrame:
    """Return a frame of no runs, with the columns of `read_folder`."""
    return pd.DataFrame(columns=[*COLUMNS]).astype(COLUMNS)


def _machine(stored: Stored) -> str:
    """Return the name of the machine that a run was made on: its folder's, if no worker of a cluster did it."""
    return str(stored.record.environment.get("machine") or stored.machine)


def _slip(root: Path) -> str:
    """Return 'did you mean …? Or ' if a folder beside `root` has almost the same name, else an empty text."""
    beside: list[str] = []
    with contextlib.suppress(OSError):
        beside = [each.name for each in root.parent.iterdir() if each.is_dir()]
    close = difflib.get_close_matches(root.name, beside, 1, SLIP)
    return f"did you mean {str(root.with_name(close[0]))!r}? Or " if close else ""


def _row(record: RunRecord) -> Document:
    spec, facts, environment = record.spec, record.facts, record.environment
    figures = {f"{part}_{name}": value for part in record.metrics for name, value in record.metrics[part].items()}
    seconds = {f"seconds_{phase}": value for phase, value in record.seconds.items()}
    predict, images = record.seconds.get("predict"), figures.get("test_n")
    return {
        **{name: getattr(spec, name) for name in ("dataset", "fingerprint", "split", "method", "revision")},
        **{name: getattr(spec, name) for name in ("limit", "val_limit", "seed", "device", "deterministic")},
        **{name: getattr(record, name) for name in ("status", "others", "backend", "version")},
        "reason": record.reason or "",
        **{name: facts.get(name) for name in ("family", "depth", "shortcuts", "parameters", "licence")},
        **{name: facts.get(name) for name in ("support_vectors", "dual_objective", "seeded", "shared", "groups_are")},
        "undertrained": why_undertrained(record),
        "val_in_fit": val_in_fit(record),
        **{name: bool(facts.get(name)) for name in ("standard", "pretrained", "synthetic")},
        **{name: environment.get(name) or None for name in ("threads", "processor", "gpu")},
        **figures,
        **seconds,
        **_class_counts(facts),
        "several_labels": facts.get("multilabel", "exact_match" in record.metrics.get("test", {})),
        "preprocessing": canonical_text(spec.preprocessing),
        "params": canonical_text({**spec.params, **spec.decision}),
        "follows": None if (found := follows(record)) is None else canonical_text(found),
        "overrides": canonical_text(record.overrides),
        "entries": canonical_text(facts["entries"]) if "entries" in facts else None,
        "default": not record.overrides and spec.limit is None and spec.val_limit is None,
        "train_seconds": record.training_seconds if "fit" in record.seconds else None,
        "warmup_seconds": record.seconds.get("warmup"),
        **{f"tuning_{name}": (facts.get("tuning") or {}).get(name) for name in ("trials", "seconds")},
        "predict_seconds": predict,
        "predict_ms_per_image": 1000 * predict / images if predict is not None and images else None,
        "host_memory": record.memory.get("host"),
        "device_memory": record.memory.get("device"),
        "input": _input(facts),
    }


def _input(facts: Facts) -> str | None:
    if not facts.get("input"):
        return None
    native = facts.get("enlarged_from")
    return "×".join(map(str, facts["input"])) + (f" enlarged from {'×'.join(map(str, native))}" if native else "")


def _class_counts(facts: Facts) -> Document:
    """Return columns with the number of images and the absent classes of each part, and train's extreme classes.

    The extreme classes are the smallest and the largest one, each with its number of images in train.

    Where images have several labels, classes overlap, and facts["n"] has the number of images.
    """
    counts, classes = facts.get("counts") or {}, facts.get("classes") or ()
    images = {f"n_{part}": sum(of_class) for part, of_class in counts.items()}
    images |= {f"n_{part}": n for part, n in facts.get("n", {}).items()}
    row: Document = {**images, "n_classes": len(classes) or None}
    for part, of_class in counts.items() if classes else ():
        absent = absent_classes(classes, of_class)
        row[f"{part}_absent_classes"] = canonical_text(absent) if absent else None
    if counts.get("train") and classes:
        by_size = sorted(zip(counts["train"], classes, strict=True), key=lambda pair: pair[0])
        for name, (n, title) in {"smallest_class": by_size[0], "largest_class": by_size[-1]}.items():
            row |= {name: title, f"{name}_n": n}
    return row
