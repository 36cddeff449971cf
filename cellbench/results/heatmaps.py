"""Which heatmaps a report shows: those of the net that is best on val, among those that have some."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.records.heatmaps import Heatmaps, read_heatmaps
from .rows.row import Row

MUCH = 1.25  # times its part of the picture: with a larger share of the red the border stands out


@dataclass(frozen=True, eq=False)
class ChosenHeatmaps:
    """The heatmaps of a row's first run that has some."""

    row: Row
    heatmaps: Heatmaps

    def note(self, frame: int) -> str:
        """Return whose heatmaps these are, and how much of them is border. frame: its width in pixels."""
        share, expected = self.heatmaps.on_border(frame)
        text = (
            f"Below the picture: red where {self.row.method} looks to predict what it predicts (Grad-CAM, layer "
            f"{self.heatmaps.layer}). {100 * share:.0f} % of the red lies in the outermost {frame} pixels, which are "
            f"{100 * expected:.0f} % of the picture"
        )
        if share > MUCH * expected:
            return f"{text}: it looks at the border more than at the rest, which may give the class away."
        much = "hardly" if share > expected else "no"
        return f"{text}: it looks at the border {much} more than at the rest."


def best_heatmaps(rows: Sequence[Row], place: tuple[str, str, str]) -> ChosenHeatmaps | None:
    """Return the heatmaps of the best row on val of a data set, content and split; None if no row has any."""
    here = [row for row in rows if (row.dataset, row.fingerprint, row.split) == place and row.runs]
    for row in sorted(here, key=lambda row: -(row.metric("macro_f1", "val") or 0.0)):
        for run in row.runs:
            if (found := read_heatmaps(run.file)) is not None:
                return ChosenHeatmaps(row, found)
    return None
