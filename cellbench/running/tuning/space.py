"""Which settings of a method tuning varies, and which values it tries; each setting says so where it is defined."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...core.errors import UsageError
from ...core.mixed_values import Document, SettingValues
from ...core.records.runs import canonical_text
from ...core.settings import Search, described
from ...methods.registry import MethodEntry, methods

if TYPE_CHECKING:
    from optuna.trial import Trial

Space = Mapping[str, Search]


def space_of(entry: MethodEntry) -> Space:
    """Return what tuning tries of a method's settings. Raises UsageError if that is nothing."""
    found = {setting.name: setting.search for setting in described(entry.defaults) if setting.search is not None}
    if not found:
        with_space = [one.name for one in methods.entries() if any(s.search for s in described(one.defaults))]
        raise UsageError(
            f"method {entry.name!r} has no settings to tune; these have some: {', '.join(with_space)}. A setting of "
            "your own is tuned if it says what to try: setting(..., search=between(1, 50))"
        )
    return found


def suggested(space: Space, trial: "Trial") -> SettingValues:
    """Return the values that a trial has to try, by setting."""
    return {name: _suggest(name, search, trial) for name, search in space.items()}


def _suggest(name: str, search: Search, trial: "Trial") -> object:
    if search.choices:
        texts = [canonical_text(choice) for choice in search.choices]  # Optuna stores numbers and text alone
        return search.choices[texts.index(trial.suggest_categorical(name, texts))]
    if isinstance(search.low, int) and isinstance(search.high, int):
        return trial.suggest_int(name, search.low, search.high, log=search.log)
    return float(f"{trial.suggest_float(name, search.low, search.high, log=search.log):.4g}")  # digits people can type


def as_json(space: Space) -> Document:
    """Return a space as JSON values: a study of another space is another study."""
    return {name: [one.low, one.high, one.log, list(one.choices)] for name, one in space.items()}
