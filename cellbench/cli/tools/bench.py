"""`cellbench bench`: how fast cellbench is on this machine, beside what does the same."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import USER_PATH, device_option

if TYPE_CHECKING:
    from ...running.bench.measure import Measurement


@click.command()
@click.argument("works", nargs=-1, metavar="[WORK]...")
@device_option
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Turns of ours and the peer.")
@click.option("-o", "--output", type=USER_PATH, help="File of measurements: adds this one, judges by the others.")
@click.option("--tiny", is_flag=True, hidden=True)
@click.pass_context
def bench(
    context: click.Context, works: tuple[str, ...], device: str, rounds: int, output: Path | None, tiny: bool
) -> None:
    """Time cellbench on this machine, beside LIBSVM and others.

    WORKs are hog; svm-libsvm, -onedal, -thundersvm, -torchkm and -cuml (on CUDA); resnet18, resnet18-skorch, -timm;
    embedding; png, tiff; records. Without any all are timed, which takes some minutes; a peer that is not installed is
    left out, in one line. Ours and the peer take turns, so that other programs slow both alike; a ratio above 1 says
    that ours is faster. With -o, a ratio that is lower than the noise of ten earlier measurements allows is named, and
    the exit code is 4.

    \b
    Examples:
      cellbench bench
      cellbench bench hog resnet18 --device cuda
      cellbench bench -o bench.json
    """
    from ...core.errors import UsageError, did_you_mean
    from ...running.bench import history
    from ...running.bench.measure import measure
    from ...running.bench.works import WORKS
    from ...running.executors.questions import choose_device

    for name in works:
        if name not in WORKS:
            raise UsageError(f"no work is called {name!r}; {did_you_mean(name, WORKS)}")
    earlier = history.read(output) if output else []
    measured = measure(works or tuple(WORKS), choose_device(device), rounds, tiny)
    slower = _show(measured, earlier)
    if output:
        history.write(output, [*earlier, measured])
    context.exit(4 if slower else 0)


def _show(measured: "Measurement", earlier: list["Measurement"]) -> bool:
    """Print a table of ours, peers, ratios and limits, and return whether a ratio is below its limit."""
    from tabulate import tabulate

    from ...core.machine.contention import is_busy
    from ...core.text.words import counted
    from ...running.bench.works import WORKS

    judged, rows = measured.judged(earlier), []
    for name, timing in measured.timings.items():
        if timing.missing:
            continue
        limit = judged[name].limit
        row = [name, WORKS[name].peer, f"{timing.ours:.3f} s", f"{timing.peer:.3f} s", f"{timing.ratio:.2f} ×"]
        row.append("–" if limit is None else f"{limit:.2f} ×, {judged[name].answer}")
        memory = (timing.memory,) if measured.device == "cuda" else (timing.memory, timing.peer_memory)
        rows.append([*row, " / ".join(f"{size / 1e6:,.0f}" if size else "–" for size in memory) + " MB"])
    headers = ["work", "peer", "ours", "peer", "ratio", "limit", "memory"]
    click.echo(tabulate(rows, headers, disable_numparse=True))
    if earlier and (others := len(earlier) - len(measured.alike(earlier))):
        kind = "machine, device or packages"
        click.echo(
            f"{others} of {counted(len(earlier), 'earlier measurement')} judge nothing: another {kind}", err=True
        )
    for name, timing in measured.timings.items():
        if timing.missing:
            click.echo(f"{name}: not timed: {timing.missing}", err=True)
    if measured.others is None or is_busy(measured.others):
        click.echo("other programs kept this machine busy: only ratios say something, and these are noisy", err=True)
    return any(one.answer == "slower" for one in judged.values())
