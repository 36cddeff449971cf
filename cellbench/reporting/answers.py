"""A contest of families in plain sentences."""

from collections.abc import Sequence

from ..core.families import Family
from ..core.text.words import counted, duration, printed_difference, signed
from ..results.contest import Contest, Difference, Entrant, better_on_test, contests, is_usual, same_hardware
from ..results.results import Results
from ..results.rows.row import DATA, Line, Row, grouped_by, is_disturbed, is_shared, load_unknown
from ..results.rows.settings import with_settings
from .captions import commands_for_seeds, get_one, limit_of, name_in_sentence, name_of, not_shown, scoring_in_times
from .remedies import train_longer
from .tables.table import two_digits

SHORT = 10.0  # seconds below which a time has digits after the point


def answers(results: Results) -> list[str]:
    """Return one answer in plain sentences for each contest: for each data set, split, limit and hardware."""
    several = results.frame["machine"].nunique() > 1
    found = [contest for group in grouped_by(results.rows, DATA) for contest in contests(with_settings(group))]
    return [answer(contest, (), several) for contest in found]


def answer(contest: Contest, left_out: Sequence[Line] = (), several_machines: bool = False) -> str:
    """Return the contest's outcome in sentences, one statement a line.

    The lines say first what was not trained enough, then who leads and by how much, then which families are missing. A
    line that has a command ends with it.

    left_out: rows of the same data that exist and are not shown. several_machines: whether the results are from more
    than one machine, so that the hardware is named with its machine.
    """
    lines = [_not_enough(one) for one in contest.entrants if not one.trained]
    if contest.entrants:
        lines.append(_comparison(contest, several_machines))
        lines += _better_on_test(contest)
        lines += _few_seeds(contest)
        lines += scoring_in_times([one.row for one in contest.entrants])
    return "\n".join([*lines, *_missing(contest, left_out)])


def _not_enough(entrant: Entrant) -> str:
    row = entrant.row
    reason = f"{_called(row)} was not trained enough ({row['undertrained']})"
    return f"On {_where(row)} {reason}, so there is no verdict on it yet; {train_longer(row)}"


def _few_seeds(contest: Contest) -> list[str]:
    """Return a line on entrants of too few seeds, which ends with the command for three, in a list; empty if none."""
    few = [one.row for one in contest.entrants if one.trained and one.row.too_few_seeds]
    if not few:
        return []
    has = "has" if len(few) == 1 else "have"
    names = " and ".join(_called(row) for row in few)
    what = f"{names} {has} fewer than three seeds: what is said of {'it' if len(few) == 1 else 'them'} holds for "
    models = "this trained model, not for the method" if len(few) == 1 else "these trained models, not for the methods"
    return [f"{what}{models}; get three with: {commands_for_seeds(few)[0]}"]


def _better_on_test(contest: Contest) -> list[str]:
    """Return a line on the entrants that another method of their family beats on test, where val has few images."""
    found = [(one, best) for one in contest.entrants if (best := better_on_test(contest, one))]
    if not found:
        return []
    cases = [
        f"the {one.family.noun} {_called(best)} has {100 * best.value(contest.figure):.1f} %" for one, best in found
    ]
    return [f"On test, which chooses nothing, others do better: {'; '.join(cases)}."]


def _comparison(contest: Contest, several_machines: bool) -> str:
    leader = contest.leader
    others = [one for one in contest.entrants if one is not leader]
    if leader is None:
        sentences = [f"On {_where(contest.entrants[0].row)} there is no result yet that a verdict could rest on"]
    else:
        sentences = _leading(contest, leader, _hardware(leader.row, several_machines))
    if others:
        text = "; ".join(_other(contest, one, several_machines) for one in others)
        sentences.append(text[0].upper() + text[1:])
    if contest.entrants[0].row.synthetic:
        sentences.append("These images are simulated, so no verdict rests on them")
    return ". ".join(sentences) + "."


def _leading(contest: Contest, leader: Entrant, hardware: str) -> list[str]:
    """Return the sentences on the entrant that the others are compared with, and on how entrants were chosen."""
    where, figure = f"On {_where(leader.row)}", f"{_figure(contest, leader)} on test"
    trained = f"{_trained(leader)} on the {hardware}"
    if contest.few_val is None:
        what, floor = "the best on val", contest.leading_floor
        if floor:
            what = f"the floor, {_called(floor.row)}, is ahead of all others on val. The best of those"
        return [f"{where} {what} is {_a(leader.family)}, {_called(leader.row)}: {figure}, {trained}"]
    few = f"{counted(contest.few_val, 'image')} of val are too few to choose methods by"
    usual = [is_usual(one.row) for one in contest.entrants]
    if all(usual):
        few += ", so each family takes part with its usual method"
    elif any(usual):
        few += ", so a family takes part with its usual method, and where that did not run with the best on these few"
    else:
        few += ", and the usual methods did not run: these few images chose all the same"
    what = _named(contest, leader)
    return [f"{where} {few}", f"{what[0].upper()}{what[1:]} has {figure}, {trained}"]


def _named(contest: Contest, one: Entrant) -> str:
    """Return 'the best net, fastnet,' or, where the entrant was not chosen among others, 'the net, fastnet,'."""
    is_chosen = contest.few_val is None or not is_usual(one.row)
    return f"the {'best ' if is_chosen else ''}{one.family.noun}, {_called(one.row)},"


def _other(contest: Contest, one: Entrant, several_machines: bool) -> str:
    """Return a clause on an entrant that does not lead: its figure, difference from the leader and training time."""
    figure = f"{_named(contest, one)} has {_figure(contest, one)}"
    if contest.leader is None or contest.figure not in one.differences:
        untrained = "" if one.trained else ", not trained enough"
        return f"{figure}{untrained}, {_trained(one)}"
    versus = _versus(one.differences[contest.figure], _points(one.row, contest.leader.row, contest.figure))
    if not one.family.contender:
        return f"{figure}, {versus}"
    return f"{figure}, {versus}, {_time(one, contest.leader, several_machines)}"


def _points(row: Row, leader: Row, figure: str) -> float:
    """Return the figure of `row` minus that of `leader` in points, as both are printed."""
    return round(100 * printed_difference(row.value(figure), leader.value(figure)), 1)


def _versus(difference: Difference, points: float) -> str:
    span = _span(difference)
    if difference.shown is False:
        return f"no difference shown{span}"
    if points == 0:
        return f"the same{span}"
    return f"{abs(points)} points {'more' if points > 0 else 'less'}{span}"


def _span(difference: Difference) -> str:
    if difference.low is None or difference.high is None:
        return ""
    ends = f"{signed(100 * difference.low)} to {signed(100 * difference.high)}"
    over = (difference.over or "").partition(" (")[0]  # notes of tables name the classes drawn otherwise
    return f" (95 % interval over {over}: {ends})"


def _time(one: Entrant, leader: Entrant, several_machines: bool) -> str:
    trained = _trained(one)
    if one.time_ratio:
        return f"{trained} ({_times(one.time_ratio, leader.row)})"
    if not same_hardware(one.row, leader.row):
        return f"{trained} on the {_hardware(one.row, several_machines)}, so times are not compared"
    if is_shared(one.row) or is_shared(leader.row):
        return f"{trained} (several runs shared the machine, so times are not compared)"
    if is_disturbed(one.row) or is_disturbed(leader.row):
        return f"{trained} (other programs were at work as well, so times are not compared)"
    if load_unknown(one.row) or load_unknown(leader.row):
        return f"{trained} (whether other programs were at work is unknown, so times are not compared)"
    return trained


def _times(ratio: float, leader: Row) -> str:
    """Return '57 times as long', or for a ratio below 1 how many times as long the leader takes."""
    if ratio >= 1:
        return f"{ratio:,.{two_digits(ratio)}f} times as long"
    return f"{leader['method']} takes {1 / ratio:,.{two_digits(1 / ratio)}f} times as long"


def _trained(entrant: Entrant) -> str:
    seconds = entrant.row.train_seconds
    if seconds is None:
        return "training time unknown"
    return f"trained in {f'{seconds:.2g} s' if 0 < seconds < SHORT else duration(seconds)}"


def _figure(contest: Contest, entrant: Entrant) -> str:
    name = "accuracy" if contest.figure == "accuracy" else "macro-F1"
    return f"{100 * entrant.row[f'test_{contest.figure}']:.1f} % {name}"


def _where(row: Row) -> str:
    split = [f"split {row['split']}"] if row.split != "official" else []
    parts = [name_of([row]), *split, *limit_of(row)]
    return ", ".join(parts) + ("," if len(parts) > 1 else "")


def _hardware(row: Row, several_machines: bool) -> str:
    device = "GPU" if row.device == "cuda" else row.device
    return f"{device} of {row['machine']}" if several_machines else device


def _called(row: Row) -> str:
    return name_in_sentence(row, "pretrained" if row.pretrained else "")


def _a(family: Family) -> str:
    article = "an" if family.noun.startswith("SVM") or family.noun[0] in "aeio" else "a"
    return f"{article} {family.noun}"


def _missing(contest: Contest, left_out: Sequence[Line]) -> list[str]:
    """Return a line on each missing family that is hidden or was skipped, and one on all that were never run.

    The last line ends with the command that runs an example of each of these.
    """
    lines, absent = [], []
    for family in contest.missing:
        hidden = [row for row in left_out if row["family"] == family.name]
        skipped = [row for row in contest.rows if row.family == family.name and row.status == "skipped"]
        if hidden:
            lines.append(f"No {family.noun} is among these runs, but {not_shown(hidden)}")
        elif skipped:
            lines.append(f"No {family.noun} ran: {skipped[0]['method']} was skipped, as {skipped[0]['reason']}")
        else:
            absent.append(family)
    if absent:
        *some, last = (f"no {family.noun}" for family in absent)
        what = f"{', '.join(some)} and {last}" if some else last
        methods = " ".join(family.usual for family in absent)
        lines.append(f"There is {what} among these runs; {get_one(contest.rows[0], methods)}")
    return lines
