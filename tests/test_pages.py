"""The pages of the documentation lead to each other: no link is dead."""

import re
from pathlib import Path

import pytest

from cellbench.cli import cli

from .cli.parsing import parse

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """The lines of blocks of code that call cellbench, without what is said behind them; a synopsis is left out."""
    blocks = re.findall(r"^```(?:sh|bash)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", "\n".join(blocks)).splitlines()
    calls = [part.strip().removeprefix(".venv/bin/") for line in lines for part in line.split("&&")]
    found = [re.split(r"  +| +#| &| \|", line)[0] for line in calls if line.startswith("cellbench ")]
    return [line for line in found if " [" not in line]


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), link


def test_the_page_on_commands_has_each_of_them():
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| \[?`cellbench ([a-z-]+)`", text, re.MULTILINE)) == sorted(cli.commands)


def test_contributing_says_what_is_where():
    rooms = {folder.name for folder in (ROOT / "cellbench").iterdir() if folder.is_dir()} - {"__pycache__"}
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.partition("## Where is what")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)/`", section)) - {"cellbench"}
    assert rooms <= named
    assert all(any(path.is_dir() for path in (ROOT / "cellbench").rglob(name)) for name in named)


def test_every_page_stands_in_the_navigation_of_the_site():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    shown = re.findall(r": (\S+\.md)$", nav, re.MULTILINE)
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert sorted(shown) == sorted({*pages, "index.md", "contributing.md", "changelog.md"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_is_one_that_the_program_takes(page):
    for command in commands(page.read_text(encoding="utf-8")):
        parse(command)


def test_commands_are_found_in_blocks_of_code():
    block = "cellbench run -d a \\\n    -m b   # why\n.venv/bin/x && .venv/bin/cellbench table\ncellbench plot [KIND]\n"
    assert commands(f"```sh\n{block}```\n`cellbench no`\n") == ["cellbench run -d a -m b", "cellbench table"]
