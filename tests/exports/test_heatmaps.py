"""Heatmaps: what the library gives is Grad-CAM's formula, they lie beside their run, and the report shows them."""

import numpy as np
import pytest
import torch
from torch import nn

from cellbench import load_results
from cellbench.core.errors import UsageError
from cellbench.core.records.heatmaps import Heatmaps, read_heatmaps
from cellbench.core.records.store import Store
from cellbench.datasets import opening
from cellbench.exports.heatmaps import grad_cam, write_heatmaps
from cellbench.report_page import write_report
from cellbench.running.planning.plan import make_plan, parse_override
from cellbench.running.single_run import execute

from .conftest import MACHINE, make_folder


class Pooled(nn.Module):
    """A convolution, the mean over its map, and a linear layer: Grad-CAM is then the map of the class by hand."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.convolution, self.linear = nn.Conv2d(1, 3, 3, padding=1), nn.Linear(3, 4)

    def forward(self, images):
        return self.linear(self.convolution(images).mean((2, 3)))


def test_grad_cam_is_the_positive_part_of_the_maps_weighted_for_the_predicted_class():
    net, images = Pooled(), torch.rand(5, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        maps = net.convolution(images)
        weights = net.linear.weight[net(images).argmax(1)]
        expected = (weights[:, :, None, None] * maps).sum(1).clamp(min=0).numpy()
    expected -= expected.min((1, 2), keepdims=True)
    expected /= np.maximum(expected.max((1, 2), keepdims=True), 1e-7)
    np.testing.assert_allclose(grad_cam(net, net.convolution, images), expected, atol=1e-4)


def test_how_much_is_border_is_its_share_of_the_light_beside_its_share_of_the_pixels():
    maps = np.zeros((2, 10, 10), np.uint8)
    maps[0, 0, 0], maps[1, 5, 5] = 30, 90
    share, expected = Heatmaps(np.arange(2), maps, "x").on_border(2)
    assert (share, expected) == (pytest.approx(0.25), pytest.approx(1 - 36 / 100))


@pytest.fixture
def mislabelled(tmp_path, monkeypatch):
    """run(method, settings, saved): runs on rings of which every sixth has another's label; the path of the record."""
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path / "cache"))
    table = make_folder(tmp_path / "rings", several=False) / "labels.csv"
    lines = table.read_text().splitlines()
    lines[2::6] = [line.replace("ring 1", "ring 0") for line in lines[2::6]]
    table.write_text("\n".join(lines))
    folder = opening.prepare(str(table.parent), {"group_column": "none"})

    def run(method, *settings, saved):
        (job,) = make_plan([method], [folder], overrides=[parse_override(text) for text in settings])
        store = Store(tmp_path / "results", MACHINE)
        return store.save(*execute(job, model=store.model(job.spec) if saved else None))

    return run


def test_nets_with_a_saved_model_get_heatmaps_beside_their_record_and_the_page_shows_them(mislabelled, tmp_path):
    mislabelled("svm-hog", "size=none", "C=1", saved=True)
    with pytest.raises(UsageError, match="no net here saved its model"):
        write_heatmaps(load_results(tmp_path / "results"))
    record = mislabelled("cnn", "size=none", "epochs=2", "batch=16", saved=True)
    (written,), notes = write_heatmaps(load_results(tmp_path / "results"))
    assert (written, notes) == (record.with_suffix(".heatmaps.npz"), [])
    found = read_heatmaps(record)
    assert found is not None
    assert found.maps.shape == (len(found.index), 32, 32)
    assert found.maps.max() == 255
    page = write_report(load_results(tmp_path / "results"), tmp_path / "report.html", runs="all").path.read_text()
    assert "red where cnn looks to predict what it predicts (Grad-CAM, layer " in page
    assert page.count('alt="where the net looks"') >= len(found.index) > 0
    record.write_text(record.read_text() + "\n")  # another attempt at the run: they are no longer its own
    assert read_heatmaps(record) is None
