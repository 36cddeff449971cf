"""Images, classes and groups are counted by part, and sizes on disk are found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from cellbench.datasets.audit import counts, pixels
from cellbench.datasets.folder import FolderOptions

from .made import block_split, dataset, textures


def test_facts_count_images_and_groups_by_part():
    data = dataset(textures(60), groups=np.arange(60) // 6, split=block_split(60, 12))
    facts = counts.facts(data, pixels.scan(data).levels)
    assert facts["parts"] == {"train": 36, "val": 12, "test": 12}
    assert facts["counts"]["val"] == {"round": 0, "oval": 4, "dotted": 8}
    assert facts["groups"] == {"train": 6, "val": 2, "test": 2}
    finding = counts.empty_classes(data)
    assert finding.status == "found"
    assert finding.figures["absent"] == ["dotted in train", "round in val", "round in test", "oval in test"]
    assert counts.empty_classes(dataset(textures(60))).status == "ok"


def test_groups_in_two_parts_are_counted():
    n = 60
    whole = dataset(textures(n), split=block_split(n, 4), groups=np.arange(n) // 2)
    assert counts.groups(whole).status == "ok"
    torn = replace(whole, groups=(np.arange(n) + 1) // 4)  # one of the four is in the block before
    finding = counts.groups(torn)
    assert finding.status == "found"
    assert finding.figures["groups"] == 16
    assert finding.figures["in_several_parts"] == 8  # 14 inner borders, less 6 between two blocks of train
    assert counts.groups(dataset(textures(n))).status == "skipped"


def test_sizes_on_disk_pair_up_with_the_prepared_images(tmp_path: Path):
    for k, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.new("L", (20 + i, 30 + k)).save(tmp_path / name / f"{i}.png")
    sizes = counts.original_sizes(tmp_path, FolderOptions(), 6)
    assert sizes is not None
    assert sizes.tolist() == [[30, 20], [30, 21], [30, 22], [31, 20], [31, 21], [31, 22]]
    assert counts.original_sizes(tmp_path, FolderOptions(), 5) is None
