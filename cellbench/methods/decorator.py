"""`@method` makes a method of a function or of a class. Its keyword-only parameters are its settings."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter
from types import SimpleNamespace
from typing import Any, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import create_model

from ..core.data import Images, Samples
from ..core.errors import UsageError
from ..core.machine.contention import Spent
from ..core.mixed_values import SettingValues
from ..core.records.runs import RunLog
from ..core.settings import Settings
from .registry import Method, MethodEntry, methods

F = TypeVar("F", bound=Callable[..., Any])
Score = Callable[[Images], NDArray[Any]]

OF_THE_RUN = ("settings", "seed", "device")  # parameters that are no settings: a run fills them in


def method(
    name: str, summary: str, *, family: str, settings: Settings | None = None, backend: str = "python", **facts: Any
) -> Callable[[F], F]:
    """Return a decorator that registers a function or a class as the method called `name`.

    A function of (train, val, log, *, settings…) learns from train, chooses on val, and returns what scores images: a
    function of images (n, channels, height, width) that gives scores (n, classes). Its keyword-only parameters are the
    settings, annotated with type, meaning and bounds (see core.settings.setting), each with a default; `seed` and
    `device` are those of the run, where it asks for them. `backend` names what does its work.

    A class, or whatever makes one, is made with the settings and has fit and predict, see registry.Method: for methods
    whose models are saved, with `restore` (see MethodEntry), or that are built of parts.

    settings: the defaults, where several methods share a class of settings; it is then given whole, as `settings`.
    facts: further fields of MethodEntry, such as preprocessing, standard, seeded, devices and cost.
    """

    def add(made: F) -> F:
        _check_settings(name, made, settings)
        defaults = _declared(name, made)() if settings is None else settings
        make = partial(_of_function, made, backend) if "train" in _parameters(made) else partial(_of_class, made)
        methods.add(MethodEntry(name=name, factory=make, summary=summary, family=family, defaults=defaults, **facts))
        return made

    return add


def _check_settings(name: str, made: Callable[..., object], settings: object) -> None:
    """Raise UsageError if the defaults are no settings, or if it is not clear what the settings of `made` are."""
    if settings is not None and not isinstance(settings, Settings):
        raise UsageError(
            f"method {name!r} has settings={settings!r}; give an object of a class of cellbench.core.settings.Settings"
        )
    if "settings" not in _parameters(made):
        return
    if settings is None:
        raise UsageError(f"method {name!r} has a parameter 'settings' and no defaults for it; give @method settings=…")
    own = [key for key, one in _parameters(made).items() if one.kind is one.KEYWORD_ONLY and key not in OF_THE_RUN]
    if own:
        raise UsageError(
            f"method {name!r} takes 'settings' and {', '.join(own)}; make these fields of its settings, or leave "
            "'settings' out"
        )


class FunctionMethod:
    """Wraps a function of (train, val, log, …) so that it has the interface of registry.Method."""

    def __init__(self, function: Callable[..., Score], arguments: SettingValues, backend: str) -> None:
        self._function, self._arguments, self.backend = function, arguments, backend
        self.chosen: SettingValues = {}
        self.parameters: int | None = None

    def fit(self, train: Samples, val: Samples, log: RunLog) -> None:
        timed, counted = sum(log.seconds.values()), log.spent
        start, spent = perf_counter(), Spent.now()
        self._score = self._function(train, val, log, **self._arguments)
        if not callable(self._score):
            raise UsageError(
                f"{self._function.__name__} returned {type(self._score).__name__}; return a function of images that "
                "gives their scores, (n, classes)"
            )
        if "fit" not in log.seconds:  # it timed no phase of that name: all but its other phases is training
            others = sum(log.seconds.values()) - timed
            log.carry({"fit": perf_counter() - start - others}, Spent.now() - spent - (log.spent - counted))
        self.chosen = log.chosen

    def predict(self, images: Images) -> NDArray[np.float32]:
        scores = np.asarray(self._score(images))
        return scores.astype(np.float32) if scores.dtype.kind in "fiub" else scores  # others are refused, see a run


def _of_function(function: Callable[..., Score], backend: str, settings: Settings, seed: int, device: str) -> Method:
    return FunctionMethod(function, _arguments(function, settings, seed, device), backend)


def _of_class(made: Callable[..., Method], settings: Settings, seed: int, device: str) -> Method:
    return made(**_arguments(made, settings, seed, device))


def _arguments(made: Callable[..., object], settings: Settings, seed: int, device: str) -> SettingValues:
    """Return the arguments that `made` has parameters for: the run's seed and device, and the settings.

    The settings are passed whole if `made` has a parameter `settings`, else one by one.
    """
    parameters = _parameters(made)
    of_run = {"settings": settings, "seed": seed, "device": device}
    asked = {name: value for name, value in of_run.items() if name in parameters}
    return asked if "settings" in parameters else {**asked, **vars(settings)}


def _declared(name: str, made: Callable[..., object]) -> type[Settings]:
    """Return a class of settings made from the keyword-only parameters of `made`.

    Raises UsageError for a parameter without a type or a default.
    """
    own = {key: one for key, one in _parameters(made).items() if one.kind is one.KEYWORD_ONLY and key not in OF_THE_RUN}
    annotations = {key: one.annotation for key, one in own.items() if one.annotation is not one.empty}
    function = inspect.unwrap(made.__init__ if isinstance(made, type) else made)  # type: ignore[misc]
    names = getattr(function, "__globals__", {})
    hints = get_type_hints(SimpleNamespace(__annotations__=annotations), names, include_extras=True)
    fields: dict[str, Any] = {}
    for key, parameter in own.items():
        if key not in hints or parameter.default is parameter.empty:
            lacking = "default" if key in hints else "type"
            raise UsageError(f"setting {key!r} of method {name!r} has no {lacking}; write it like {key}: int = 5")
        fields[key] = (hints[key], parameter.default)
    return create_model(f"settings of {name}", __base__=Settings, **fields)


def _parameters(made: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(made).parameters
