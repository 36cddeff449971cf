"""Names for values of several types by name, where no class describes them."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Facts: TypeAlias = Mapping[str, Any]  # to be read only: the facts of a record, or what a JSON object holds
Document: TypeAlias = dict[str, Any]  # to be written as a JSON object, or a file
SettingValues: TypeAlias = Mapping[str, Any]  # of a method, by the setting's name
State: TypeAlias = Mapping[str, Any]  # all that a fitted method has learnt: tensors, numbers, text, lists of them
