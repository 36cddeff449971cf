"""Runs in an MLflow store on disk: settings, figures, the history of epochs, and the record itself."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import UsageError
from ..core.extras import EXTRAS
from ..core.records.runs import canonical_text
from ..core.text.words import counted
from .cells import ExportedRun, Selection

if TYPE_CHECKING:
    from mlflow import MlflowClient

DATABASE = "mlflow.db"
ARTEFACTS = "artifacts"
KEY, MACHINE = "cellbench.key", "cellbench.machine"  # tags that say which run it is
AT_ONCE = 500  # metrics in one call; the store takes at most 1,000


def write_mlflow(selection: Selection, output: Path) -> None:
    """Add the runs to the store in the folder `output`, which is made if it is not there; see it with `mlflow ui`.

    An experiment is a data set and split. A run that the store has already is left as it is. Raises BackendError if
    mlflow is missing.
    """
    EXTRAS["mlflow"].require("--to mlflow")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nobody asked for it to report what is done here
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        known = _add_all(selection, output, MlflowClient)
    except (MlflowException, SQLAlchemyError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"MLflow cannot use the store in {output}: {reason}; give a new folder with -o") from error
    if known:
        selection.notes.append(f"{counted(known, 'run')} that the store had already left as they are")


def _add_all(selection: Selection, output: Path, make_client: Callable[..., "MlflowClient"]) -> int:
    """Add all runs to the store, and return how many it had already."""
    output.mkdir(parents=True, exist_ok=True)
    client = make_client(tracking_uri=f"sqlite:///{output.resolve() / DATABASE}")
    known = 0
    for one in selection.runs:
        experiment = _experiment(client, f"{one.row.dataset}, {one.row.split}", output.resolve() / ARTEFACTS)
        known += not _add(client, experiment, one)
    return known


def _experiment(client: "MlflowClient", name: str, artefacts: Path) -> str:
    found = client.get_experiment_by_name(name)
    return found.experiment_id if found else client.create_experiment(name, artifact_location=artefacts.as_uri())


def _add(client: "MlflowClient", experiment: str, one: ExportedRun) -> bool:
    """Add a run to an experiment. Return False if it is there already."""
    from mlflow.entities import Metric, Param, RunTag

    record = one.run.record
    spec = record.spec
    asked = f"tags.`{KEY}` = '{spec.key}' and tags.`{MACHINE}` = '{one.row.machine}' and attributes.status = 'FINISHED'"
    if client.search_runs([experiment], asked, max_results=1):
        return False
    run = client.create_run(experiment, run_name=one.name).info.run_id
    settings = {**spec.params, **{f"preprocessing/{k}": v for k, v in spec.preprocessing.items()}}
    settings |= {"seed": spec.seed, "limit": spec.limit, "device": spec.device}
    params = [Param(name, _text(value)) for name, value in settings.items()]
    tags = {
        KEY: spec.key,
        MACHINE: one.row.machine,
        "cellbench.method": spec.method,
        "cellbench.family": one.row.family,
        "cellbench.fingerprint": spec.fingerprint,
        "cellbench.synthetic": str(one.row.synthetic).lower(),
        "cellbench.version": record.version,
    }
    figures = {f"{part}/{name}": value for part, of_part in record.metrics.items() for name, value in of_part.items()}
    figures |= {f"seconds/{phase}": value for phase, value in record.seconds.items()}
    metrics = [Metric(name, float(value), 0, 0) for name, value in figures.items()]
    metrics += [
        Metric(f"history/{name}", float(value), 0, int(row.get("epoch", at)))
        for at, row in enumerate(record.history, 1)
        for name, value in row.items()
        if isinstance(value, int | float)
    ]
    client.log_batch(run, params=params, tags=[RunTag(name, value) for name, value in tags.items()])
    for start in range(0, len(metrics), AT_ONCE):
        client.log_batch(run, metrics=metrics[start : start + AT_ONCE])
    for file in (one.run.file, one.run.file.with_suffix(".npz")):
        if file.is_file():
            client.log_artifact(run, str(file))
    client.set_terminated(run)
    return True


def _text(value: object) -> str:
    return value if isinstance(value, str) else canonical_text(value)
