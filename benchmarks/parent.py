"""Whether this checkout is slower than an earlier commit: both are measured in turn, on a machine without a baseline.

    python benchmarks/parent.py                        all benchmarks against the commit before, ten pairs of runs
    python benchmarks/parent.py -k hog --against v0.1.0

The package of either commit lies in a folder of its own, put before all others on the path; other packages are the
same. Each pair of runs gives, for each benchmark, the ratio to its peer with either. Exit code 4 if one is slower.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))

from cellbench.running.bench.judging import LEAST_RUNS, judge_pairs  # noqa: E402


@click.command()
@click.option("-k", "words", default="", help="Benchmarks to run, as pytest takes it.")
@click.option("--against", default="HEAD^", show_default=True, help="The commit to compare with.")
@click.option("--pairs", type=click.IntRange(min=LEAST_RUNS), default=LEAST_RUNS, show_default=True)
@click.pass_context
def main(context: click.Context, words: str, against: str, pairs: int) -> None:
    """Measure this checkout and an earlier commit in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "cellbench", folder / "new" / "cellbench")
        _export(against, folder / "old")
        shutil.copytree(ROOT / "benchmarks", folder / "benchmarks")
        found: dict[str, list[dict[str, float]]] = {"new": [], "old": []}
        for pair in range(pairs):
            for version in ("new", "old") if pair % 2 else ("old", "new"):
                found[version].append(_ratios(folder, version, words))
            click.echo(f"pair {pair + 1} of {pairs}", err=True)
    answers = []
    for test in found["new"][0]:
        new, old = ([run[test] for run in found[version]] for version in ("new", "old"))
        judged = judge_pairs(new, old, len(found["new"][0]))
        answers.append(judged.answer)
        click.echo(f"{test}: {sum(new) / pairs:.2f} × against {sum(old) / pairs:.2f} × before: {judged.answer}")
    context.exit(4 if "slower" in answers else 0)


def _export(commit: str, folder: Path) -> None:
    """Write the package of a commit into a folder."""
    folder.mkdir()
    packed = subprocess.run(["git", "archive", commit, "cellbench"], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        raise click.UsageError(f"--against {commit}: {packed.stderr.decode().strip()}")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)


def _ratios(folder: Path, version: str, words: str) -> dict[str, float]:
    """Return the ratios of one run of the benchmarks, by test, with the package of a version."""
    file = folder / "ratios.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "benchmarks", "-k", words]
    environment = {**os.environ, "PYTHONPATH": str(folder / version)}
    done = subprocess.run(
        [*command, "--ratios", str(file)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if not file.exists():
        raise click.ClickException(done.stdout[-2000:] + done.stderr[-2000:])
    found: dict[str, float] = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    return found


if __name__ == "__main__":
    main()
