"""The optional packages: the name of each, and whether it is installed."""

import importlib.util
from dataclasses import dataclass

from .errors import BackendError


@dataclass(frozen=True)
class Extra:
    """An optional extra of cellbench: its name, and the module that it installs."""

    name: str
    module: str

    @property
    def command(self) -> str:
        return f'pip install "cellbench[{self.name}]"'

    @property
    def installed(self) -> bool:
        """Whether its module is installed; `cellbench doctor` checks whether it can also be imported."""
        return importlib.util.find_spec(self.module) is not None

    def require(self, who: str) -> None:
        """Raise BackendError if the extra is not installed; who: what needs it, for the message."""
        if not self.installed:
            raise BackendError(f"{who} needs the package {self.module}, which is missing; {self.command}")


EXTRAS = {
    extra.name: extra
    for extra in (
        Extra("anndata", "anndata"),
        Extra("cuda", "cuml"),
        Extra("dask", "distributed"),
        Extra("heatmaps", "pytorch_grad_cam"),
        Extra("imbalance", "imblearn"),
        Extra("labels", "cleanlab"),
        Extra("medmnist", "medmnist"),
        Extra("mlflow", "mlflow"),
        Extra("multilabel", "iterstrat"),
        Extra("onnx", "onnxruntime"),
        Extra("parquet", "pyarrow"),
        Extra("safetensors", "safetensors"),
        Extra("thundersvm", "thundersvm"),
        Extra("timm", "timm"),
        Extra("zarr", "zarr"),
        Extra("tune", "optuna"),
    )
}
