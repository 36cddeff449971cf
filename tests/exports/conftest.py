"""Results of small runs on a folder of rings, with predictions, and for two of them the saved model."""

from pathlib import Path

import pytest
from PIL import Image

from cellbench.core.records.store import Store
from cellbench.datasets import opening
from cellbench.datasets.toy import rings
from cellbench.running.planning.plan import make_plan, parse_override
from cellbench.running.single_run import execute

from ..reporting.conftest import record, results

__all__ = ["made", "record", "results", "small"]

MACHINE = "example-cpu-2c-abc123"
RUNS = {  # method: settings, whether the model is saved
    "svm-hog": (("size=none", "C=1"), False),
    "mlp": (("size=none", "epochs=2", "batch=16"), True),
    "probe-knn": (("size=32", "encoder=resnet20", "weights=none", "k=3"), True),
}


def make_folder(root: Path, several: bool) -> Path:
    """72 rings of 6 donors as files, with a table of labels and donors."""
    data, lines = rings(n=72, multilabel=several), ["file,label,donor"]
    root.mkdir()
    for i, image in enumerate(data.images):
        Image.fromarray(image[0]).save(root / f"cell {i}.png")
        numbers = data.labels[i].nonzero()[0] if several else [data.labels[i]]
        lines.append(f"cell {i}.png,{';'.join(data.classes[k] for k in numbers)},donor {i % 6}")
    (root / "labels.csv").write_text("\n".join(lines))
    return root


def make_results(base: Path, several: bool) -> Path:
    """The results folder of RUNS on such a folder; its images are prepared below `base`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLBENCH_DATA", str(base / "cache"))
        options = {"multilabel": ";"} if several else {}
        folder = opening.prepare(str(make_folder(base / "rings", several)), options)
        store = Store(base / "results", MACHINE)
        for method, (settings, saved) in RUNS.items():
            (job,) = make_plan([method], [folder], overrides=[parse_override(text) for text in settings])
            store.save(*execute(job, model=store.model(job.spec) if saved else None))
    return base / "results"


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """made(several): the results folder of small runs, where images have several labels or one, made once."""
    base = tmp_path_factory.mktemp("exports")

    def results(several: bool = False) -> Path:
        if not (place := base / str(several)).exists():
            place.mkdir()
            make_results(place, several)
        return place / "results"

    return results


@pytest.fixture
def small(made, monkeypatch):
    """The same, with the cache that holds the images."""

    def results(several: bool = False) -> Path:
        folder = made(several)
        monkeypatch.setenv("CELLBENCH_DATA", str(folder.parent / "cache"))
        return folder

    return results
