"""Remarks on the runs of a plan, beside their results."""

from collections.abc import Iterator, Sequence

from ...core.records.store import Store
from ...core.text.words import counted
from ...datasets.files import cache
from ...datasets.named_splits import with_split
from ...datasets.remarks import about_test
from ...methods import methods
from ..job import Job
from ..policy import Policy, has_no_model


def about_images(jobs: Sequence[Job]) -> list[str]:
    """Return the remarks on the images and on what their splits leave in test, each once for each data set."""
    places = dict.fromkeys((job.data, job.spec.split) for job in jobs)
    data = [with_split(cache.read(folder), split) for folder, split in places]
    return list(
        dict.fromkeys(f"{one.name}: {remark}" for one in data for remark in (*one.info.notes, *about_test(one)))
    )


def about_models(jobs: Sequence[Job], store: Store, policy: Policy) -> Iterator[str]:
    """Yield how many finished runs --save-models repeats, and the methods whose models it cannot save."""
    if not policy.save_models:
        return
    if again := sum(has_no_model(job, store, policy) for job in jobs):
        yield f"--save-models: {counted(again, 'run')} already done without a model, run again"
    unsaved = sorted({job.spec.method for job in jobs if methods[job.spec.method].restore is None})
    if unsaved:
        yield f"--save-models: no model of {', '.join(unsaved)}, which cannot tell what it learnt"


def about_licences(jobs: Sequence[Job], store: Store) -> list[str]:
    """Return a line with the licence of each frozen encoder that these runs used."""
    records = [record for job in jobs if (record := store.find(job.spec))]
    facts = [record.facts for record in records if record.facts.get("licence_of_encoder")]
    used = dict.fromkeys((one["encoder"], one["licence_of_encoder"]) for one in facts)
    return [f"Encoder {encoder}, licence of its weights: {licence}" for encoder, licence in used]
