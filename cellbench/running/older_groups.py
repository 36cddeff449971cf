"""Groups for the predictions of older runs, which kept none of the blocks that their split keeps together."""

from collections.abc import Sequence

from ..core.records.store import Store, read_predictions, save_predictions
from ..core.split_names import keeps_together
from ..datasets.files import cache
from ..datasets.named_splits import with_split
from .job import Job


def complete_groups(jobs: Sequence[Job], store: Store) -> int:
    """Add groups to the kept predictions of these jobs that lack them, and return to how many.

    Only splits that keep groups or blocks together are looked at. The groups are those of the prepared data set of the
    job, whose content is that of the run, as the job's key says. Scores and records stay as they are.
    """
    n = 0
    for job in jobs:
        kept = read_predictions(store.path(job.spec)) if keeps_together(job.spec.split) else None
        if not kept or any(name.endswith("_groups") for name in kept):
            continue
        units = with_split(cache.read(job.data), job.spec.split).units
        parts = [name.removesuffix("_index") for name in kept if name.endswith("_index")]
        belongs = (
            all(kept[f"{part}_index"].max(initial=0) < len(units) for part in parts) if units is not None else False
        )
        if units is not None and belongs:
            save_predictions(
                store.path(job.spec), {**kept, **{f"{p}_groups": units[kept[f"{p}_index"]] for p in parts}}
            )
            n += 1
    return n
