"""Everything that is open about a CUDA card, measured by one command in at most nine minutes.

    python benchmarks/gpu.py                       on a machine with a card: writes benchmarks/gpu.json
    python benchmarks/gpu.py table                 the table of docs/gpu.md, from benchmarks/gpu.json
    python benchmarks/gpu.py --tiny --pretend -o rehearsal.json    the same with tiny sizes, on a card that is not there

The most valuable comes first, and the file is written after each item, so that nothing is lost when time runs out.
Items have a time limit each, their own and what earlier ones left of theirs; with fewer --minutes the last ones are not
reached. One that fails, or lacks something, is noted with its reason and stops no other. No network is needed.
`gpu_items.py` says what is measured.
"""

import contextlib
import json
import platform
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent)]  # last: an installed cellbench is measured before the checkout's
RESULTS = HERE / "gpu.json"
MINUTES = 9.0


class OutOfTimeError(BaseException):
    """An item took longer than it may; no `except Exception` on its way shall hold it up."""


@click.group(invoke_without_command=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write (default: benchmarks/gpu.json).")
@click.option("--only", multiple=True, metavar="ITEM", help="Measure this item alone; may be given several times.")
@click.option("--minutes", type=float, default=MINUTES, show_default=True, help="Time for all items together.")
@click.option("--tiny", is_flag=True, help="Sizes that show that the code runs, and nothing else.")
@click.option("--pretend", is_flag=True, help="Use a card that is not there.")
@click.pass_context
def main(
    context: click.Context, output: Path | None, only: tuple[str, ...], minutes: float, tiny: bool, pretend: bool
) -> None:
    """Measure what is open about a CUDA card."""
    if context.invoked_subcommand:
        return
    if (tiny or pretend) and output is None:
        raise click.UsageError("--tiny and --pretend measure nothing; name a file for their figures with -o")
    from gpu_items import ITEMS

    if unknown := set(only) - set(ITEMS):
        raise click.UsageError(f"no item is called {', '.join(sorted(unknown))}; there are {', '.join(ITEMS)}")
    with _card(pretend):
        report = {**_machine(), "tiny": tiny, "pretended": pretend, "items": {}}
        ends = time.monotonic() + 60 * minutes
        names = list(only or ITEMS)
        for at, name in enumerate(names):
            later = sum(ITEMS[one].seconds for one in names[at + 1 :])
            deadline = _deadline(time.monotonic(), ITEMS[name].seconds, later, ends)
            report["items"][name] = _measured(name, tiny, deadline)
            _write(report, output or RESULTS)
            click.echo(_line(name, report["items"][name]))
    failed = [name for name, found in report["items"].items() if found["status"] in ("failed", "out of time")]
    context.exit(3 if failed else 0)


@main.command()
@click.argument("results", type=click.Path(path_type=Path), default=RESULTS)
def table(results: Path) -> None:
    """Print the table of docs/gpu.md."""
    click.echo(table_of(json.loads(results.read_text(encoding="utf-8")) if results.exists() else {"items": {}}))


def table_of(report: dict[str, Any]) -> str:
    """Return a Markdown table of all figures of a report; those that it lacks are 'not yet measured'."""
    from gpu_items import ITEMS

    if report.get("tiny") or report.get("pretended"):
        raise click.UsageError("these figures are of tiny sizes or of a card that is not there; they are for no table")
    rows = []
    for name, item in ITEMS.items():
        found = report["items"].get(name, {})
        for key, figure in item.figures.items():
            value = found.get("figures", {}).get(key)
            reason = f" ({found['reason']})" if found.get("reason") else ""
            rows.append(
                (item.title, figure.title, f"not yet measured{reason}" if value is None else figure.shown(value))
            )
    heading = f"On {report['card']}, torch {report['torch']}, CUDA {report['cuda']}:\n\n" if report["items"] else ""
    return heading + tabulate(rows, ("what", "figure", "value"), tablefmt="github", disable_numparse=True)


def _deadline(now: float, seconds: float, later: float, ends: float) -> float:
    """Return the moment at which the item that begins now is broken off.

    It may take its `seconds`, or what is left to `ends` beside those of all later items, if that is more. Where there
    is too little time for all, the first ones have theirs and the last ones are not reached.
    """
    return min(ends, max(now + seconds, ends - later))


def _measured(name: str, tiny: bool, ends: float) -> dict[str, Any]:
    """Return what is kept of an item: its status, seconds, figures, and the reason if there are none.

    ends: the moment, by the monotonic clock, at which it is broken off.
    """
    import torch
    from gpu_items import ITEMS, LackingError

    from cellbench.core.errors import BackendError, UnavailableError

    item, start = ITEMS[name], time.monotonic()
    limit = ends - start
    if limit < 1:
        return {"status": "not reached", "reason": "the time for all items was over"}
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    figures: dict[str, float] = {}  # filled as the item goes on: what it found before it broke off is kept
    status, reason = "measured", ""
    try:
        with _alarm(limit):
            for key, value in item.measure(tiny):
                figures[key] = value
    except OutOfTimeError:
        status, reason = "out of time", f"it took longer than {limit:.0f} s"
    except (LackingError, BackendError, UnavailableError, ImportError) as error:
        status, reason = "lacking", str(error)
    except Exception as error:  # whatever it is, the other items are measured
        status, reason = "failed", f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
    if "device_gb" in item.figures:
        figures["device_gb"] = torch.cuda.max_memory_allocated() / 1e9
    return {"status": status, "reason": reason, "seconds": round(time.monotonic() - start, 1), "figures": figures}


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError when so many seconds are over, at the next line of Python."""

    def ring(*_: Any) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _card(pretend: bool) -> Iterator[None]:
    import torch

    if pretend:
        from tests.card.pretended import card

        with card():
            yield
        return
    if not torch.cuda.is_available():
        raise click.UsageError("torch sees no CUDA card here; `cellbench doctor` says more. --tiny --pretend rehearses")
    yield


def _machine() -> dict[str, str]:
    import torch

    import cellbench

    return {
        "card": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda or "none",
        "python": platform.python_version(),
        "cellbench": cellbench.__version__,
    }


def _write(report: dict[str, Any], path: Path) -> None:
    from cellbench.core.records.store import write_whole

    text = json.dumps(report, indent=1) + "\n"
    write_whole(path, lambda file: file.write(text.encode("utf-8")))


def _line(name: str, found: dict[str, Any]) -> str:
    from gpu_items import ITEMS

    figures = (
        f"{f.title} {f.shown(found['figures'][key])}"
        for key, f in ITEMS[name].figures.items()
        if key in found.get("figures", {})
    )
    return f"{name}: {found['status']}{', ' + found['reason'] if found['reason'] else ''}; {', '.join(figures)}"


if __name__ == "__main__":
    main()
