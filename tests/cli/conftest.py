"""A folder of images as a user has them."""

from pathlib import Path

import pytest
from PIL import Image

from cellbench.datasets.toy import rings


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """A folder of one's own images, a sub-folder a class."""
    data = rings(n=60)
    for i, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        folder = tmp_path / "my cells" / data.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(folder / f"{i}.png")
    return tmp_path / "my cells"
