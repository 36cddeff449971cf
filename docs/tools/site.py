"""The pages that stand outside docs/ as pages of the site, and links between pages as the site has them; for mkdocs.

In the repository README.md, CONTRIBUTING.md and CHANGELOG.md lie above docs/, and links are from file to file. The site
has README.md as its first page. A link to a file that is no page, such as the licence, becomes its name.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
OUTSIDE = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
SOURCE = {page: source for source, page in OUTSIDE.items()}
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s#]+)(#[^)\s]*)?\)")
CODE = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie above docs/."""
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:
    """Return the page with its links as the site has them."""
    uri = page.file.src_uri
    source = SOURCE.get(uri, f"docs/{uri}")
    known = {file.src_uri for file in files}
    parts = CODE.split(markdown)  # blocks of code, at odd places, stay as they are
    parts[::2] = [LINK.sub(lambda found: _link(found, source, uri, known), part) for part in parts[::2]]
    return "".join(parts)


def _link(found: re.Match[str], source: str, uri: str, known: set[str]) -> str:
    """Return a link of the file `source` as one of the page `uri`, or its text if it leads to no file of the site."""
    picture, text, path, anchor = found[1], found[2], found[3], found[4] or ""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    target = OUTSIDE.get(target, target.removeprefix("docs/") if target.startswith("docs/") else "")
    if target not in known:
        return text
    return f"{picture}[{text}]({posixpath.relpath(target, posixpath.dirname(uri) or '.')}{anchor})"
