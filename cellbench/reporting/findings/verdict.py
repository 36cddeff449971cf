"""Verdicts: trials of a claim, judged as one family, and what they come to where the claim was made."""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...core import suites
from ...core.data import OFFICIAL
from ...core.words import counted
from ...results.bootstrap import SEEDS
from ...results.certainty import ALPHA
from ...results.rows import Row
from ...results.stats import holm
from ..captions import MOST_NAMED
from .claim import Claim
from .evidence import briefly, sides
from .judges import JUDGES
from .power import more, told
from .trial import Trial

SUPPORTED, CONTRADICTED, INCONCLUSIVE, NOT_TESTED = VERDICTS = (
    "supported",
    "contradicted",
    "inconclusive",
    "not tested",
)
MOST_SEEDS = 50  # that a command asks for


@dataclass(frozen=True)
class Ruling:
    """A trial and what it came to; p: adjusted over the claim's trials. needs, seeds: what would settle an inconclusive
    one, in words and in seeds of each in all."""

    verdict: str
    trial: Trial
    p: float | None
    needs: str
    seeds: int | None


@dataclass(frozen=True)
class Finding:
    """A claim and its verdict, which rests on `rulings` of real data alone.

    simulated: trials on simulated images, on which nothing rests. commands: what would test it where it was claimed,
    or with the seeds that would settle it; none once it is settled there.
    """

    claim: Claim
    verdict: str
    summary: str
    rulings: tuple[Ruling, ...]
    simulated: tuple[Trial, ...]
    commands: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        claim = self.claim
        told = {name: getattr(claim, name) for name in ("id", "sentence", "source", "url", "dataset", "judge")}
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
            **told,
            "claimed": claim.claimed(),
            "verdict": self.verdict,
            "summary": self.summary,
            "rulings": rulings,
            "simulated": [dataclasses.asdict(one) for one in self.simulated],
            "commands": list(self.commands),
        }


def find(claim: Claim, rows: Sequence[Row]) -> Finding:
    """The verdict on a claim from pooled rows that are ok."""
    judge = JUDGES[claim.judge]
    trained = [row for row in rows if not row.undertrained]
    rulings = ruled(judge(claim, [row for row in trained if not row.synthetic]))
    simulated = judge(claim, [row for row in trained if row.synthetic])
    verdict, summary, settled = _sum_up(claim, rulings)
    summary += _not_counted(claim, rows)
    commands = () if settled else _commands(claim, rulings)
    return Finding(claim, verdict, summary, tuple(rulings), tuple(simulated), commands)


def _not_counted(claim: Claim, rows: Sequence[Row]) -> str:
    """A clause on rows of the claim that were not trained enough, or nothing."""
    short = [row for row in rows if row.undertrained and not row.synthetic]
    named = list(dict.fromkeys(briefly(row) for side in sides(claim, short) for row in side))
    if not named:
        return ""
    what = ", ".join(named) if len(named) <= MOST_NAMED else counted(len(named), "row")
    return f"; not counted, as not trained enough: {what}"


def ruled(trials: Sequence[Trial]) -> list[Ruling]:
    """Each trial's verdict, p adjusted by Holm over those that have one."""
    tested = [i for i, one in enumerate(trials) if one.p is not None]
    adjusted = dict(zip(tested, holm([trials[i].p or 0.0 for i in tested]), strict=True))
    rulings = []
    for i, one in enumerate(trials):
        sure = one.sure if one.p is None else bool(adjusted[i] <= ALPHA)
        word = INCONCLUSIVE if not sure or not one.difference else SUPPORTED if one.difference > 0 else CONTRADICTED
        p = float(adjusted[i]) if i in adjusted else None
        rulings.append(Ruling(word, one, p, *(_needs(one, len(tested)) if word == INCONCLUSIVE else ("", None))))
    return rulings


def _needs(one: Trial, family: int) -> tuple[str, int | None]:
    """What would settle a trial, in words, and how many seeds of each in all, where seeds would."""
    if one.lack is None:
        return one.needs, one.seeds
    family = family if one.p is not None else 1
    beyond = more(one.lack, family) if one.lack.over == SEEDS else None
    return told(one.lack, family), None if beyond is None else one.lack.n + beyond


def _sum_up(claim: Claim, rulings: Sequence[Ruling]) -> tuple[str, str, bool]:
    """The verdict, in words, and whether nothing is left to do where it was claimed.

    All of the data that it was claimed on count before parts of them, and these before other data; the split that
    data came with before those drawn.
    """
    if not rulings:
        return NOT_TESTED, NOT_TESTED, False
    home = [one for one in rulings if one.trial.dataset == claim.dataset]
    whole = [one for one in home if one.trial.limit is None]
    counting = _official(whole) or home or _official([one for one in rulings if one.trial.limit is None]) or rulings
    words = {one.verdict for one in counting} - {INCONCLUSIVE}
    verdict = words.pop() if len(words) == 1 else INCONCLUSIVE
    said = verdict + (f", it depends on where: {_by_word(counting)}" if words and verdict == INCONCLUSIVE else "")
    said += f" on {', '.join(dict.fromkeys(one.trial.dataset for one in counting))}"
    if not home:
        said += f"; it was claimed of {claim.dataset}, where it is not tested"
    elif not whole:
        said += ", on limited numbers of training images"
    return verdict, said, bool(whole) and verdict != INCONCLUSIVE


def _official(rulings: Sequence[Ruling]) -> list[Ruling]:
    """Those of the split that the data came with; all without any."""
    return [one for one in rulings if one.trial.split == OFFICIAL] or list(rulings)


def _by_word(rulings: Sequence[Ruling]) -> str:
    """Where each verdict holds; and of whom, where one place has several."""
    words: dict[str, set[str]] = {}
    for one in rulings:
        words.setdefault(_place(one.trial), set()).add(one.verdict)
    told: dict[str, list[str]] = {word: [] for word in VERDICTS}
    for one in rulings:
        place = _place(one.trial)
        told[one.verdict].append(place + f" ({_who(one.trial)})" * (len(words[place]) > 1))
    return "; ".join(f"{word} at {', '.join(dict.fromkeys(places))}" for word, places in told.items() if places)


def _who(one: Trial) -> str:
    return ", ".join(text for text in (one.evidence[0]["method"], one.evidence[0]["settings"]) if text)


def _place(one: Trial) -> str:
    return f"{one.dataset}, {one.split}" + (f", n={one.n:,}" if one.limit and one.n else "")


def _commands(claim: Claim, rulings: Sequence[Ruling]) -> tuple[str, ...]:
    """Those that the claim has; with as many seeds as would settle it, where seeds would and can."""
    home = [one for one in rulings if one.trial.dataset == claim.dataset and one.trial.limit is None]
    seeds = [one.seeds for one in home if one.seeds]
    if home and not seeds:
        return ()  # more runs would not settle it
    return tuple(_with_seeds(command, max(seeds, default=1)) for command in claim.commands)


def _with_seeds(command: str, n: int) -> str:
    """The command for n seeds, where it would not run as many anyway."""
    suite = re.search(r"--suite (\S+)", command)
    own = len(suites.load(suite[1]).seeds) if suite else 1
    return command + f" --seeds 0-{n - 1}" * (own < n <= MOST_SEEDS)
