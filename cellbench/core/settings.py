"""Settings: what they are called, what they mean and what they may be, checked in one place.

    class ForestSettings(Settings):
        trees: Annotated[int, setting("how many trees vote", ge=1)] = 300

pydantic checks the values; what is said of a wrong one, and in lists, is made here from the same declaration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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

NONE_OR_CHECKED = WrapValidator(lambda value, check: None if value is None else check(value))

T = TypeVar("T")
S = TypeVar("S", bound="Settings")

NUMBERS = {int: "a whole number", float: "a number"}
KINDS = {str: "text", bool: "true or false"}
SEVERAL = ", or several"
WORDS_FOR_NONE = ("none", "auto")  # that people may write; the command line reads the first


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
    needs: Mapping[Any, str] | None = None,
) -> Any:
    """What a setting means, in a few words, and its bounds: at least, above, at most, below. For typing.Annotated.

    may_be: what it may be, in words, where type and bounds don't say it. unset: the word for None, where that is
    allowed; people may write 'auto' too. reset_by: name of another setting, whose change takes this one back to its
    default in a plan. needs: value to the extra of cellbench (see core.extras) that it takes.
    """
    facts: dict[str, Any] = {"may_be": may_be, "unset": unset, "reset_by": reset_by, "needs": dict(needs or {})}
    return Field(description=meaning, ge=ge, gt=gt, le=le, lt=lt, json_schema_extra=facts)


def one_of(*allowed: Any) -> AfterValidator:
    """A check for values of a type that has no literals, or whose literals would be equal to others: True is 1."""

    def check(value: Any) -> Any:
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
    def _refuse_in_our_words(cls, given: Any, check: ModelWrapValidatorHandler[Self]) -> Self:
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
    """A setting as lists show it. default: of the method at hand, which may differ from that of the class."""

    name: str
    default: Any
    meaning: str
    may_be: str
    unset: str
    reset_by: str
    needs: Mapping[Any, str]


def described(settings: Settings) -> list[Setting]:
    """The settings, in order, with their values as defaults."""
    return [_described(name, field, getattr(settings, name)) for name, field in type(settings).model_fields.items()]


def names(settings: Settings) -> list[str]:
    return list(type(settings).model_fields)


def replace(settings: S, **changes: Any) -> S:
    """The same settings with other values for some of them, checked."""
    return type(settings)(**{**vars(settings), **changes})


def part(kind: type[S], settings: Settings) -> S:
    """The settings of one class among those of another that has more, or, where it has fewer, with defaults."""
    return kind(**{name: value for name, value in vars(settings).items() if name in kind.model_fields})


def left_open(name: str, base: type[S], kind: type[Settings], unset: str) -> type[S]:
    """A class with the settings of `base` and those of `kind`, all None unless given; `unset` is their word for that.

    What both have by one name is as in `base`.
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
    """Whether it is a whole or real number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_we_write_it(field: FieldInfo | None, value: Any) -> Any:
    """TOML and JSON have lists where we have tuples, and people write a word such as 'auto' for None."""
    if isinstance(value, list):
        return tuple(value)
    if field is not None and value == "auto" == _facts(field)["unset"]:
        return None
    return value


# --- words


def _described(name: str, field: FieldInfo, default: Any) -> Setting:
    facts = _facts(field)
    may_be = facts["may_be"] or _either(_alternatives(field.annotation, field.metadata))
    return Setting(name, default, field.description or "", **{**facts, "may_be": may_be})


def _facts(field: FieldInfo) -> Mapping[str, Any]:
    """What `setting` says beyond what pydantic knows."""
    facts: Any = field.json_schema_extra or setting("").json_schema_extra
    return facts


def _refusal(kind: type[Settings], name: str, given: Mapping[str, Any]) -> str:
    """What is said of a value that `name` cannot have."""
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


def _choices(kind: Any) -> list[str]:
    """The words that a value of this type may be."""
    if get_origin(kind) is Literal:
        return [choice for choice in get_args(kind) if isinstance(choice, str)]
    return [choice for part in get_args(kind) for choice in _choices(part)] if _is_union(kind) else []


def _alternatives(kind: Any, bounds: Any = ()) -> list[str]:
    """What a value of this type and within these bounds may be, but for None."""
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


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _bounded(bounds: Any) -> str:
    """', at least 1', ' above 0', ' from 0 to 1', ' between 0 and 1', or nothing."""
    of = {type(bound): bound for bound in bounds}
    if Ge in of and Le in of:
        return f" from {of[Ge].ge:g} to {of[Le].le:g}"
    if Gt in of and Lt in of:
        return f" between {of[Gt].gt:g} and {of[Lt].lt:g}"
    words = {Ge: (", at least", "ge"), Gt: (" above", "gt"), Le: (", at most", "le"), Lt: (" below", "lt")}
    return " and".join(f"{word} {getattr(of[kind], name):g}" for kind, (word, name) in words.items() if kind in of)


def _either(alternatives: list[str]) -> str:
    """'a', 'a or b', 'a, b or c'."""
    *first, last = alternatives or [""]
    return f"{', '.join(first)} or {last}" if first else last
