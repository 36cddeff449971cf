"""Settings: what they are called, what they mean and what they may be, checked in one place.

    class ForestSettings(Settings):
        trees: Annotated[int, setting("how many trees vote", ge=1)] = 300

pydantic checks the values; what is said of a wrong one, and in lists, is made here from the same declaration.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    WrapValidator,
    create_model,
)
from pydantic import model_validator as _model_validator
from pydantic.fields import FieldInfo

from .errors import UsageError, closest, did_you_mean
from .mixed_values import Document, Facts, SettingValues

NONE_OR_CHECKED = WrapValidator(lambda value, check: None if value is None else check(value))

T = TypeVar("T")
S = TypeVar("S", bound="Settings")

NUMBERS: Mapping[object, str] = {int: "a whole number", float: "a number"}
KINDS: Mapping[object, str] = {str: "text", bool: "true or false"}
SEVERAL = ", or several"
AUTOMATIC = (None, "auto")  # values that leave a setting open
WORDS_FOR_NONE = ("none", "auto")  # that people may write; the command line reads the first


@dataclass(frozen=True)
class Search:
    """The values of a setting that `cellbench tune` tries: those from `low` to `high`, or `choices`.

    log: whether equal ratios, not equal steps, are equally likely. Whole numbers at both ends allow whole numbers only.
    """

    low: float = 0
    high: float = 0
    log: bool = False
    choices: tuple[object, ...] = ()


def between(low: float, high: float, log: bool = False) -> Search:
    return Search(low, high, log)


def among(*choices: object) -> Search:
    return Search(choices=choices)


def setting(
    meaning: str,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    may_be: str = "",
    unset: str = "none",
    reset_by: str = "",
    needs: Mapping[str | bool, str] | None = None,
    search: Search | None = None,
) -> FieldInfo:
    """Return the declaration of a setting, for typing.Annotated.

    meaning: what the setting means, in a few words. ge, gt, le, lt: bounds. may_be: the allowed values in words, where
    type and bounds don't say them. unset: the word for None, where None is allowed; if it is 'auto', people may write
    that. reset_by: name of another setting; if that is changed, a plan resets this one to its default. needs: for each
    value that needs an optional extra, the name of the extra (see core.extras). search: the values that tuning tries;
    None: tuning leaves the setting as it is.
    """
    facts: Document = {
        "may_be": may_be,
        "unset": unset,
        "reset_by": reset_by,
        "needs": dict(needs or {}),
        "search": search,
    }
    declared: FieldInfo = Field(description=meaning, ge=ge, gt=gt, le=le, lt=lt, json_schema_extra=facts)
    return declared


def one_of(*allowed: object) -> AfterValidator:
    """Return a validator that allows only these values.

    Use it where Literal cannot serve: for values such as floats, or for 1 beside True, which Python takes for equal.
    """

    def check(value: T) -> T:
        if value not in allowed:
            raise ValueError(f"{value!r} is none of {allowed}")
        return value

    return AfterValidator(check)


Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
# One value, or several; either stays as it is.
OneOrMore: TypeAlias = T | Annotated[tuple[T, ...], Field(min_length=1)]
# Several values; a single one becomes a tuple of it.
Several = Annotated[tuple[T, ...], BeforeValidator(lambda given: given if isinstance(given, tuple) else (given,))]
# A choice that has the word 'none', which the command line reads as None.
OrNone = Annotated[T, BeforeValidator(lambda given: "none" if given is None else given)]


class Settings(BaseModel):
    """Base of all settings: frozen, and checked when they are made. A wrong value or name raises UsageError."""

    noun: ClassVar[str] = "setting"  # what a field is called where an unknown one is refused

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )

    @_model_validator(mode="wrap")
    @classmethod
    def _refuse_in_our_words(cls, given: object, check: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(given, Mapping):  # one that was made and checked before
            return check(given)
        try:
            return check({name: _as_we_write_it(cls.model_fields.get(name), value) for name, value in given.items()})
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False, include_context=False)
            first = min(wrong, key=lambda one: one["type"] != "extra_forbidden")  # a misspelt name is missing as well
            raise UsageError(_refusal(cls, str(first["loc"][0]), given)) from None


@dataclass(frozen=True)
class Setting:
    """A setting as lists show it.

    default: its value in the settings at hand, which may differ from the default of their class. Others: see `setting`.
    """

    name: str
    default: object
    meaning: str
    may_be: str
    unset: str
    reset_by: str
    needs: Mapping[str | bool, str]
    search: Search | None


def described(settings: Settings) -> list[Setting]:
    """Return a description of each setting, in order, with its present value as the default."""
    return [_described(name, field, getattr(settings, name)) for name, field in type(settings).model_fields.items()]


@cache  # a plan asks for it a hundred times a run
def resets(kind: type[Settings]) -> tuple[tuple[str, str], ...]:
    """Return the names of the settings that a change of another one resets, each with the name of that one."""
    return tuple((name, by) for name, field in kind.model_fields.items() if (by := _facts(field)["reset_by"]))


def names(settings: Settings) -> list[str]:
    return list(type(settings).model_fields)


def replace(settings: S, **changes: object) -> S:
    """Return a checked copy of the settings with other values for some. Raises UsageError for a wrong one."""
    return type(settings)(**{**vars(settings), **changes})


def part(kind: type[S], settings: Settings) -> S:
    """Return settings of class `kind` with the values that `settings` has for them, and defaults for the others."""
    return kind(**{name: value for name, value in vars(settings).items() if name in kind.model_fields})


def left_open(name: str, base: type[S], kind: type[Settings], unset: str) -> type[S]:
    """Return a class with the settings of `base` and, with default None, those that only `kind` has.

    name: name of the class. unset: the word for None in the added settings.
    """
    added: dict[str, Any] = {}
    for field_name, field in kind.model_fields.items():
        if field_name not in base.model_fields:
            facts = dict(_facts(field))
            if facts["unset"] == "none":
                facts["unset"] = unset
            shown = Field(description=field.description, json_schema_extra=facts)
            added[field_name] = (Annotated[field.annotation, shown, *field.metadata, NONE_OR_CHECKED], None)
    return create_model(name, __base__=base, **added)


def is_number(value: object) -> bool:
    """Whether a value is a whole or real number; True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_we_write_it(field: FieldInfo | None, value: object) -> object:
    """Return a value with a list as a tuple, since TOML and JSON have no tuples, and with the word 'auto' as None.

    'auto' is None only for a setting whose word for None it is.
    """
    if isinstance(value, list):
        return tuple(value)
    if field is not None and value == "auto" == _facts(field)["unset"]:
        return None
    return value


# --- words


def _described(name: str, field: FieldInfo, default: object) -> Setting:
    facts = _facts(field)
    may_be = facts["may_be"] or _either(_alternatives(field.annotation, field.metadata))
    return Setting(name, default, field.description or "", **{**facts, "may_be": may_be})


def _facts(field: FieldInfo) -> Facts:
    """Return the arguments of `setting` that pydantic has no place for, such as `may_be` and `unset`."""
    facts = field.json_schema_extra or setting("").json_schema_extra
    assert isinstance(facts, dict)  # as `setting` makes them
    return facts


def _refusal(kind: type[Settings], name: str, given: SettingValues) -> str:
    """Return the message for a setting `name` that is unknown, is missing or has a wrong value in `given`."""
    fields = kind.model_fields
    if name not in fields:
        return f"unknown {kind.noun} {name!r}; {did_you_mean(name, fields)}"
    if name not in given:
        return f"{name} is missing"
    value, field = given[name], fields[name]
    if isinstance(value, str) and (near := closest(value, _choices(field.annotation))):
        return f"{name} is {value!r}; did you mean {' or '.join(map(repr, near))}?"
    allowed = _described(name, field, None).may_be
    word = _facts(field)["unset"]
    if NoneType in get_args(field.annotation) and word in WORDS_FOR_NONE:
        allowed += f", or {word}"
    return f"{name} is {value!r}; give {allowed}"


def _choices(kind: object) -> list[str]:
    """Return the words that a type of literals allows."""
    if get_origin(kind) is Literal:
        return [choice for choice in get_args(kind) if isinstance(choice, str)]
    return [choice for part in get_args(kind) for choice in _choices(part)] if _is_union(kind) else []


def _alternatives(kind: object, bounds: Iterable[object] = ()) -> list[str]:
    """Return in words the values that a type and bounds allow, without None."""
    if get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        return _alternatives(inner, [part for one in more for part in getattr(one, "metadata", [one])] + list(bounds))
    if _is_union(kind):
        found = [words for part in get_args(kind) for words in _alternatives(part, bounds)]
        return [words for words in found if words + SEVERAL not in found]
    if get_origin(kind) is Literal:
        return [str(choice) for choice in get_args(kind)]
    if get_origin(kind) is tuple:
        return [_either(_alternatives(get_args(kind)[0])) + SEVERAL]
    if kind in NUMBERS:
        return [NUMBERS[kind] + _bounded(bounds)]
    return [KINDS[kind]] if kind in KINDS else []


def _is_union(kind: object) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _bounded(bounds: Any) -> str:
    """Return bounds in words: ', at least 1', ' above 0', ' from 0 to 1', ' between 0 and 1', or an empty text."""
    of = {type(bound): bound for bound in bounds}
    if Ge in of and Le in of:
        return f" from {of[Ge].ge:g} to {of[Le].le:g}"
    if Gt in of and Lt in of:
        return f" between {of[Gt].gt:g} and {of[Lt].lt:g}"
    words = {Ge: (", at least", "ge"), Gt: (" above", "gt"), Le: (", at most", "le"), Lt: (" below", "lt")}
    return " and".join(f"{word} {getattr(of[kind], name):g}" for kind, (word, name) in words.items() if kind in of)


def _either(alternatives: list[str]) -> str:
    """Return alternatives joined as 'a', 'a or b', 'a, b or c'."""
    *first, last = alternatives or [""]
    return f"{', '.join(first)} or {last}" if first else last
