"""Whether this checkout is slower than an earlier commit: both are measured in turn, on a machine without a baseline.

    python benchmarks/parent.py                        all benchmarks against the commit before, ten pairs of runs
    python benchmarks/parent.py -k hog --against v0.1.0
    python benchmarks/parent.py --quick                three quick pieces of work in turn, a minute or two

Each commit has its package and its own benchmarks in a folder, which is put before all others on the path of a process
of its own; other packages are those of this environment for both. Each pair of runs gives, for each benchmark, the
ratio to its peer with either. With --quick there is no peer: a pair is two processes that do each work in turn some
times, and their mean speeds are compared. Exit code 4 if one is slower, 1 if a run fails.
"""

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))

from cellbench.running.bench.judging import LEAST_PAIRS, LEAST_RUNS, judge_pairs  # noqa: E402

PARTS = ("cellbench", "benchmarks")
# Two processes of the same code differ by some per cent as long as they live, by where their memory lies: so there are
# several pairs of them, and few turns in each. Of so few pairs the spread is known badly: this share of the speed is no
# regression.
QUICK_PAIRS = 6
TURNS = 3
ALLOWED = 0.1

Ratios = dict[str, float]


@click.command()
@click.option("-k", "words", default="", help="Benchmarks to run, as pytest takes it.")
@click.option("--against", default="HEAD^", show_default=True, help="The commit to compare with.")
@click.option("--pairs", type=click.IntRange(min=LEAST_PAIRS), help=f"Default: {LEAST_RUNS}; quick: {QUICK_PAIRS}.")
@click.option("--quick", is_flag=True, help="Time three quick pieces of work in place of the benchmarks.")
@click.pass_context
def main(context: click.Context, words: str, against: str, pairs: int | None, quick: bool) -> None:
    """Measure this checkout and an earlier commit in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in PARTS:
            shutil.copytree(ROOT / part, folder / "new" / part)
        _export(against, folder / "old")
        if quick and not (folder / "old" / "benchmarks" / "quick.py").exists():
            click.echo(f"{against} has no benchmarks/quick.py yet: nothing is compared")
            return
        found = _quick_pairs(folder, pairs or QUICK_PAIRS) if quick else _pairs(folder, words, pairs or LEAST_RUNS)
    context.exit(4 if "slower" in _judged(found, ALLOWED if quick else 0.0) else 0)


def _judged(found: dict[str, list[Ratios]], allowed: float) -> list[str]:
    """Print what is said of each benchmark that both versions have, and return the answers."""
    new, old = found["new"], found["old"]
    both = [test for test in new[0] if test in old[0]]
    for test in new[0].keys() ^ old[0].keys():
        click.echo(f"{test}: not compared, as only the {'new' if test in new[0] else 'old'} version has it")
    answers = []
    for test in both:
        now, before = ([run[test] for run in runs] for runs in (new, old))
        judged = judge_pairs(now, before, len(both), allowed)
        answers.append(judged.answer)
        change = statistics.geometric_mean(now) / statistics.geometric_mean(before)
        click.echo(f"{test}: {change:.2f} × as fast as before, limit {judged.limit or 0:.2f} ×: {judged.answer}")
    return answers


def _export(commit: str, folder: Path) -> None:
    """Write the package and the benchmarks of a commit into a folder."""
    folder.mkdir()
    packed = subprocess.run(["git", "archive", commit, *PARTS], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        raise click.UsageError(f"--against {commit}: {packed.stderr.decode().strip()}")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)


def _environment(folder: Path) -> dict[str, str]:
    """Return variables with which Python takes the package in this folder, whatever else is installed.

    Threads of the process that waits go to sleep at once, as in real runs.
    """
    return {"GOMP_SPINCOUNT": "10000", **os.environ, "PYTHONPATH": str(folder)}


def _pairs(folder: Path, words: str, pairs: int) -> dict[str, list[Ratios]]:
    """Return the ratios of all runs of either version, in turn."""
    found: dict[str, list[Ratios]] = {"new": [], "old": []}
    for version in found:  # baselines judge nothing here
        (folder / version / "benchmarks" / "baselines.json").unlink(missing_ok=True)
    for pair in range(pairs):
        for version in ("new", "old") if pair % 2 else ("old", "new"):
            found[version].append(_ratios(folder / version, words))
        click.echo(f"pair {pair + 1} of {pairs}", err=True)
    return found


def _ratios(folder: Path, words: str) -> Ratios:
    """Return the ratios of one run of the benchmarks in a folder with the package there, by test.

    Raises ClickException if pytest ends otherwise than well: a benchmark that failed has no time to be compared.
    """
    file = folder / "ratios.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "benchmarks", "-k", words]
    done = subprocess.run(
        [*command, "--ratios", str(file)],
        cwd=folder,
        env=_environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not file.exists():
        end = done.stdout[-2000:] + done.stderr[-2000:]
        raise click.ClickException(f"the benchmarks of the {folder.name} version ended with {done.returncode}:\n{end}")
    found: Ratios = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    return found


def _quick_pairs(folder: Path, pairs: int) -> dict[str, list[Ratios]]:
    """Return the mean speeds of each pair of processes, of either version."""
    found: dict[str, list[Ratios]] = {"new": [], "old": []}
    for pair in range(pairs):
        speeds = _mean_speeds(folder, ("new", "old") if pair % 2 else ("old", "new"))
        for version in found:
            found[version].append(speeds[version])
    return found


def _mean_speeds(folder: Path, order: tuple[str, str]) -> dict[str, Ratios]:
    """Return one divided by the mean seconds of each quick work, by version.

    Two new processes, started in this order, do the works in turn, TURNS times each; every other turn is reversed.
    """
    with _waiting(folder / order[0]) as first, _waiting(folder / order[1]) as second:
        processes = dict(zip(order, (first, second), strict=True))
        seconds: dict[str, dict[str, list[float]]] = {
            version: {work: [] for work in _works(process, folder / version)} for version, process in processes.items()
        }
        for turn in range(TURNS):
            for version in reversed(order) if turn % 2 else order:
                for work, times in seconds[version].items():
                    times.append(_seconds(processes[version], work))
    return {
        version: {work: 1 / statistics.geometric_mean(times) for work, times in works.items()}
        for version, works in seconds.items()
    }


@contextlib.contextmanager
def _waiting(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start quick.py of the version in a folder, and end it afterwards."""
    command = [sys.executable, str(folder / "benchmarks" / "quick.py")]
    with subprocess.Popen(
        command, cwd=folder, env=_environment(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _works(process: "subprocess.Popen[str]", folder: Path) -> list[str]:
    """Return the names of the works of a process, once it is ready. Raises ClickException if its package is another."""
    answer = json.loads(_line(process))
    if Path(answer["package"]).resolve() != (folder / "cellbench").resolve():
        raise click.ClickException(f"the {folder.name} version took the package in {answer['package']}")
    return list(answer["works"])


def _seconds(process: "subprocess.Popen[str]", work: str) -> float:
    assert process.stdin
    process.stdin.write(work + "\n")
    process.stdin.flush()
    return float(_line(process))


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    if line := process.stdout.readline():
        return line
    raise click.ClickException(f"quick.py ended with {process.wait()}")


if __name__ == "__main__":
    main()
