"""`cellbench run`: do what is missing of a matrix of methods × data sets × seeds."""

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..core.errors import UsageError
from ..core.words import counted, duration
from .options import (
    data_folder,
    folder_options,
    load_plugins,
    looks_like_path,
    parse_seeds,
    parse_val_limit,
    progress_line,
    split_option,
    terminal_width,
)
from .quick import choose_quick

if TYPE_CHECKING:
    from ..core.store import Store
    from ..core.suites import Suite
    from ..running.plan import Job

FAILURES = ("failed", "timeout", "failed before")


@click.command()
@click.option("--all", "everything", is_flag=True, help="Standard methods × standard data sets that are ready.")
@click.option("--quick", is_flag=True, help="A first answer within two minutes, on the embedded cells or those of -d.")
@click.option(
    "--suite", "suite_names", multiple=True, metavar="NAME", help="A study's runs, see `cellbench list suites`."
)
@click.option("-m", "--method", "method_names", multiple=True, metavar="NAME", help="Method or glob; repeatable.")
@click.option(
    "-d", "--dataset", "dataset_names", multiple=True, metavar="NAME", help="Data set, glob or folder of images."
)
@click.option("--exclude", multiple=True, metavar="NAME", help="Leave out a method or data set; name or glob.")
@click.option("--seeds", metavar="LIST", help="Random seeds: 0, 0-2 or 0,3,5.  [default: 0, or the suite's]")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting; 'svm-*:C=10' for some methods."
)
@click.option("--epochs", type=click.IntRange(min=1), help="Epochs for every net chosen.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Train on N images only (stratified, nested).")
@click.option(
    "--val-limit",
    metavar="N|all",
    help="Choose on N val images, or on all of them.  [default: with --limit in proportion, else all]",
)
@split_option
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--deterministic", is_flag=True, help="On CUDA: same seed, same result, at some cost in time.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default="results", show_default=True, help="Folder of records."
)
@click.option(
    "--machine", metavar="NAME", help="Name of this machine in the records (default: made from its hardware)."
)
@click.option("--timeout", type=float, metavar="SECONDS", help="End a run that takes longer.")
@click.option("--force", is_flag=True, help="Run again what is already done.")
@click.option("--retry-failed", is_flag=True, help="Run again what failed before.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.option(
    "--save-models",
    is_flag=True,
    help="Keep each trained model, for `cellbench predict`; a run that is done and has none is run again.",
)
@click.option("--dry-run", is_flag=True, help="Run nothing: list the runs, which are done, and an estimate.")
@click.option(
    "--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="Python file with further methods."
)
@folder_options
@click.option("-q", "--quiet", is_flag=True, help="Print the last line only.")
@click.option("-v", "--verbose", is_flag=True, help="Print every epoch.")
@click.pass_context
def run(context: click.Context, **options: Any) -> None:
    """Train and score methods on data sets, as far as it isn't done.

    Each finished run is saved before the next starts; Ctrl-C and SIGTERM lose only the run at work. A second call does
    what is missing. Without -m: all standard methods. Without -d: the standard data sets that are ready.

    With --suite the runs are a study's, on its own data set; -m and --exclude choose among its entries, by id or
    method. With -d, or any setting of one's own, they are a variant of it.

    Last it says what came of it: the best SVM, probe, net and floor on each data set, from all records of the folder.

    \b
    cellbench run --quick
    cellbench run --quick -d my_cells/
    cellbench run --all
    cellbench run -d hep2 -m svm-hog -m resnet18
    cellbench run -d my_cells/ -m 'svm-*' -m resnet18 --seeds 0-2
    cellbench run -d hep2 -m svm-hog --split id-block
    cellbench run -m 'resnet*' --set lr=0.05 --epochs 10 --limit 500 --dry-run
    cellbench run -d hep2 -m cnn --limit 100 --val-limit all
    cellbench run --suite yeast
    cellbench run --suite hep2-alexnet -d synthetic-yeast -m 'augment-*' --limit 500
    """
    if options.pop("quick"):
        choose_quick(options)
    if not any(options[name] for name in ("everything", "suite_names", "method_names", "dataset_names")):
        raise UsageError(
            "nothing was chosen; say --quick, --all or --suite NAME, or choose with -m METHOD or -d DATASET"
        )
    if options["everything"] and options["suite_names"]:
        raise UsageError("--all and --suite choose different runs; leave one of them out")
    if context.get_parameter_source("split") is ParameterSource.DEFAULT:
        options["split"] = None
    context.exit(_run(**options))


def _run(
    *,
    everything: bool,
    suite_names: Sequence[str],
    method_names: Sequence[str],
    dataset_names: Sequence[str],
    exclude: Sequence[str],
    seeds: str | None,
    settings: Sequence[str],
    epochs: int | None,
    split: str | None,
    limit: int | None,
    val_limit: str | None,
    device: str,
    deterministic: bool,
    output: Path,
    machine: str | None,
    timeout: float | None,
    force: bool,
    retry_failed: bool,
    fail_fast: bool,
    save_models: bool,
    dry_run: bool,
    plugins: Sequence[Path],
    quiet: bool,
    verbose: bool,
    **folder: Any,
) -> int:
    """Returns the exit code."""
    from ..core.data import OFFICIAL
    from ..core.environment import machine_name
    from ..core.store import Store
    from ..core.suites import choose, select
    from ..datasets.files import cache
    from ..running import matrix, worker
    from ..running.plan import Override, make_plan, parse_override
    from .progress import make_watcher
    from .suites import plan_suites, tell_variants

    if timeout is not None and not 0 < timeout < math.inf:
        raise UsageError(f"--timeout got {timeout:g}; give a number of seconds above zero")
    load_plugins(plugins)
    seed_list = None if seeds is None else parse_seeds(seeds)
    suites = select(suite_names)
    _check_exclude(exclude, suites)
    studies = choose(suites, method_names, exclude) if suites else []
    chosen = [e.method for _, entries in studies for e in entries] or _choose_methods(method_names, exclude)
    names = _choose_datasets(dataset_names, exclude) if dataset_names or not studies else []
    paths = [Path(name) for name in names if looks_like_path(name)]
    _check_output(output, paths)
    overrides = [parse_override(text) for text in settings]
    if folder["size"]:  # the size that images are brought to when they are read is the size that methods get
        overrides.insert(0, Override("*", "size", folder["size"]))
    if epochs is not None:
        overrides += [Override(name, "epochs", epochs) for name in _training_in_epochs(chosen)]
    kind = _choose_device(device)
    if not dry_run:
        worker.start_server()
    common: dict[str, Any] = {
        "overrides": overrides,
        "limit": limit,
        "val_limit": None if val_limit is None else parse_val_limit(val_limit),
        "device": kind,
        "deterministic": deterministic,
    }

    say = progress_line if not quiet else lambda _: None

    def prepared(name: str) -> Path:
        ready = set(cache.location("").glob("*"))
        say(f"making {name} ready")  # minutes, where it has to be drawn or decoded
        try:
            place = data_folder(name, folder if looks_like_path(name) or not paths else {})
        finally:
            say("")
        if dry_run and not quiet and place not in ready:
            click.echo(f"{name} was prepared, once, in {place}: which runs are done depends on its content", err=True)
        return place

    if studies:
        jobs = plan_suites(studies, names, prepared, seeds=seed_list, split=split, **common)
        if not quiet:
            tell_variants(
                studies, jobs, [*settings, *_flags(epochs=epochs, split=split, limit=limit, val_limit=val_limit)]
            )
    else:
        folders = [prepared(name) for name in names]
        jobs = make_plan(chosen, folders, seeds=seed_list or (0,), split=split or OFFICIAL, **common)
    store = Store(output, machine or machine_name())
    policy = matrix.Policy(force, retry_failed, fail_fast, timeout, save_models)
    if dry_run:
        _show_plan(jobs, store, policy)
        return 0
    # A setting that was changed is all that can ask for a library that isn't there.
    if changed := [job for job in jobs if job.overrides and not (job.skip or matrix.state(job, store, policy))]:
        worker.check_methods(changed, plugins)
    store.check()
    if save_models and not quiet:
        _tell_models(jobs, store, policy)
    if not quiet:
        _tell_notes(jobs)
    with make_watcher(len(jobs), quiet=quiet, verbose=verbose) as watcher:
        try:
            tally = matrix.run_matrix(jobs, store, policy, watcher, plugins)
        except (KeyboardInterrupt, SystemExit) as stop:  # Ctrl-C; SIGTERM
            click.echo(
                f"stopped; finished runs are saved. Go on with the same command, or: cellbench table {output}", err=True
            )
            return int(stop.code or 0) if isinstance(stop, SystemExit) else 130
    if not quiet:
        _tell_licences(jobs, store)
    others = "".join(f" --suite {suite.name}" for suite in suites)
    others = others or (" --runs all" if any(map(_is_special, jobs)) else "")
    place = "" if output == Path("results") else f" {shlex.quote(str(output))}"
    click.echo(f"{matrix.summary(tally, len(jobs))}. Next: cellbench table{place}{others}")
    if not quiet:
        _tell_answer(jobs, store)
    if any(tally[status] for status in FAILURES):
        click.echo("The table says why runs failed; try them again with --retry-failed.", err=True)
        return 3
    return 0


def _is_special(job: "Job") -> bool:
    """Whether tables show the run only when they are asked for all runs."""
    return bool(job.overrides) or job.spec.limit is not None or job.spec.val_limit is not None


def _choose_methods(patterns: Sequence[str], exclude: Sequence[str]) -> list[str]:
    from ..methods import methods

    chosen = methods.select(patterns) if patterns else [e.name for e in methods.entries() if e.standard]
    return _without(chosen, exclude)


def _choose_datasets(patterns: Sequence[str], exclude: Sequence[str]) -> list[str]:
    from ..datasets import datasets

    if not patterns:
        return _without([e.name for e in datasets.entries() if e.standard and e.ready], exclude)
    chosen: dict[str, None] = {}
    for pattern in patterns:
        is_path = pattern not in datasets and looks_like_path(pattern)
        chosen.update(dict.fromkeys([pattern] if is_path else datasets.select([pattern])))
    return _without(list(chosen), exclude)


def _without(names: list[str], exclude: Sequence[str]) -> list[str]:
    import fnmatch

    left = [name for name in names if not any(fnmatch.fnmatchcase(name, pattern) for pattern in exclude)]
    if not left:
        raise UsageError(
            f"--exclude {' '.join(exclude)} leaves nothing of {', '.join(names) or 'nothing'}; exclude less"
        )
    return left


def _check_exclude(patterns: Sequence[str], suites: Sequence["Suite"]) -> None:
    """A pattern that fits no method, entry or data set is a slip, and would silently exclude nothing."""
    import fnmatch

    from ..core.errors import did_you_mean
    from ..datasets import datasets
    from ..methods import methods

    known = {*methods, *datasets, *(entry.id for suite in suites for entry in suite.entries)}
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            raise UsageError(f"--exclude {pattern!r} fits no method, entry or data set; {did_you_mean(pattern, known)}")


def _check_output(output: Path, folders: Sequence[Path]) -> None:
    for folder in folders:
        if output.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"results in {output} would lie among the images of {folder}; name another place with -o")


def _tell_notes(jobs: Sequence["Job"]) -> None:
    """What the reader of the images had to remark, once a data set and split."""
    from ..datasets.files import cache
    from ..datasets.named_splits import with_split

    read = [with_split(cache.read(at), split) for at, split in dict.fromkeys((j.data, j.spec.split) for j in jobs)]
    for line in dict.fromkeys(f"{data.name}: {note}" for data in read for note in data.info.notes):
        click.echo(line, err=True)


def _tell_answer(jobs: Sequence["Job"], store: "Store") -> None:
    """The contest on the data of these jobs, from this machine's records in the folder."""
    from ..reporting.answers import answers
    from ..reporting.findings.show import WIDTH, answer_lines
    from ..results.results import Results
    from ..results.rows import DATA, as_rows

    results = Results.load(store.root)
    machine = store.path(jobs[0].spec).parents[2].name
    data = {tuple(job.spec.form.get(name) for name in DATA) for job in jobs}
    rows = as_rows(results.frame[["machine", *DATA]])
    asked = [row["machine"] == machine and tuple(row[name] for name in DATA) in data for row in rows]
    results = results.only(asked)
    if not any(job.overrides for job in jobs) and results.frame["default"].any():
        results = results.only(results.frame["default"])
    output = None if store.root == Path("results") else store.root
    for text in answers(results):
        click.echo("\n" + "\n".join(answer_lines(text, terminal_width() or WIDTH, output)))


def _flags(**given: Any) -> list[str]:
    return [f"--{name.replace('_', '-')} {value}" for name, value in given.items() if value is not None]


def _tell_models(jobs: Sequence["Job"], store: Any, policy: Any) -> None:
    """What --save-models will run again, and what it can't save."""
    from ..methods import methods
    from ..running import matrix

    if again := sum(matrix.has_no_model(job, store, policy) for job in jobs):
        click.echo(f"--save-models: {counted(again, 'run')} already done without a model, run again", err=True)
    unsaved = sorted({job.spec.method for job in jobs if methods[job.spec.method].restore is None})
    if unsaved:
        click.echo(f"--save-models: no model of {', '.join(unsaved)}, which cannot tell what it learnt", err=True)


def _tell_licences(jobs: Sequence["Job"], store: Any) -> None:
    """The licence of each frozen encoder that these runs used."""
    records = [record for job in jobs if (record := store.find(job.spec))]
    facts = [record.facts for record in records if record.facts.get("licence_of_encoder")]
    for encoder, licence in dict.fromkeys((each["encoder"], each["licence_of_encoder"]) for each in facts):
        click.echo(f"Encoder {encoder}, licence of its weights: {licence}", err=True)


def _training_in_epochs(names: Sequence[str]) -> list[str]:
    from ..methods import methods

    found = [name for name in names if hasattr(methods[name].defaults, "epochs")]
    if not found:
        raise UsageError(f"--epochs is for nets, and none was chosen ({', '.join(names)}); leave it out")
    return found


def _choose_device(wanted: str) -> str:
    from ..core.environment import cuda_driver
    from ..core.errors import BackendError

    if wanted == "cpu" or (wanted == "auto" and not cuda_driver()):
        return "cpu"
    from ..running import worker

    if worker.ask(worker.describe_torch)["cuda"]:
        return "cuda"
    if wanted == "cuda":
        raise BackendError(
            "--device cuda: torch sees no CUDA device here; `cellbench doctor` says more, or use --device cpu"
        )
    return "cpu"


def _show_plan(jobs: Sequence["Job"], store: Any, policy: Any) -> None:
    from tabulate import tabulate

    from ..running import matrix
    from ..running.estimates import estimate, total

    rows, expected = [], []
    for job in jobs:
        state = matrix.state(job, store, policy)
        if not state:
            expected.append(seconds := estimate(job, store))
        spec = job.spec
        changed = ", ".join(job.titles) or ", ".join(f"{k}={v}" for k, v in job.overrides.items())
        rows.append(
            [
                spec.dataset,
                spec.method,
                spec.seed,
                job.n["train"],
                job.n["val"],
                spec.device,
                changed,
                state or f"about {duration(seconds)}",
            ]
        )
    what = "entry" if any(job.titles for job in jobs) else "changed"
    click.echo(tabulate(rows, ["data set", "method", "seed", "n train", "n val", "device", what, "state"]))
    click.echo(
        f"\n{counted(len(jobs), 'run')}, {len(expected)} to do, about {duration(total(expected))} on this machine."
    )
