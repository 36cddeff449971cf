"""Fields of settings that say what they mean and what they may be, so that a list of them can be read."""

import math
from dataclasses import Field, field
from typing import Any, get_args


def described(default: Any, means: str, may_be: str = "", **more: Any) -> Any:
    """A field with what it does in a few words and, where its type does not say it, what it may be.

    more: needs={value: name of an optional package}; reset_by: name of another setting, whose change takes this one
    back to its default in a plan; unset: what None stands for, in a word.
    """
    return field(default=default, metadata={"means": means, "may_be": may_be, **more})


def choice(means: str, default: str, *others: str, **more: Any) -> Any:
    return described(default, means, choices=(default, *others), **more)


def number(default: Any, means: str, least: float = 0, most: float = math.inf, open: bool = False, **more: Any) -> Any:
    """One from least to most; open: neither end is allowed."""
    return described(default, means, least=least, most=most, open=open, **more)


def bounds(setting: Field) -> str:
    """What the number of a field must be."""
    least, most, open = (setting.metadata[name] for name in ("least", "most", "open"))
    if most == math.inf:
        return f"{'above' if open else 'at least'} {least:g}"
    return f"{'between' if open else 'from'} {least:g} {'and' if open else 'to'} {most:g}"


def is_number(value: object) -> bool:
    """Whether it is a whole or real number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def allowed(setting: Field) -> str:
    """What a field may be, in words; '' when neither it nor its type says so."""
    kinds = get_args(setting.type) or (setting.type,)
    if choices := setting.metadata.get("choices"):
        return ", ".join(choices)
    if "least" in setting.metadata:
        return "a whole number, " * (int in kinds) + bounds(setting)
    return setting.metadata.get("may_be") or "true or false" * (bool in kinds)
