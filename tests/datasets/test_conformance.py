"""Every registered data set keeps the rules: embedded ones when made, the others in what they say of themselves."""

import numpy as np
import pytest

from cellbench.core.data import PARTS
from cellbench.core.errors import DataError
from cellbench.datasets import datasets
from cellbench.datasets.files import cache
from cellbench.simulation import hpa_renderer, yeast_renderer

DRAWN = 64  # pictures of each part
EMBEDDED = [entry.name for entry in datasets.entries() if entry.made_on_demand]
WITH_A_SOURCE = [entry.name for entry in datasets.entries() if entry.manual]


def few_pictures(render, chunk):
    """A renderer that draws the first pictures of a part, as they are in the whole, and leaves the others black."""

    def draw(table, shown, seeds, out):
        out[DRAWN:] = 0
        render(table, shown[:DRAWN], seeds[: DRAWN // chunk], out[:DRAWN])

    return draw


@pytest.fixture(scope="module", params=EMBEDDED)
def made(request, tmp_path_factory):
    """An embedded data set with all labels, groups and parts, but few pictures: all would take two minutes to draw."""
    with pytest.MonkeyPatch.context() as patch:
        for renderer in (hpa_renderer, yeast_renderer):
            patch.setattr(renderer, "render", few_pictures(renderer.render, renderer.CHUNK))
        patch.setenv("CELLBENCH_DATA", str(tmp_path_factory.mktemp("cache")))
        entry = datasets[request.param]
        yield entry, cache.read(entry.prepare())


def test_its_name_licence_and_origin_are_told(made):
    entry, data = made
    assert data.name == entry.name
    assert entry.summary
    assert entry.size
    assert data.info.licence
    assert len(data.info.fingerprint) == 16
    assert data.info.synthetic == entry.name.startswith("synthetic")


def test_what_is_said_of_classes_and_channels_is_what_the_prepared_data_have(made):
    entry, data = made
    assert (tuple(entry.classes), tuple(entry.channels)) == (data.classes, data.channels)


def test_every_part_has_images_of_every_class(made):
    _, data = made
    for part in PARTS:
        assert min(data.class_counts()[part]) > 0


def test_no_group_straddles_the_split(made):
    _, data = made
    if data.groups is None:
        pytest.skip("this data set has no groups")
    groups = [set(data.groups[data.split[part]]) for part in PARTS]
    assert sum(map(len, groups)) == len(set.union(*groups))


def test_its_images_cannot_be_changed(made):
    _, data = made
    with pytest.raises(ValueError, match="read-only"):
        data.images[0] = 0


def test_its_images_are_not_all_alike(made):
    _, data = made
    assert len(np.unique(data.images[:50].reshape(50, -1), axis=0)) == 50


@pytest.mark.parametrize("name", WITH_A_SOURCE)
def test_a_data_set_that_needs_a_source_says_in_one_line_how_to_get_it(name):
    entry = datasets[name]
    assert entry.licence
    assert entry.summary
    assert "\n" not in entry.manual
    if entry.ready:
        pytest.skip(f"{name} was found on this machine")
    with pytest.raises(DataError, match=f"cellbench prepare {name} --from"):
        entry.prepare()
