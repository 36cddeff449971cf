"""Findings as text for a terminal, as Markdown, as JSON; the same findings give the same text."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.mixed_values import Facts
from ...core.records.results_folder import output_option
from ...core.text.shown_text import markdown
from ...core.text.words import counted, percent
from ..paragraphs import filled, wrapped
from .evidence import Evidence
from .trial import Trial
from .verdict import NOT_TESTED, VERDICTS, Finding, Ruling

if TYPE_CHECKING:
    import numpy as np

WIDTH = 100
NO_VERDICT = "simulated images, no verdict rests on this"
Paint = Callable[[str], str]  # a verdict word, coloured
Sentences = Sequence[Facts]


def as_json(found: Sequence[Finding], sentences: Sentences) -> str:
    data = {"sentences": list(sentences), "findings": [one.as_data() for one in found]}
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False, default=_plain)


def _plain(value: "np.generic") -> object:
    """Return a NumPy scalar as a Python number, which json can write."""
    return value.item()


def tally(found: Sequence[Finding]) -> str:
    """Return how many of the claims have each verdict, '' if there is no claim."""
    counts = Counter(one.verdict for one in found)
    shown = ", ".join(f"{counts[word]} {word}" for word in VERDICTS if counts[word])
    what = f"{counted(len(found), 'claim')} of studies: {shown}."
    return f"{what} Verdicts rest on real images alone." if shown else ""


def tested(found: Sequence[Finding]) -> list[Finding]:
    """Return the findings on claims that some results bear on."""
    return [one for one in found if one.verdict != NOT_TESTED]


def untested(found: Sequence[Finding], listed_by: str = "--claims all") -> str:
    """Return one line on how many claims were not tested, '' if all were; listed_by: what lists them."""
    n = len(found) - len(tested(found))
    were = "was" if n == 1 else "were"
    return f"{counted(n, 'claim')} of studies {were} not tested here: {listed_by} lists them" if n else ""


def as_text(
    found: Sequence[Finding],
    sentences: Sentences,
    width: int | None = None,
    paint: Paint = str,
    detail: bool = False,
    output: Path | None = None,
    every: bool = False,
) -> str:
    """Return the sentences and findings as text for a terminal, wrapped to at most WIDTH characters.

    every: whether to list the claims that were not tested too; else one line has their number.

    paint: colours a verdict word. detail: whether to list the evidence row by row and the claimed numbers. output: the
    folder of results, added to commands; None for the default folder.
    """
    room = min(width or WIDTH, WIDTH)
    blocks = [list(wrapped(one["sentence"], room, output_option(output))) for one in sentences]
    listed = found if every or detail else tested(found)
    blocks.append(filled(tally(listed), room))
    blocks += [list(_block(one, room, paint, detail, output)) for one in listed]
    last = [] if listed == found else [untested(found)]
    if not detail and listed:
        last.append("Numbers that were claimed, and the evidence row by row: --claim ID")
    blocks.append(last)
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def _block(one: Finding, room: int, paint: Paint, detail: bool, output: Path | None) -> Iterator[str]:
    rest = one.summary.removeprefix(one.verdict)
    head, *more = filled(f"{one.claim.id}: {one.verdict}{rest}", room, "  ")
    yield head.replace(f": {one.verdict}", f": {paint(one.verdict)}", 1)
    yield from more
    yield from filled(one.claim.titled, room, "  ", "  ")
    for ruling in one.rulings:
        yield from filled(f"- {_ruled(ruling)}", room, "    ", "  ")
        if detail:
            yield from (line for row in ruling.trial.evidence for line in filled(_row(row), room, "        ", "      "))
    for trial in one.simulated:
        yield from filled(f"- ({NO_VERDICT}) {_where(trial)}: {trial.said}", room, "    ", "  ")
        if detail:
            yield from (line for row in trial.evidence for line in filled(_row(row), room, "        ", "      "))
    for number in one.claim.claimed() if detail else ():
        yield from filled(f"{number['kind']}: {number['what']}: {number['told']}", room, "    ", "  ")
    url = f", {one.claim.url}" if detail and one.claim.url else ""
    yield from filled(f"source: {one.claim.source}{url}", room, "    ", "  ")
    if detail and one.verdict == NOT_TESTED:
        yield from filled(f"waits for: {one.claim.waits_for}", room, "    ", "  ")
    if one.commands:
        yield "  test it with:"
        yield from (f"    {command}" for command in commands_in(one, output))


def evidence_lines(one: Finding) -> list[str]:
    """Return a line for each ruling that the verdict rests on, then one for each trial on simulated images."""
    simulated = [f"({NO_VERDICT}) {_where(trial)}: {trial.said}" for trial in one.simulated]
    return [_ruled(ruling) for ruling in one.rulings] + simulated


def commands_in(one: Finding, output: Path | None) -> list[str]:
    return [command + output_option(output) for command in one.commands]


def _ruled(ruling: Ruling) -> str:
    needs = f"; {ruling.needs}" if ruling.needs else ""
    return f"{_where(ruling.trial)}: {ruling.verdict}: {ruling.trial.said}{needs}"


def _where(trial: Trial) -> str:
    n = f", {trial.n:,} training images" if trial.n else ""
    return f"{trial.dataset}, split {trial.split}{n}"


def figure_text(row: Evidence) -> str:
    """Return the figure of a row of evidence as text in its unit, with its interval or standard deviation.

    A missing figure is '–'.
    """
    if row["value"] is None:
        return "–"
    if row["key"].endswith("seconds"):
        return f"{row['value']:.4g} s" + (f" ± {row['sd']:.2g} s over seeds" if row["sd"] is not None else "")
    if row["low"] is not None:
        return f"{percent(row['value'])} ({percent(row['low'])} to {percent(row['high'])} over {row['over']})"
    return percent(row["value"]) + (f" ± {percent(row['sd'])} over seeds" if row["sd"] is not None else "")


def _row(row: Evidence) -> str:
    settings = f" ({row['settings']})" if row["settings"] else ""
    n = f", n={row['n']:,}" if row["n"] else ""
    seeds = ", ".join(map(str, row["seeds"]))
    return (
        f"{row['method']}{settings}{n}: {row['figure']} {figure_text(row)}; seeds {seeds}; {row['device']} of "
        f"{row['machine']}"
    )


def as_markdown(found: Sequence[Finding], sentences: Sentences, output: Path | None = None, every: bool = False) -> str:
    """Return the sentences and findings as Markdown; every: as for `as_text`."""
    listed = found if every else tested(found)
    lines = ["# Findings", "", *_paragraphs(sentences), tally(listed)]
    if listed != found:
        lines += ["", untested(found, "`cellbench findings --claims all`") + "."]
    if listed:
        lines += ["", "| claim | verdict |", "|---|---|"]
    lines += [f"| [{markdown(one.claim.titled)}](#{one.claim.id}) | **{one.verdict}** |" for one in listed]
    for one in listed:
        lines += ["", f"## {one.claim.id}", "", markdown(one.claim.titled), "", f"**{one.verdict}**"]
        lines[-1] += markdown(one.summary.removeprefix(one.verdict))
        for ruling in one.rulings:
            lines += ["", f"- {markdown(_ruled(ruling))}", "", *_grid(ruling.trial.evidence)]
        for trial in one.simulated:
            lines += ["", f"- *{NO_VERDICT}*: {markdown(_where(trial))}: {markdown(trial.said)}"]
            lines += ["", *_grid(trial.evidence)]
        numbers = [f"- {n['kind']}: {markdown(n['what'])}: {markdown(n['told'])}" for n in one.claim.claimed()]
        lines += [
            "",
            f"Source: {', '.join(filter(None, [markdown(one.claim.source), one.claim.url]))}",
            *(["", *numbers] if numbers else []),
        ]
        if one.commands:
            lines += ["", "Test it with:", "", "```", *commands_in(one, output), "```"]
    return "\n".join(lines)


def _paragraphs(sentences: Sentences) -> Iterator[str]:
    """Yield each line of each answer as a paragraph of Markdown, followed by an empty line."""
    for one in sentences:
        for line in one["sentence"].split("\n"):
            yield from (markdown(line), "")


def _grid(rows: Sequence[Evidence]) -> list[str]:
    titles = ("method", "settings", "n", "figure", "value", "seeds", "device", "machine")
    lines = [f"  | {' | '.join(titles)} |", f"  |{'---|' * len(titles)}"]
    for row in rows:
        shown = {**row, "value": figure_text(row), "seeds": ", ".join(map(str, row["seeds"]))}
        cells = (markdown(str(shown[name] if shown[name] is not None else "–")) for name in titles)
        lines.append(f"  | {' | '.join(cells)} |")
    return lines
