"""Renew what the pages show of the records: tables, sentences and figures, each by the command that stands with it.

    python docs/tools/made.py            renews README.md, the pages below docs/ and their figures
    python docs/tools/made.py PAGE ...   renews these pages alone
    python docs/tools/made.py --check    changes nothing; names what would change, and exits with 1 if anything would
    python docs/tools/made.py --pictures renews pictures of the report as well, by Chromium; these are not checked

A block begins with <!-- made by: COMMAND --> and ends with <!-- end -->. Between them stands what the command prints:
as it is if that is Markdown, else as it looks on a terminal. A figure is <!-- drawn by: COMMAND -->, where -o names the
file that the page shows; <!-- pictured by: COMMAND --> stands above a picture of the page that -o names. COMMAND begins
with `cellbench`, or with `python` and one of our own scripts.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"<!-- made by: ([^\n]+) -->\n(.*?)<!-- end -->", re.DOTALL)
FIGURE = re.compile(r"<!-- drawn by: ([^\n]+) -->")
PICTURE = re.compile(r"<!-- pictured by: ([^\n]+) -->\n!\[[^\]]*\]\(([^)]+)\)")
MARKS = re.compile(r'aria-label="([^"]*)"')  # what an SVG of ours says of each of its marks
SCREEN = "1280,900"  # pixels of a picture
COLUMNS = "84"  # of the terminal that other output than Markdown is for


def pages() -> list[Path]:
    """Return README.md and all pages below docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@contextmanager
def shipped_records() -> Iterator[Path]:
    """Go to a new folder that has the records that are shipped and nothing else: a user's own runs lie beside them.

    What is shipped is what git knows; FileNotFoundError is raised where that cannot be told.
    """
    listed = subprocess.run(["git", "ls-files", "results"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise FileNotFoundError("this is no git checkout, so which records are shipped is not known")
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name in listed.stdout.splitlines():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        known = {name: os.environ.get(name) for name in ("COLUMNS", "CELLBENCH_DATA")}
        os.environ.update(COLUMNS=COLUMNS, CELLBENCH_DATA=str(folder / "cache"))  # pages don't depend on one's cache
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)
            for name, value in known.items():
                os.environ.pop(name, None)
                os.environ.update({name: value} if value is not None else {})


def renewed(page: str) -> str:
    """Return the text of a page with every block as its command makes it; to be called among the shipped records."""

    def block(found: re.Match[str]) -> str:
        command = found[1]
        return f"<!-- made by: {command} -->\n{_shown(command, output(command))}\n<!-- end -->"

    return BLOCK.sub(block, page)


def output(command: str) -> str:
    """Return what a command prints. Raises RuntimeError if it fails."""
    program, *arguments = shlex.split(command)
    if program == "cellbench":
        from cellbench.cli import cli

        result = CliRunner().invoke(cli, arguments, prog_name="cellbench")
        if result.exit_code:
            raise RuntimeError(f"{command}: {result.exception or result.output}")
        return result.stdout.strip("\n")
    if program != "python":
        raise RuntimeError(f"{command}: a page's command begins with cellbench or python")
    beside = {**os.environ, "PYTHONPATH": str((ROOT / arguments[0]).parent)}  # what a script imports from its folder
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=beside, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr}")
    return done.stdout.strip("\n")


def _shown(command: str, printed: str) -> str:
    if "--format markdown" in command or command.startswith("python "):
        printed = "\n".join(_lower(printed.split("\n")))
        return f"\n{printed}\n\nMade by `{command}`.\n"
    return f"```text\n$ {command}\n{printed}\n```"


def _lower(lines: list[str]) -> Iterator[str]:
    """Yield lines of Markdown with their headings two levels lower, as a page has its own above them."""
    fenced = False
    for line in lines:
        fenced ^= line.startswith("```")
        yield f"##{line}" if line.startswith("#") and not fenced else line


def figure_of(command: str) -> Path:
    """Return the file, from the project's folder, that a command draws: what stands behind its -o."""
    words = shlex.split(command)
    return Path(words[words.index("-o") + 1])


def marks(svg: str) -> list[str]:
    """Return what a figure says of each of its marks: figures that differ in these show other results."""
    return sorted(MARKS.findall(svg))


def draw(command: str) -> str:
    """Return the SVG that a command draws; to be called among the shipped records."""
    file = figure_of(command)
    file.parent.mkdir(parents=True, exist_ok=True)
    output(command)
    return file.read_text(encoding="utf-8")


def differing(page: Path, *, write: bool) -> list[str]:
    """Return what of a page differs from the records: 'text', and the names of figures. write: renew it as well."""
    found = []
    before = page.read_text(encoding="utf-8")
    after = renewed(before)
    if after != before:
        found.append("text")
        if write:
            page.write_text(after, encoding="utf-8")
    for command in FIGURE.findall(before):
        file = ROOT / figure_of(command)
        svg = draw(command)
        if not file.exists() or marks(svg) != marks(file.read_text(encoding="utf-8")):
            found.append(str(figure_of(command)))
            if write:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(svg, encoding="utf-8")
    return found


def take_pictures(page: Path) -> list[Path]:
    """Renew the pictures that a page shows of other pages, and return their files."""
    taken = []
    for command, name in PICTURE.findall(page.read_text(encoding="utf-8")):
        output(command)
        address = (Path.cwd() / figure_of(command)).as_uri()
        taken.append(page.parent / name)
        shot = [
            f"--screenshot={taken[-1]}",
            f"--window-size={SCREEN}",
            "--hide-scrollbars",
            "--virtual-time-budget=5000",
        ]
        subprocess.run(["chromium", "--headless", "--no-sandbox", *shot, address], capture_output=True, check=True)
    return taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", metavar="PAGE", nargs="*", type=lambda page: Path(page).resolve(), default=pages())
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--pictures", action="store_true", help="renew pictures of the report, too")
    asked = parser.parse_args()
    check = asked.check
    different = False
    with shipped_records():
        for page in asked.pages:
            found = differing(page, write=not check)
            different |= bool(found)
            if found:
                verb = "differs from the records" if check else "renewed"
                print(f"{page.relative_to(ROOT)}: {verb}: {', '.join(found)}")
            for file in take_pictures(page) if asked.pictures else ():
                print(f"{file.relative_to(ROOT)}: taken anew")
    if not different:
        print("what the pages show is what the records give")
    return int(check and different)


if __name__ == "__main__":
    sys.exit(main())
