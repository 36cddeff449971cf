"""The study of a method: trials one after the other until the budget is spent, kept in a SQLite file."""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import CellbenchError, UsageError, cannot_write
from ...core.mixed_values import SettingValues
from ...core.records.runs import canonical_text
from ...methods.registry import methods
from ..job import Job
from ..planning.plan import Choice, make_plan
from .budget import TuningBudget
from .one_trial import TrialError, run_trial
from .presence import GRACE, HEARTBEAT, LOCK, at_work, fail_left_behind, locked_study
from .space import Space, as_json, space_of, suggested

if TYPE_CHECKING:
    import optuna

FILE = "tuning.sqlite3"
STARTUP = 5  # trials before any is pruned, or chosen by what earlier ones found
Say = Callable[[str], None]


@dataclass(frozen=True)
class SearchOptions:
    """How to tune.

    part: share of the training images for the trials; below 1, the `best` few run on all afterwards. base: settings of
    every trial that differ from the method's defaults. space: what is tried; as beside the settings if None.
    """

    budget: TuningBudget
    part: float = 1.0
    best: int = 3
    seed: int = 0
    plugins: Sequence[Path] = ()
    base: SettingValues = field(default_factory=dict)
    space: Space | None = None


@dataclass(frozen=True)
class Tuned:
    """What came of tuning one method.

    settings: those that are best on val, {} if these are the defaults. figure: the name of the figure that was chosen
    by; value: the best on val, default: that of the default settings, None if they failed. trials, seconds: what
    tuning cost, whichever process made the trials, failed and pruned ones included. base: settings of every trial.
    """

    job: Job
    settings: SettingValues
    figure: str
    value: float
    default: float | None
    trials: int
    seconds: float
    base: SettingValues = field(default_factory=dict)


def tune(job: Job, file: Path, asked: SearchOptions, say: Say = lambda line: None) -> Tuned:
    """Tune the method of a job, whose settings are the defaults, and return what came of it.

    file: the SQLite file with its study; trials in it are not repeated, and other processes may add to it at the same
    time. say: called with a line for each trial. Raises CellbenchError if every trial failed.
    """
    whole = asked.part == 1
    first = Study(job, file, asked, asked.part)
    first.search(asked.budget if whole else asked.budget.halved, say)
    studies = [first]
    if not whole:
        last = Study(job, file, asked, 1.0)
        last.repeat([{}, *first.best(asked.best)], asked.budget.halved, say)
        studies.append(last)
    return _outcome(job, studies)


def _outcome(job: Job, studies: "Sequence[Study]") -> Tuned:
    trials, seconds = map(sum, zip(*(study.cost() for study in studies), strict=True))
    found = studies[-1].complete()
    if not found:
        reasons = [trial.user_attrs["reason"] for trial in studies[-1].trials() if "reason" in trial.user_attrs]
        why = f"; the last: {reasons[-1]}" if reasons else ""
        what = f"no trial of {job.spec.method} has a figure on val ({trials} tried{why})"
        raise CellbenchError(f"{what}; give it more time")
    best = max(found, key=lambda trial: (trial.value, -trial.number))
    default = next((trial.value for trial in found if not changed_settings(trial)), None)
    value, base = best.value or 0.0, studies[0].asked.base
    return Tuned(job, changed_settings(best), best.user_attrs["figure"], value, default, trials, seconds, base)


@dataclass
class Study:
    """The trials of one method on one part of the training images."""

    job: Job
    file: Path
    asked: SearchOptions
    part: float
    study: "optuna.Study" = field(init=False)

    def __post_init__(self) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        spec = self.job.spec
        self.space = space_of(methods[spec.method]) if self.asked.space is None else self.asked.space
        facts = {**spec.form, "space": as_json(self.space), "part": self.part, "tuned_with": self.asked.seed}
        digest = hashlib.sha256(canonical_text(facts).encode()).hexdigest()[:12]
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(cannot_write(self.file, error, "-o")) from error
        with locked_study(self.file):
            self.study = optuna.create_study(
                storage=self._storage(),
                study_name=f"{spec.method} on {spec.dataset}, {self.part:g} of train, {digest}",
                direction="maximize",
                pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=20),
                load_if_exists=True,
            )

    def _storage(self) -> "optuna.storages.RDBStorage":
        import optuna

        try:
            with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):
                return optuna.storages.RDBStorage(
                    f"sqlite:///{self.file.resolve()}",
                    engine_kwargs={"connect_args": {"timeout": 60}},
                    heartbeat_interval=HEARTBEAT,
                    grace_period=GRACE,
                )
        except Exception as error:
            why = str(error).splitlines()[0]
            raise UsageError(f"{self.file} cannot be used as a study ({why}); remove it, or choose -o") from error

    def search(self, budget: TuningBudget, say: Say) -> None:
        """Try settings, the defaults first as long as they have no figure, until the budget is spent."""
        fail_left_behind(self.study, self.file)
        ahead = [trial for trial in self.study.trials if trial.state.name in ("WAITING", "RUNNING")]
        if not any(changed_settings(trial) == {} for trial in (*self.complete(), *ahead)):
            self.study.enqueue_trial({}, user_attrs={"settings": {}})
        while (left := self._left(budget)) != 0:
            self._try(left, say)

    def repeat(self, several: Sequence[SettingValues], budget: TuningBudget, say: Say) -> None:
        """Try these settings, as far as they were not tried before and the seconds of the budget allow."""
        for settings in several:
            known = [canonical_text(changed_settings(trial)) for trial in self.trials()]
            left = None if budget.seconds is None else self._left(budget)
            if canonical_text(settings) not in known and left != 0:
                self.study.enqueue_trial({}, user_attrs={"settings": dict(settings)})
                self._try(left, say)

    def trials(self) -> "list[optuna.trial.FrozenTrial]":
        """Return the trials that ended by themselves: with a figure, pruned or failed."""
        return [trial for trial in self.study.trials if "seconds" in trial.user_attrs and trial.state.is_finished()]

    def complete(self) -> "list[optuna.trial.FrozenTrial]":
        return [trial for trial in self.trials() if trial.value is not None and "figure" in trial.user_attrs]

    def best(self, n: int) -> list[SettingValues]:
        """Return the settings of the best trials, without the defaults."""
        changed = [trial for trial in self.complete() if changed_settings(trial)]
        return [
            changed_settings(one) for one in sorted(changed, key=lambda trial: (-(trial.value or 0), trial.number))[:n]
        ]

    def cost(self) -> tuple[int, float]:
        """Return the number of trials, and their seconds."""
        return len(self.trials()), sum(trial.user_attrs["seconds"] for trial in self.trials())

    def _left(self, budget: TuningBudget) -> float | None:
        fail_left_behind(self.study, self.file)
        trials, seconds = self.cost()
        if budget.trials is not None:  # of trials at work in other processes, too
            trials += sum(trial.state.name == "RUNNING" for trial in self.study.trials)
        return budget.seconds_left(trials, seconds)

    def _try(self, seconds: float | None, say: Say) -> None:
        import optuna

        # One seed for each number of trials: a study that goes on draws what it would have drawn.
        self.study.sampler = optuna.samplers.TPESampler(
            seed=1000 * self.asked.seed + len(self.study.trials), n_startup_trials=STARTUP
        )
        with at_work(self.file) as lock:
            self.study.optimize(lambda trial: self._figure(trial, lock, seconds, say), n_trials=1, catch=(TrialError,))

    def _figure(self, trial: "optuna.Trial", lock: str, seconds: float | None, say: Say) -> float:
        if lock:
            trial.set_user_attr(LOCK, lock)
        settings = trial.user_attrs.get("settings")
        if settings is None:
            settings = suggested(self.space, trial)
            trial.set_user_attr("settings", settings)
        what = f"{self.job.spec.method}, trial {trial.number + 1}"
        shown = ", ".join(f"{name}={value}" for name, value in settings.items()) or "default settings"
        try:
            value = run_trial(trial, self._job(settings), seconds, self.asked.plugins)
        except TrialError as error:
            say(f"{what}: {error} ({shown})")
            raise
        except Exception as error:
            say(f"{what}: {'pruned' if type(error).__name__ == 'TrialPruned' else error} ({shown})")
            raise
        say(f"{what}: val {value:.4f} ({shown})")
        return value

    def _job(self, settings: SettingValues) -> Job:
        """Return the job of a trial: the method with these settings on this part of the training images."""
        spec = self.job.spec
        limit = spec.limit if self.part == 1 else max(1, round(self.part * self.job.n["train"]))
        given = {**self.asked.base, **settings}
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        (job,) = make_plan(
            [Choice(spec.method, values, spec.split, limit, val_limit="all")],
            [self.job.data],
            seeds=(self.asked.seed,),
            device=spec.device,
            deterministic=spec.deterministic,
        )
        return job


def changed_settings(trial: "optuna.trial.FrozenTrial") -> SettingValues:
    """Return the settings that a trial changed: {} for the defaults, {'': None} for one that did not get so far."""
    return dict(trial.user_attrs["settings"]) if "settings" in trial.user_attrs else {"": None}
