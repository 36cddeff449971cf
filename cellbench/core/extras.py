"""The optional packages: what each is called, and whether it is there."""

import importlib.util
from dataclasses import dataclass

from .errors import BackendError


@dataclass(frozen=True)
class Extra:
    """An extra of cellbench by name, and the module that it brings."""

    name: str
    module: str

    @property
    def command(self) -> str:
        return f'pip install "cellbench[{self.name}]"'

    @property
    def installed(self) -> bool:
        """Whether its module is there; that it can be loaded is another matter, see `cellbench doctor`."""
        return importlib.util.find_spec(self.module) is not None

    def require(self, who: str) -> None:
        """Raises BackendError where it isn't there."""
        if not self.installed:
            raise BackendError(f"{who} needs the package {self.module}, which is missing; {self.command}")


EXTRAS = {
    extra.name: extra
    for extra in (
        Extra("cuda", "cuml"),
        Extra("imbalance", "imblearn"),
        Extra("medmnist", "medmnist"),
        Extra("multilabel", "iterstrat"),
        Extra("thundersvm", "thundersvm"),
        Extra("timm", "timm"),
    )
}
