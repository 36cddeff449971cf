"""The optional packages, against those that the project declares."""

import configparser
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from cellbench.core.errors import BackendError
from cellbench.core.extras import EXTRAS, Extra


@pytest.fixture(scope="module")
def declared():
    """The packages of each extra, by name."""
    file = configparser.RawConfigParser()
    assert file.read(Path(__file__).parents[2] / "setup.cfg")
    extras = {name: re.findall(r"^([\w-]+)[>=]", text, re.M) for name, text in file["options.extras_require"].items()}
    return {name: packages for name, packages in extras.items() if name not in ("test", "dev", "docs")}


def test_every_extra_of_the_project_is_known(declared):
    assert set(EXTRAS) == set(declared)


@pytest.mark.parametrize("name", EXTRAS)
def test_the_module_of_an_extra_comes_with_its_package(declared, name):
    if not EXTRAS[name].installed:
        pytest.skip(f"{name} is not installed")
    brought = {each.lower().replace("_", "-") for each in packages_distributions()[EXTRAS[name].module]}
    assert brought & set(declared[name])


def test_one_that_is_not_there_is_refused_with_what_installs_it():
    with pytest.raises(BackendError, match=r'^it needs the package no_such, .*; pip install "cellbench\[none\]"$'):
        Extra("none", "no_such").require("it")
