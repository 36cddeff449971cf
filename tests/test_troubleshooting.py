"""The page on messages: every refusal that is tested stands on it, and nothing that is no longer printed."""

import ast
import re
from pathlib import Path

import pytest

from .test_refusal_texts import COMMANDS, FOLDERS, OVERRIDES, SETTINGS, SUITES

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
REFUSALS = sorted({message for case in (*SETTINGS, *FOLDERS, *SUITES, *OVERRIDES, *COMMANDS) for message in case[-1:]})


def on_page() -> list[str]:
    """Return the messages that the page explains: each item begins with them, in backticks, up to a colon.

    In a message, … stands for any text.
    """
    items = re.findall(r"^- (.+?)(?=^- |^#|^\n|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    heads = [re.match(r"(`[^`]+`(?:,\s+`[^`]+`)*):", item) for item in items]
    assert all(heads), [item for item, head in zip(items, heads, strict=True) if not head]
    return [" ".join(message.split()) for head in heads for message in re.findall(r"`([^`]+)`", head[1])]


def templates() -> set[str]:
    """Every text in the package, with … in place of what is filled in."""
    found = set()
    for file in (ROOT / "cellbench").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr | ast.Constant):
                found.add(_text(node))
    return found


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else ""


def pattern(message: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, message.split("…"))))


@pytest.mark.parametrize("message", REFUSALS)
def test_every_refusal_stands_on_the_page(message):
    assert [shown for shown in on_page() if pattern(shown).match(message)], message


def test_every_message_of_the_page_is_one_that_the_program_prints():
    known = templates() | set(REFUSALS)
    unknown = [shown for shown in on_page() if not any(pattern(shown).search(text) for text in known)]
    assert unknown == []
    assert len(on_page()) > 60


def test_a_message_that_nobody_prints_would_be_found():
    assert not any(pattern("the microscope is …; clean it").search(text) for text in templates())
