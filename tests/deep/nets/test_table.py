"""The table of nets: names, options, and what other packages add to it."""

import subprocess
import sys

import pytest
import torch
import torchvision
from torch import nn

from cellbench.core.errors import BackendError, CellbenchError, DataError, UsageError
from cellbench.deep.nets import NETS, find
from cellbench.deep.nets.layers import head_layers
from cellbench.deep.nets.third_party import names

from ..helpers import meta


def predicting(name: str, **options: object) -> nn.Module:
    """A net for two channels, on the meta device, as it predicts."""
    return meta(name, channels=2, **options).eval()


def kinds(net: nn.Module) -> set[type]:
    return {type(module) for module in net.modules()}


def test_the_table_is_read_without_torch():
    code = (
        "import sys, cellbench.deep.nets; assert len(cellbench.deep.nets.NETS) > 25; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_the_depth_view_finds_each_plain_net_beside_its_residual_twin():
    twins = {(net.depth, net.shortcuts) for net in NETS.values() if net.depth}
    residual = {depth for depth, shortcuts in twins if shortcuts}
    assert residual == {18, 34, 50, 101, 20, 32, 44, 56, 110}
    assert {depth for depth, shortcuts in twins if not shortcuts} == residual - {50, 101}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet81", "no net is called 'resnet81'; did you mean 'resnet18'"),
        ("torchvision:resnet81", "torchvision has no net called 'resnet81'; did you mean 'resnet18'"),
        ("torchvison:resnet18", "no package of nets is called 'torchvison'; did you mean 'torchvision'"),
        ("torchvision:fcn_resnet50", "torchvision has no net called 'fcn_resnet50'"),
    ],
)
def test_an_unknown_name_is_refused_with_a_suggestion(name, message):
    with pytest.raises(UsageError, match=message):
        find(name)


@pytest.mark.parametrize("name", ["timm:resnet18", "inception_resnet_v2"])
def test_without_timm_its_nets_say_how_to_get_it(name, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    with pytest.raises(BackendError, match=r'needs the package timm, .*pip install "cellbench\[timm\]"'):
        find(name)


def test_timms_nets_take_any_channels_and_classes():
    pytest.importorskip("timm", reason="the extra timm is not installed")
    for name, size in (("timm:resnet18", 64), ("timm:vit_tiny_patch16_224", 96), ("inception_resnet_v2", 75)):
        assert predicting(name, size=size)(torch.empty(2, 2, size, size, device="meta")).shape == (2, 6)
    with pytest.raises(UsageError, match="timm has no net called 'resnet81'; did you mean 'resnet18'"):
        find("timm:resnet81")
    with pytest.raises(DataError, match=r"not take images of 64×64 pixels .* the smallest that it takes have 75: set"):
        predicting("timm:inception_resnet_v2", size=64)


def test_the_ten_label_study_puts_two_layers_on_its_net():
    """1,536 features to 256 and to each label, in place of the one layer of the net as published."""
    pytest.importorskip("timm", reason="the extra timm is not installed")
    plain, net = predicting("inception_resnet_v2", size=80), predicting("inception_resnet_v2-hpa10", size=80)
    heads = [sum(p.numel() for _, layer in head_layers(each) for p in layer.parameters()) for each in (plain, net)]
    assert heads == [1536 * 6 + 6, 1536 * 256 + 256 + 256 * 6 + 6]
    bodies = [sum(p.numel() for p in each.parameters()) - head for each, head in zip((plain, net), heads, strict=True)]
    assert bodies[0] == bodies[1]
    assert net(torch.empty(2, 2, 80, 80, device="meta")).shape == (2, 6)


@pytest.mark.parametrize(
    "name", ["alexnet", "mobilenet_v2", "googlenet", "inception_v3", "squeezenet1_1", "vit_b_32", "swin_t"]
)
def test_torchvisions_nets_take_any_channels_and_classes_and_give_one_output_in_training(name):
    size = 96
    net = predicting(f"torchvision:{name}", size=size).train()
    assert net(torch.empty(2, 2, size, size, device="meta")).shape == (2, 6)


def test_torchvisions_nets_are_its_classification_nets():
    assert {"resnet18", "vit_b_16", "regnet_y_400mf"} <= names("torchvision")
    assert not {"fcn_resnet50", "fasterrcnn_resnet50_fpn", "r3d_18"} & names("torchvision")


def test_a_torchvision_net_for_three_channels_and_1000_classes_is_torchvisions():
    torch.manual_seed(0)
    ours = find("torchvision:mobilenet_v3_small").build(3, 1000, 64)
    torch.manual_seed(0)
    theirs = torchvision.models.mobilenet_v3_small()
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


@pytest.mark.parametrize(
    ("name", "size", "advice"),
    [
        ("vgg16", 20, "the smallest that it takes have 32: set size=32"),  # five halvings
        ("alexnet", 62, "the smallest that it takes have 63: set size=63"),
        ("inception_v3", 64, "the smallest that it takes have 75: set size=75"),  # as torchvision's page says
        ("vit_b_16", 9, "the smallest that it takes have 16: set size=16"),  # one patch
        ("vit_b_16", 100, "112 would do: set size=112"),  # whole patches
    ],
)
def test_an_image_that_a_torchvision_net_cannot_take_is_refused_with_a_size_that_it_can(name, size, advice):
    with pytest.raises(DataError, match=rf"{name} does not take images of {size}×{size} pixels .*\); {advice}$") as no:
        predicting(f"torchvision:{name}", size=size)
    assert "\n" not in str(no.value)
    predicting(f"torchvision:{name}", size=int(advice.rpartition("=")[2]))


@pytest.mark.parametrize("name", ["torchvision:squeezenet1_1", "torchvision:alexnet", "timm:convnext_nano"])
def test_the_smallest_image_of_anothers_net_is_taken_and_one_pixel_less_is_not(name):
    if name.startswith("timm:"):
        pytest.importorskip("timm", reason="the extra timm is not installed")
    least = find(name).smallest()
    find(name).build(2, 6, least)(torch.zeros(2, 2, least, least))  # with numbers, not on the device that has none
    with torch.device("meta"):
        net = find(name).build(2, 6, 64).eval()
    with pytest.raises(RuntimeError):
        net(torch.empty(2, 2, least - 1, least - 1, device="meta"))


def test_of_a_net_that_cannot_be_tried_no_smallest_image_is_known():
    assert find("torchvision:regnet_y_400mf").smallest() is None


@pytest.mark.parametrize(("activation", "module"), [("mish", nn.Mish), ("gelu", nn.GELU)])
@pytest.mark.parametrize("name", ["mlp", "vgg11", "resnet18", "plain20", "bninception", "torchvision:mobilenet_v2"])
def test_an_activation_takes_the_place_of_every_relu(name, activation, module):
    stock, changed = predicting(name), predicting(name, activation=activation)
    assert kinds(changed) - kinds(stock) == {module}
    assert not {nn.ReLU, nn.ReLU6} & kinds(changed)
    assert changed.state_dict().keys() == stock.state_dict().keys()


def test_a_net_with_mish_computes_mish():
    net = NETS["mlp"].build(1, 2, 4, activation="mish").eval()
    images = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    x = net[2](net[1](images.flatten(1)))
    x = x * torch.tanh(torch.log1p(x.exp()))
    x = net[5](net[4](x))
    x = x * torch.tanh(torch.log1p(x.exp()))
    torch.testing.assert_close(net(images), net[8](x))


def test_dropout_reaches_every_dropout_layer():
    net = predicting("cnn2-yeast", dropout=0.25)
    assert [m.p for m in net.modules() if isinstance(m, nn.Dropout | nn.Dropout2d)] == [0.25, 0.25]


def test_a_net_without_dropout_drops_the_inputs_of_its_last_layer():
    torch.manual_seed(0)
    net = NETS["resnet20"].build(1, 2, 8, dropout=0.5)
    torch.manual_seed(0)
    stock = NETS["resnet20"].build(1, 2, 8)
    assert net.state_dict().keys() == stock.state_dict().keys()
    images = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(net.eval()(images), stock.eval()(images))
    head = net.train().fc
    features = torch.ones(2000, 64)
    nn.init.ones_(head.weight)
    nn.init.zeros_(head.bias)
    scores = head(features)[:, 0]  # twice a binomial count of 64 halves: mean 64, standard deviation 8
    assert abs(scores.mean() - 64) < 1
    assert abs(scores.std() - 8) < 0.5


@pytest.mark.parametrize("name", ["cnn", "vgg-yeast", "vgg13"])
def test_batch_norm_can_be_left_out_where_a_net_has_the_choice(name):
    assert nn.BatchNorm2d in kinds(predicting(name))
    assert nn.BatchNorm2d not in kinds(predicting(name, batch_norm=False))


@pytest.mark.parametrize(
    ("name", "size", "stem", "kernel"),
    [
        ("resnet18", 96, None, 5),
        ("resnet18", 97, None, 7),
        ("resnet18", 64, "stock", 7),
        ("plain18", 128, "small", 5),
        ("alexnet", 64, None, 5),
        ("alexnet", 64, "stock", 11),
        ("bninception", 64, None, 5),
        ("bninception", 128, None, 7),
    ],
)
def test_the_stem_suits_the_image_unless_it_is_chosen(name, size, stem, kernel):
    first = next(m for m in predicting(name, size=size, stem=stem).modules() if isinstance(m, nn.Conv2d))
    assert first.kernel_size == (kernel, kernel)


def test_a_net_with_one_stem_has_the_stock_one():
    assert kinds(predicting("vgg11", stem="stock")) == kinds(predicting("vgg11"))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet18", {"activation": "misch"}, "activation is 'misch'; did you mean 'mish'"),
        ("torchvision:vit_b_32", {"activation": "mish"}, "has no ReLU to replace"),
        ("resnet18", {"dropout": 1.0}, "dropout is 1.0; give a probability"),
        ("resnet18", {"batch_norm": False}, "resnet18 has no choice of batch_norm"),
        ("vgg11", {"stem": "small"}, "vgg11 has no choice of stem"),
        ("resnet18", {"stem": "smal"}, "stem is 'smal'; did you mean 'small'"),
        ("alexnet", {"stem": "stock", "size": 32}, "images of 32×32 pixels are too small for this net"),
    ],
)
def test_an_option_that_a_net_cannot_have_is_refused_in_one_line(name, options, message):
    with pytest.raises(CellbenchError, match=message) as refused:
        predicting(name, **options)
    assert "\n" not in str(refused.value)
