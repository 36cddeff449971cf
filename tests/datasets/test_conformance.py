"""Every registered data set keeps the rules: embedded ones when made, the others in what they say of themselves."""

from dataclasses import replace

import numpy as np
import pytest

from cellbench.core.errors import DataError
from cellbench.datasets import DatasetEntry, datasets
from cellbench.datasets.conformance import CHECKS, check_same_again, conformance
from cellbench.datasets.files import cache
from cellbench.simulation.human import renderer as human_renderer
from cellbench.simulation.yeast import renderer as yeast_renderer

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
        for renderer in (human_renderer, yeast_renderer):
            patch.setattr(renderer, "render", few_pictures(renderer.render, renderer.CHUNK))
        patch.setenv("CELLBENCH_DATA", str(tmp_path_factory.mktemp("cache")))
        entry = datasets[request.param]
        yield entry, cache.read(entry.prepare())


# Whether it is the same when it is made again takes long, and the simulators' own tests see to it.
QUICK = [check for check in CHECKS if check is not check_same_again]


@pytest.mark.parametrize("check", QUICK, ids=lambda check: check.__name__)
def test_it_keeps_the_rule(made, check):
    check(*made)


def test_its_fingerprint_and_whether_it_is_simulated_are_told(made):
    entry, data = made
    assert len(data.info.fingerprint) == 16
    assert data.info.synthetic == entry.name.startswith("synthetic")


def test_what_is_said_of_classes_and_channels_is_what_the_prepared_data_have(made):
    entry, data = made
    assert (tuple(entry.classes), tuple(entry.channels)) == (data.classes, data.channels)


def test_its_images_cannot_be_changed(made):
    _, data = made
    with pytest.raises(ValueError, match="read-only"):
        data.images[0] = 0


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


def test_a_broken_data_set_is_told_what_it_broke(toy):
    torn = replace(toy, groups=np.arange(len(toy)) % 7, images=np.zeros_like(toy.images))
    entry = DatasetEntry("torn", lambda scratch, source: torn, "", licence="CC0", size="few", made_on_demand=True)
    assert [problem for _, problem in conformance(entry) if problem] == [
        "it is registered as 'torn' and built as 'toy'",
        "14 groups have images in several parts",
        "of the first 50 images 1 are different",
    ]


def test_one_that_cannot_be_made_is_told_so():
    def build(scratch, source):
        raise ValueError("no lamp")

    entry = DatasetEntry("dark", build, "dark", licence="CC0", size="none", made_on_demand=True)
    assert list(conformance(entry)) == [
        ("It can be prepared, and its parts fit together.", "it raised ValueError: no lamp")
    ]
