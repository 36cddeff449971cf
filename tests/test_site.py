"""The site that mkdocs builds: pages from outside docs/, and links as the site has them."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="the extra docs is not installed")
ROOT = Path(__file__).parent.parent
SPEC = importlib.util.spec_from_file_location("site_pages", ROOT / "docs" / "tools" / "site.py")
assert SPEC
assert SPEC.loader
site = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(site)

KNOWN = {"index.md", "contributing.md", "data.md", "studies/yeast.md", "figures/time.svg"}


@pytest.mark.parametrize(
    ("source", "page", "written", "shown"),
    [
        ("README.md", "index.md", "[data](docs/data.md#splits)", "[data](data.md#splits)"),
        ("README.md", "index.md", "![chart](docs/figures/time.svg)", "![chart](figures/time.svg)"),
        ("README.md", "index.md", "[licence](LICENSE)", "licence"),
        ("docs/data.md", "data.md", "[rules](../CONTRIBUTING.md)", "[rules](contributing.md)"),
        ("docs/data.md", "data.md", "[`records`](../results/features.csv)", "`records`"),
        ("docs/studies/yeast.md", "studies/yeast.md", "[data](../data.md)", "[data](../data.md)"),
        ("docs/studies/yeast.md", "studies/yeast.md", "[home](../../README.md)", "[home](../index.md)"),
        ("docs/data.md", "data.md", "[far](https://example.org/a.md) [here](#splits)", None),
    ],
)
def test_links_are_those_of_the_site(source, page, written, shown):
    assert site.LINK.sub(lambda found: site._link(found, source, page, KNOWN), written) == (shown or written)
