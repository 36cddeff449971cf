"""What a report says of heatmaps: whose they are, and whether the net looks at the border."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cellbench.core.records.heatmaps import Heatmaps
from cellbench.results.heatmaps import ChosenHeatmaps


@pytest.mark.parametrize(
    ("on_border", "inside", "share", "judged"),
    [
        (0, 100, "0 %", "it looks at the border no more than at the rest."),
        (10, 10, "64 %", "it looks at the border no more than at the rest."),
        (25, 20, "69 %", "it looks at the border hardly more than at the rest."),
        (100, 5, "97 %", "it looks at the border more than at the rest, which may give the class away."),
    ],
)
def test_the_share_of_the_border_is_told_beside_its_part_of_the_picture(
    on_border: int, inside: int, share: str, judged: str
) -> None:
    maps = np.full((3, 10, 10), on_border, np.uint8)
    maps[:, 2:-2, 2:-2] = inside
    row: Any = SimpleNamespace(method="resnet18")
    note = ChosenHeatmaps(row, Heatmaps(np.arange(3), maps, "layer3")).note(2)
    assert "red where resnet18 looks to predict what it predicts (Grad-CAM, layer layer3)" in note
    assert f"{share} of the red lies in the outermost 2 pixels, which are 64 % of the picture: {judged}" in note
