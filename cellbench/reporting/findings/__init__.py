"""Claims of the studies, judged by the results of a folder.

claims.toml, claim: the claims as data. judges/: how each is tested, which gives trials (trial) that rest on rows
(evidence); protocol: whether these had the training of the source; power: what would settle an open one. verdict: from
trials to a verdict. sentence: the answer for each data set. show: all of it as text, Markdown or JSON.
"""

from collections.abc import Sequence

from ...core.mixed_values import Document
from ...results.results import Results
from ...results.rows.row import Row, grouped_by
from ...results.rows.settings import with_settings
from .claim import chosen, load
from .sentence import plain_sentences
from .verdict import NOT_TESTED, Finding, find


def findings(results: Results, ids: Sequence[str] = (), conditions: Sequence[str] = ()) -> list[Finding]:
    """Return the verdict on each claim, or on those with the given ids.

    conditions: on the rows that verdicts rest on, as `Results.where` takes them; all rows without any. Findings are in
    the order of the claims, but those that were not tested come last; a claim that is judged in two ways, fairly and
    as the authors ran it, keeps both together. Raises UsageError for an unknown id, and for conditions that choose no
    run.
    """
    claims = chosen(load(), ids)
    rows = rows_of(results, conditions)
    found = {claim.id: find(claim, rows) for claim in claims}
    untested = {name for name, one in found.items() if one.verdict == NOT_TESTED}
    return sorted(found.values(), key=lambda one: {one.claim.id, one.claim.twin} & found.keys() <= untested)


def sentences(results: Results) -> list[Document]:
    """Return one answer for each data set, split and hardware: the best method of each family and how they differ.

    It rests on the runs that tables show by default, so that the headlines agree.
    """
    return plain_sentences(rows_of(results), rows_of(results.select()[0]))


def rows_of(results: Results, conditions: Sequence[str] = ()) -> list[Row]:
    """Return the rows of successful runs that meet the conditions, each with its settings as text, as `settings`.

    Those that `cellbench tune` tuned are left out, as what they would meet has had no such budget, unless a condition
    asks for them (`tuning_trials>0`).
    """
    tuned_too = any(condition.startswith("tuning_") for condition in conditions)
    rows = [row for row in results.where(conditions) if tuned_too or row["tuning_trials"] is None]
    ok = [row for row in rows if row.status == "ok"]
    return [row for group in grouped_by(ok, ("dataset",)) for row in with_settings(group)]
