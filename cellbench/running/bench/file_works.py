"""Files into arrays and records into tables, ours and by the loops that others write."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

Call = Callable[[], object]


def images(kind: str) -> Callable[[str, bool], tuple[Call, Call]]:
    """Return what prepares the decoding of 2,000 image files of 78 × 78 pixels into an array; kind: 'png' or 'tiff'."""

    def prepare(device: str, tiny: bool) -> tuple[Call, Call]:
        import numpy as np
        import tifffile
        from PIL import Image

        from ...datasets.files.images import npy
        from ...datasets.files.images.decoding import decode
        from ...datasets.toy import rings

        folder = tempfile.TemporaryDirectory()
        pixels = rings(n=20 if tiny else 2000, size=78).images

        def files() -> list[Path]:  # holds the folder for both functions below: each may be called without the other
            return [Path(folder.name) / f"{i:05}.{kind}" for i in range(len(pixels))]

        for file, (image,) in zip(files(), pixels, strict=True):
            if kind == "tiff":
                tifffile.imwrite(file, image)
            else:
                Image.fromarray(image).save(file)

        def ours() -> None:
            items = ((place, file.name, file) for place, file in enumerate(files()))
            npy.write(Path(folder.name) / "x.npy", pixels.shape, pixels.dtype, items, decode, "", processes=True)

        def theirs() -> None:
            read = tifffile.imread if kind == "tiff" else Image.open
            np.stack([np.asarray(read(file)) for file in files()])

        return ours, theirs

    return prepare


def records(device: str, tiny: bool) -> tuple[Call, Call]:
    """Return the reading of 300 records into a frame, ours and by pandas' json_normalize."""
    import pandas as pd

    from ...core.records.runs import RunRecord, RunSpec
    from ...core.records.store import Store
    from ...results.results import load_results

    folder = tempfile.TemporaryDirectory()
    store = Store(Path(folder.name), "machine")
    epochs = tuple({"epoch": e, "train_loss": 1 / e, "val_macro_f1": 0.5, "seconds": 1.25} for e in range(1, 31))
    figures = {part: {"accuracy": 0.5, "macro_f1": 0.5, "n": 10} for part in ("train", "val", "test")}
    facts = {"family": "deep", "classes": ["a", "b"], "counts": {part: [5, 5] for part in figures}, "synthetic": True}
    for seed in range(3 if tiny else 300):
        spec = RunSpec("toy", "f", "official", {"size": 64}, "resnet18", 1, {"epochs": 30}, seed=seed)
        store.save(RunRecord(spec, "ok", metrics=figures, seconds={"fit": 1.0}, history=epochs, facts=facts))

    def theirs() -> None:
        pd.json_normalize([json.loads(file.read_text()) for file in Path(folder.name).rglob("*.json")])

    return lambda: load_results(folder.name).to_frame(), theirs
