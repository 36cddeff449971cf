"""The table of nets in the documentation is the table of nets."""

import importlib.util
import os
import re
from pathlib import Path

import pytest
import torch

from cellbench.deep.nets import NETS

PAGE = Path(__file__).parents[3] / "docs" / "nets.md"
PART = re.compile(r"(?<=<!-- nets -->\n).*?(?=<!-- /nets -->)", re.DOTALL)
HEAD = "| net | what | source | parameters | smallest image | options | ImageNet |\n|:--|:--|:--|--:|--:|:--|:--|\n"


def row(name: str, written: str) -> str:
    """The net's row; where timm is missing, the number of parameters that stands in the page is taken."""
    net = NETS[name]
    if NETS[name].needs == "timm" and not importlib.util.find_spec("timm"):
        parameters = re.search(rf"`{name}`.*? \| ([\d,]+) \|", written)[1]
    else:
        with torch.device("meta"):
            built = net.build(1, 6, max(64, net.min_size))
        parameters = f"{sum(p.numel() for p in built.parameters()):,}"
    options = ", ".join(f"`{option}`" for option in net.options)
    weights = (net.pretrained or "").partition(":")[0]
    return f"| `{name}` | {net.summary} | {net.source} | {parameters} | {net.min_size} | {options} | {weights} |\n"


def test_the_page_has_the_table_of_all_nets():
    """CELLBENCH_UPDATE_GOLDEN=1 rewrites it; read the difference before it is committed."""
    page = PAGE.read_text(encoding="utf-8")
    written = PART.search(page)[0]
    table = HEAD + "".join(row(name, written) for name in NETS)
    if os.environ.get("CELLBENCH_UPDATE_GOLDEN"):
        PAGE.write_text(PART.sub(lambda _: table, page), encoding="utf-8")
        pytest.skip("rewritten")
    assert written == table
