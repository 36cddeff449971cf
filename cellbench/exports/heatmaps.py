"""Where nets look: Grad-CAM of the cells that a report shows, for every net whose run saved its model.

Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core.data import Dataset
from ..core.errors import DataError, UsageError
from ..core.extras import EXTRAS
from ..core.records.heatmaps import Heatmaps, save_heatmaps
from ..core.text.words import counted
from ..datasets.display.thumbnails import prepared_dataset
from ..deep.classifier import NetClassifier
from ..deep.nets.layers import convolution_modules, outputs_of
from ..reporting.report.gallery import galleries
from ..results.results import Results
from ..results.runs import Run
from ..running.saved_models import models

FINEST = 8  # pixels a side that the asked layer's map has at least, if any layer's has
BATCH = 16  # images at a time


def write_heatmaps(
    results: Results, conditions: Sequence[str] = (), progress: Callable[[str], None] = lambda line: None
) -> tuple[list[Path], list[str]]:
    """Write heatmaps beside the record of each net that saved its model, of the cells that a report's galleries show.

    Return the files, and lines about what was left out. conditions: which runs, as --where takes them. Raises
    UsageError if no net among them saved its model, BackendError if the library is missing.
    """
    EXTRAS["heatmaps"].require("cellbench heatmaps")
    rows = results.where(conditions)
    written: list[Path] = []
    notes: list[str] = []
    for shown in galleries(results.rows):
        place = (shown.dataset, shown.fingerprint, shown.split)
        runs = [run for row in rows if (row.dataset, row.fingerprint, row.split) == place for run in row.runs]
        runs = [run for run in runs if run.file.with_suffix(models.SUFFIX).is_file()]
        if not (runs and shown.shown_images):
            continue
        try:
            data = prepared_dataset(shown.dataset, shown.fingerprint)
        except DataError as error:
            notes.append(f"no heatmaps of {shown.dataset}: {error}")
            continue
        for run in runs:
            progress(f"{run.record.spec}: {counted(len(shown.shown_images), 'cell')}")
            found = heatmaps(run, data, sorted(shown.shown_images))
            if found is not None:
                written.append(save_heatmaps(run.file, found))
    if not written and not notes:
        raise UsageError(
            "no net here saved its model, or no cells are worth a look yet; make both with: cellbench run --save-models"
        )
    return written, notes


def heatmaps(run: Run, data: Dataset, index: Sequence[int]) -> Heatmaps | None:
    """Return the heatmaps of images for the class that the net predicts; None if the run's model is no such net.

    Of the net's convolutions the last is asked whose map has FINEST pixels a side or more, or the one with the largest
    map.
    """
    model = models.load(run.file.with_suffix(models.SUFFIX))
    scorer = models.restore(model, "cpu")
    if not isinstance(scorer, NetClassifier) or not convolution_modules(scorer.net):
        return None
    images = torch.from_numpy(model.prepared(np.asarray(data.images[list(index)])))
    pixels = scorer.normalise(images)
    name, layer = _asked_layer(scorer.net, pixels[:1])
    maps = np.concatenate([grad_cam(scorer.net, layer, batch) for batch in pixels.split(BATCH)])
    return Heatmaps(np.asarray(index, np.int64), np.rint(255 * maps).astype(np.uint8), name)


def grad_cam(net: nn.Module, layer: nn.Module, pixels: Tensor) -> NDArray[np.float32]:
    """Return where a net looks to predict what it predicts, (n, height, width) from 0 to 1; pixels: its input."""
    from pytorch_grad_cam import GradCAM

    net.eval()
    with GradCAM(model=net, target_layers=[layer]) as cam:
        found: NDArray[np.float32] = cam(input_tensor=pixels.requires_grad_(True), targets=None)
    return found


def _asked_layer(net: nn.Module, pixels: Tensor) -> tuple[str, nn.Module]:
    sides: dict[str, int] = {}
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            sides[name] = _side(net, module, pixels)
    fine = [name for name, side in sides.items() if side >= FINEST]
    chosen = fine[-1] if fine else max(sides, key=lambda name: sides[name])
    return chosen, net.get_submodule(chosen)


@torch.inference_mode()
def _side(net: nn.Module, module: nn.Module, pixels: Tensor) -> int:
    """Return the smaller side of the map that a layer gives, in pixels; 0 if it is not used."""
    net.eval()
    with outputs_of(module) as outputs:
        net(pixels)
    shapes: list[torch.Size] = [output.shape for output in outputs]
    return min(shapes[-1][2:]) if shapes else 0
