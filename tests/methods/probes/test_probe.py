"""Probes: images through a frozen encoder, kept with their cost, and shared by all heads."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from cellbench.core.errors import DataError, UsageError
from cellbench.core.machine.contention import Spent
from cellbench.core.records.runs import RunLog
from cellbench.core.settings import replace
from cellbench.datasets.preprocessing import three_channels
from cellbench.datasets.toy import rings
from cellbench.deep.precision import choose_precision
from cellbench.deep.pretrained import encoders
from cellbench.methods import methods
from cellbench.methods.probes import embedding
from cellbench.methods.probes.embedding import Embedder, full_scale
from cellbench.methods.probes.probe import EncoderSettings

SMALL = "resnet20"  # a thin net, quick on a slow machine


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return encoders.untrained(SMALL, 32, None, "head", "cpu")


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 2, 32, 32), np.uint8)


def embed(encoder, images, mode="each", views=1):
    return Embedder(encoder, mode, full_scale(images), views, "cpu")(images)


def encoded(encoder, pictures):
    """By the encoder itself, in the precision of this machine: where that is bf16, a result has three digits."""
    with torch.inference_mode(), choose_precision("auto", "cpu")():
        return encoder(torch.from_numpy(pictures / np.float32(255))).float()


def fitted(name="probe-knn", n=60, **settings):
    entry, data, log = methods[name], rings(n=n), RunLog()
    method = entry.factory(replace(entry.defaults, encoder=SMALL, weights=None, **settings), 0, "cpu")
    method.fit(data.part("train"), data.part("val"), log)
    return method, log, method.predict(data.part("test").images)


def test_each_channel_goes_through_the_encoder_as_a_grey_picture(encoder, images):
    expected = torch.cat([encoded(encoder, images[:, [channel] * 3]) for channel in (0, 1)], 1).numpy()
    np.testing.assert_allclose(embed(encoder, images), expected, rtol=1e-4, atol=1e-5)


def test_channels_may_make_one_picture(encoder, images):
    expected = encoded(encoder, three_channels(images)).numpy()
    np.testing.assert_allclose(embed(encoder, images, "rgb"), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_the_full_scale_of_every_dtype_is_white(encoder, images, dtype):
    images[0, 0, 0, 0] = 255
    same = images.astype(np.uint16) * 257 if dtype == "uint16" else images.astype(np.float32) / 255
    np.testing.assert_allclose(embed(encoder, same), embed(encoder, images), rtol=1e-4, atol=1e-5)


def test_eight_views_are_the_mean_over_turns_and_reflections(encoder, images):
    views = [np.rot90(flipped, k, (2, 3)).copy() for flipped in (images, images[..., ::-1]) for k in range(4)]
    expected = np.mean([embed(encoder, view) for view in views], 0)
    np.testing.assert_allclose(embed(encoder, images, views=8), expected, rtol=1e-3, atol=1e-5)


def test_embeddings_are_made_once_for_all_heads_and_counted_each_time(monkeypatch):
    seconds = itertools.count()
    monkeypatch.setattr(Spent, "now", lambda: Spent(next(seconds), 0, 0))
    first, log, _ = fitted("probe-knn")
    assert not first.facts["embeddings_from_cache"]
    for head in ("probe-linear", "probe-svm"):
        second, again, _ = fitted(head)
        assert second.facts["embeddings_from_cache"]
        assert again.seconds["features"] >= log.seconds["features"]
    _, again, _ = fitted("probe-knn")
    assert again.spent == log.spent


@pytest.mark.parametrize("change", [{"pooling": "max"}, {"channel_mode": "rgb"}, {"views": 8}, {"n": 63}])
def test_other_settings_or_images_are_embedded_anew(change):
    fitted()
    assert not fitted(**change)[0].facts["embeddings_from_cache"]


def test_another_number_of_threads_embeds_anew_as_its_cost_is_another():
    fitted()
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        assert not fitted()[0].facts["embeddings_from_cache"]
    finally:
        torch.set_num_threads(threads)


def test_nets_of_one_class_of_modules_do_not_share_embeddings(encoder, images):
    """Two nets may have the same modules and weights, and pad their images differently."""
    one, two = (
        embedding._key(Embedder(each, "each", 255.0, 1, "cpu"), {"train": images})
        for each in (encoder, dataclasses.replace(encoder, name="resnet32"))
    )
    assert one != two


def test_a_value_that_is_no_number_is_refused(encoder, images):
    broken = images.astype(np.float32)
    broken[1, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"image 1 .* is not a finite number"):
        embed(encoder, broken)


def test_the_seed_matters_only_where_weights_are_drawn():
    entry = methods["probe-svm"]
    assert not entry.is_seeded(dict(entry.defaults))
    assert entry.is_seeded({**vars(entry.defaults), "weights": None})


def test_a_damaged_cache_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path))
    _, _, scores = fitted()
    kept = next((tmp_path / "embeddings").iterdir())
    kept.write_bytes(kept.read_bytes()[:500])
    again, _, same = fitted()
    assert not again.facts["embeddings_from_cache"]
    assert np.array_equal(same, scores)
    assert fitted()[0].facts["embeddings_from_cache"]


def test_without_a_cache_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path))
    fitted(cached=False)
    assert not list(tmp_path.iterdir())


def test_the_record_learns_of_encoder_and_budget():
    method, _, _ = fitted("probe-linear", C=(0.01, 0.1))
    assert method.chosen["candidates"] == 2
    assert method.facts["encoder"] == SMALL
    assert method.facts["features"] == 64  # of resnet20's last map
    assert method.parameters == sum(p.numel() for p in encoders.find(SMALL).build(3, 2, 32).parameters())


def test_an_encoders_file_that_does_not_fit_is_refused_in_one_line(tmp_path):
    torch.save(encoders.find("resnet32").build(3, 2, 32).state_dict(), tmp_path / "other.pth")
    entry, data = methods["probe-svm"], rings(n=60)
    wrong = replace(entry.defaults, encoder=SMALL, weights=str(tmp_path / "other.pth"))
    with pytest.raises(DataError, match="resnet20 has none; they belong to another net") as refused:
        entry.factory(wrong, 0, "cpu").fit(data.part("train"), data.part("val"), RunLog())
    assert "\n" not in str(refused.value)


def test_a_file_of_weights_gives_the_encoder_that_was_saved(tmp_path, images):
    torch.manual_seed(3)
    net = encoders.find(SMALL).build(3, 2, 32).eval()
    torch.save(net.state_dict(), tmp_path / "mine.pth")
    encoder, facts = encoders.pretrained(SMALL, str(tmp_path / "mine.pth"), 32, None, "head", "cpu")
    assert facts["weights"] == "mine.pth"
    assert all(torch.equal(encoder.net.state_dict()[name], value) for name, value in net.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"encoder": "torchvision:mobilenet_v22"}, "torchvision has no net called 'mobilenet_v22'; did you mean 'mob"),
        ({"encoder": "mobilenet_v2"}, "no net is called 'mobilenet_v2'"),
        ({"encoder": 3}, "encoder is 3; give a net's name"),
        ({"weights": 1}, "weights is 1; give imagenet or the path of a file, or none"),
        ({"channel_mode": "rbg"}, "channel_mode is 'rbg'; did you mean 'rgb'"),
        ({"pooling": "mean"}, "pooling is 'mean'"),
        ({"views": 4}, "views is 4; give 1 or 8"),
        ({"cached": 1}, "cached is 1; give true or false"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        EncoderSettings(**settings)


def test_a_timm_name_that_does_not_exist_is_refused_with_one_that_does():
    pytest.importorskip("timm", reason="the extra timm is not installed")
    with pytest.raises(UsageError, match="timm has no net called 'vit_tinny_patch16_224'; did you mean 'vit_tiny"):
        EncoderSettings(encoder="timm:vit_tinny_patch16_224")
