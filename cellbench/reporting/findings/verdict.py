"""Verdicts on claims: the trials of a claim are judged as one family and then summed up to one verdict."""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...core import suites
from ...core.mixed_values import Document
from ...core.split_names import OFFICIAL
from ...core.text.words import counted
from ...results.certainty import ALPHA
from ...results.rows.row import Row
from ...results.statistics.bootstrap import SEEDS
from ...results.statistics.comparisons import holm
from ...results.statistics.intervals import FEWEST_SEEDS
from ..captions import MOST_NAMED
from .claim import Claim
from .evidence import brief_name, sides
from .judges.registry import JUDGES
from .power import settling_text, units_lacking
from .protocol import in_full, is_shortened, shortened_text
from .trial import Trial

SUPPORTED, CONTRADICTED, INCONCLUSIVE, NOT_TESTED = VERDICTS = (
    "supported",
    "contradicted",
    "inconclusive",
    "not tested",
)
FEW_OF_A_METHOD = "one trained model is no verdict on its method: it takes three seeds of"
MOST_SEEDS = 50  # the most seeds that a command asks for


@dataclass(frozen=True)
class Ruling:
    """A trial and its verdict. p: adjusted over the claim's trials, None where the trial has none or too few seeds.

    needs: what would settle an inconclusive trial, in words, '' for any other. seeds: the number of seeds of each, in
    all, that would settle it; None where seeds would not.
    """

    verdict: str
    trial: Trial
    p: float | None
    needs: str
    seeds: int | None


@dataclass(frozen=True)
class Finding:
    """A claim and its verdict, which rests on `rulings` of real data alone.

    simulated: trials on simulated images, on which no verdict rests. commands: those that test the claim on the data
    that it was made on, with as many seeds as would settle it; empty if it is settled there or if more runs would not
    settle it.
    """

    claim: Claim
    verdict: str
    summary: str
    rulings: tuple[Ruling, ...]
    simulated: tuple[Trial, ...]
    commands: tuple[str, ...]

    def as_data(self) -> Document:
        claim = self.claim
        names = ("id", "sentence", "basis", "contestants", "twin", "source", "url", "dataset", "judge")
        facts = {name: getattr(claim, name) for name in names}
        rulings = [
            {
                **dataclasses.asdict(one.trial),
                "p": one.p,
                "verdict": one.verdict,
                "needs": one.needs,
                "seeds": one.seeds,
            }
            for one in self.rulings
        ]
        return {
            **facts,
            "claimed": claim.claimed(),
            "verdict": self.verdict,
            "summary": self.summary,
            "rulings": rulings,
            "simulated": [dataclasses.asdict(one) for one in self.simulated],
            "commands": list(self.commands),
        }


def find(claim: Claim, rows: Sequence[Row]) -> Finding:
    """Return the finding on a claim; rows: pooled rows that are ok. Those that were not trained enough don't count."""
    judge, protocol = JUDGES[claim.judge], claim.protocol
    trained = [row for row in rows if not row.undertrained]
    real = [row for row in trained if not row.synthetic]
    full = [row for row in real if protocol is None or not is_shortened(row, protocol)]
    simulated = judge(claim, [row for row in trained if row.synthetic])
    rulings = rulings_on(judge(claim, full))
    if protocol and not rulings and (rulings := [_open(one) for one in rulings_on(judge(claim, real))]):
        of_claim = [row for side in sides(claim, real) for row in side]
        verdict, summary, _ = _sum_up(claim, rulings, shortened_text(of_claim, protocol))
        commands = tuple(in_full(command, of_claim, protocol) for command in claim.commands)
    else:
        verdict, summary, settled = _sum_up(claim, rulings)
        commands = () if settled else (*_for_seeds(rulings), *_commands(claim, rulings))
    summary += _not_counted(claim, rows)
    return Finding(claim, verdict, summary, tuple(rulings), tuple(simulated), commands)


def _open(one: Ruling) -> Ruling:
    """Return a ruling on methods that had less training than the source's: it settles nothing."""
    return dataclasses.replace(one, verdict=INCONCLUSIVE, needs="the whole training of the source", seeds=None)


def _not_counted(claim: Claim, rows: Sequence[Row]) -> str:
    """Return a clause on rows of the claim that were not trained enough, '' if there are none."""
    short = [row for row in rows if row.undertrained and not row.synthetic]
    named = list(dict.fromkeys(brief_name(row) for side in sides(claim, short) for row in side))
    if not named:
        return ""
    what = ", ".join(named) if len(named) <= MOST_NAMED else counted(len(named), "row")
    return f"; not counted, as not trained enough: {what}"


def rulings_on(trials: Sequence[Trial]) -> list[Ruling]:
    """Return the ruling on each trial, with p adjusted by Holm over the trials that have a p and enough seeds."""
    tested = [i for i, one in enumerate(trials) if one.p is not None and not one.few_seeds]
    adjusted = dict(zip(tested, holm([trials[i].p or 0.0 for i in tested]), strict=True))
    rulings = []
    for i, one in enumerate(trials):
        sure = one.sure if one.p is None else i in adjusted and bool(adjusted[i] <= ALPHA)
        sure = sure and not one.few_seeds
        word = INCONCLUSIVE if not sure or not one.difference else SUPPORTED if one.difference > 0 else CONTRADICTED
        p = float(adjusted[i]) if i in adjusted else None
        rulings.append(Ruling(word, one, p, *(_needs(one, len(tested)) if word == INCONCLUSIVE else ("", None))))
    return rulings


def _needs(one: Trial, family: int) -> tuple[str, int | None]:
    """Return what would settle a trial, in words, and how many seeds of each that takes in all.

    family: the number of trials of the claim with a p. The number of seeds is None where seeds would not settle it.
    """
    if one.few_seeds:
        return f"{FEW_OF_A_METHOD} {', '.join(one.few_seeds)}", max(FEWEST_SEEDS, one.seeds or 0)
    if one.lack is None:
        return one.needs, one.seeds
    family = family if one.p is not None else 1
    beyond = units_lacking(one.lack, family) if one.lack.over == SEEDS else None
    return settling_text(one.lack, family), None if beyond is None else one.lack.n + beyond


def _sum_up(claim: Claim, rulings: Sequence[Ruling], short: str = "") -> tuple[str, str, bool]:
    """Return the verdict, a summary in words, and whether the claim is settled on the data that it was made on.

    short: which nets had less training than those of the source, if that leaves the verdict open.

    The rulings that count are the first of these that exist: those on all images of the claim's data set, on part of
    its images, on all images of other data sets, on part of those. Of rulings on all images, those on the split that
    the data came with count before those on drawn splits. A verdict needs all of these: where one is open, or says
    otherwise, the claim is open, and which comparison says what is named. Those of too few seeds count only if there
    are no others.
    """
    if not rulings:
        return NOT_TESTED, NOT_TESTED, False
    home = [one for one in rulings if one.trial.dataset == claim.dataset]
    whole = [one for one in home if one.trial.limit is None]
    counting = _official(whole) or home or _official([one for one in rulings if one.trial.limit is None]) or rulings
    alone = [one for one in counting if one.trial.few_seeds]  # of these trained models alone
    counting = [one for one in counting if one not in alone] or alone
    words = {one.verdict for one in counting}
    verdict = words.pop() if len(words) == 1 else INCONCLUSIVE
    text = f"{verdict}, shortened ({short})" if short else verdict
    if words:
        text += f", {_differing(words)}: {_by_word(counting)}"
    text += f" on {', '.join(dict.fromkeys(one.trial.dataset for one in counting))}"
    if not home:
        text += f"; it was claimed of {claim.dataset}, where it is not tested"
    elif not whole:
        text += ", on limited numbers of training images"
    if alone != counting and (names := list(dict.fromkeys(name for one in alone for name in one.trial.few_seeds))):
        text += f"; not counted, as of fewer than three seeds: {', '.join(names)}"
    return verdict, text, bool(whole) and verdict != INCONCLUSIVE


def _differing(words: set[str]) -> str:
    """Return in words that comparisons which count equally did not all come out alike."""
    return "it depends on where" if {SUPPORTED, CONTRADICTED} <= words else "not shown in every comparison"


def _official(rulings: Sequence[Ruling]) -> list[Ruling]:
    """Return the rulings on the split that the data came with, or all rulings if there is none."""
    return [one for one in rulings if one.trial.split == OFFICIAL] or list(rulings)


def _by_word(rulings: Sequence[Ruling]) -> str:
    """Return in words where each verdict holds, and for which method where one place has several verdicts."""
    words: dict[str, set[str]] = {}
    for one in rulings:
        words.setdefault(_place(one.trial), set()).add(one.verdict)
    by_verdict: dict[str, list[str]] = {word: [] for word in VERDICTS}
    for one in rulings:
        place = _place(one.trial)
        by_verdict[one.verdict].append(place + (f" ({_who(one.trial)})" if len(words[place]) > 1 else ""))
    return "; ".join(f"{word} at {', '.join(dict.fromkeys(places))}" for word, places in by_verdict.items() if places)


def _who(one: Trial) -> str:
    return ", ".join(text for text in (one.evidence[0]["method"], one.evidence[0]["settings"]) if text)


def _place(one: Trial) -> str:
    return f"{one.dataset}, {one.split}" + (f", n={one.n:,}" if one.limit and one.n else "")


def _commands(claim: Claim, rulings: Sequence[Ruling]) -> tuple[str, ...]:
    """Return the commands of the claim, with as many seeds as would settle it.

    Empty where it was tested on all of its data set and no number of seeds would settle it.
    """
    home = [one for one in rulings if one.trial.dataset == claim.dataset and one.trial.limit is None]
    seeds = [one.seeds for one in home if one.seeds]
    if home and not seeds:
        return ()  # more runs would not settle it
    return tuple(_with_seeds(command, max(seeds, default=1)) for command in claim.commands)


def _for_seeds(rulings: Sequence[Ruling]) -> list[str]:
    """Return the commands that run three seeds of what has fewer."""
    return list(dict.fromkeys(command for one in rulings for command in one.trial.commands))[:MOST_NAMED]


def _with_seeds(command: str, n: int) -> str:
    """Return the command with an option for n seeds, unchanged if it runs as many anyway or n is above MOST_SEEDS."""
    suite = re.search(r"--suite (\S+)", command)
    own = len(suites.load(suite[1]).seeds) if suite else 1
    return command + (f" --seeds 0-{n - 1}" if own < n <= MOST_SEEDS else "")
