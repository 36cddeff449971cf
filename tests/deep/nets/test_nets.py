"""Nets against torchvision's and against hand computations, and their shapes at every size that matters."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from cellbench.core.errors import DataError
from cellbench.deep.nets import NETS
from cellbench.deep.nets.alexnet import alexnet
from cellbench.deep.nets.cifar import IdentityBlock
from cellbench.deep.nets.inception import BLOCKS, PassThrough
from cellbench.deep.nets.layers import set_activation
from cellbench.deep.nets.resnet import PlainBlock, resnet
from cellbench.deep.nets.vgg import vgg

OURS = [name for name, net in NETS.items() if not net.needs]  # not timm's, which is an extra
HEAVY = {"vgg19", "resnet101", "alexnet-hep2"}  # only their shapes are computed
CIFAR = [20, 32, 44, 56, 110]


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def shaped(name: str, *, channels: int = 3, classes: int = 12, size: int = 64, **options: object) -> nn.Module:
    """A net without weights: shapes and names only."""
    with torch.device("meta"):
        return NETS[name].build(channels, classes, size, **options).eval()


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(("channels", "size"), [(1, 64), (2, 65), (4, 128)])
def test_every_net_takes_every_channel_count_and_size(name, channels, size):
    net = shaped(name, channels=channels, classes=5, size=size)
    assert net(torch.empty(2, channels, size, size, device="meta")).shape == (2, 5)


def test_the_fast_net_has_six_convolutions_all_but_the_first_on_small_maps():
    shapes = {}
    for size in (64, 224):
        net = shaped("fastnet", channels=1, classes=6, size=size)
        seen = []
        for layer in net:
            if isinstance(layer, nn.Conv2d):
                layer.register_forward_hook(lambda _, inputs, output, seen=seen: seen.append(tuple(output.shape[1:])))
        net(torch.empty(1, 1, size, size, device="meta"))
        shapes[size] = [shape[1] for shape in seen]
    assert shapes == {64: [32, 16, 8, 8, 4, 4], 224: [56, 28, 14, 14, 7, 7]}
    convolutions = 25 * 32 + 9 * (32 * 48 + 48 * 96 + 96 * 96 + 96 * 192 + 192 * 192)
    norms = 2 * (32 + 48 + 96 + 96 + 192 + 192)
    assert count(net) == convolutions + norms + (192 + 1) * 6


@pytest.mark.parametrize("name", [name for name in OURS if name not in HEAVY])
def test_every_net_trains_on_its_smallest_image(name):
    entry = NETS[name]
    net = entry.build(2, 3, entry.min_size)
    scores = net(torch.randn(2, 2, entry.min_size, entry.min_size, generator=torch.Generator().manual_seed(0)))
    assert scores.shape == (2, 3)
    assert scores.isfinite().all()
    scores.square().sum().backward()
    first = next(net.parameters()).grad
    assert first is not None
    assert first.isfinite().all()
    assert first.abs().sum() > 0


@pytest.mark.parametrize("name", ["cnn", "cnn2-yeast", "cnn3-yeast", "vgg-yeast", "alexnet", "alexnet-hep2", "vgg11"])
def test_the_smallest_image_is_the_smallest_that_the_layers_can_take(name):
    entry = NETS[name]
    small = entry.min_size - 1
    with torch.device("meta"), pytest.raises((RuntimeError, DataError), match="too small"):
        entry.make(channels=1, classes=3, size=small)(torch.empty(2, 1, small, small))


@pytest.mark.parametrize("name", OURS)
def test_a_smaller_image_is_refused_in_one_line(name):
    entry = NETS[name]
    with pytest.raises(DataError, match=f"{name} needs images of at least {entry.min_size} pixels") as refused:
        entry.build(1, 3, entry.min_size - 1)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101"])
def test_stock_resnets_have_torchvisions_layers(name):
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name)
    ours = shaped(name, classes=1000, stem="stock")
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in theirs.state_dict().items()}


def test_resnet18_of_128_pixels_computes_what_torchvisions_does():
    theirs = torchvision.models.resnet18()
    ours = resnet(18, channels=3, classes=1000, size=128)
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(ours.eval()(images), theirs.eval()(images))


@pytest.mark.parametrize("activation", ["relu", "mish"])
def test_pooling_before_relu_changes_neither_scores_nor_gradients(activation):
    theirs = torchvision.models.resnet18(num_classes=5)
    ours = resnet(18, channels=3, classes=5, size=128)
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    scores, seen = [], []
    for net in (ours, theirs):
        set_activation(net, activation)
        net.relu.register_forward_hook(lambda _, __, y: seen.append(y.shape[2]))
        scores.append(net(images))
        F.cross_entropy(scores[-1], torch.arange(4)).backward()
    assert seen == ([16, 32] if activation == "relu" else [32, 32])  # pixels a side of what it was given
    assert torch.equal(*scores)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine.grad, other.grad)


@pytest.mark.parametrize("depth", [18, 34])
def test_a_plain_twin_has_the_layers_of_its_resnet_but_for_the_shortcuts(depth):
    residual, plain = shaped(f"resnet{depth}"), shaped(f"plain{depth}")
    shortcuts = sum(p.numel() for name, p in residual.named_parameters() if "downsample" in name)
    assert count(plain) == count(residual) - shortcuts
    weighted = [m for m in plain.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(weighted) == depth


def test_a_plain_block_forgets_its_input_when_its_weights_are_zero():
    block = PlainBlock(4, 4).eval()
    nn.init.zeros_(block.layers[3].weight)
    assert block(torch.ones(1, 4, 8, 8)).abs().max() == 0


def test_an_identity_block_hands_on_every_second_pixel_and_empty_new_channels_when_its_weights_are_zero():
    block = IdentityBlock(2, 4, stride=2).eval()
    nn.init.zeros_(block.layers[3].weight)
    images = torch.arange(2 * 8 * 8, dtype=torch.float32).view(1, 2, 8, 8)
    out = block(images)
    torch.testing.assert_close(out[:, :2], images[:, :, ::2, ::2])
    assert out[:, 2:].abs().max() == 0
    assert out.shape == (1, 4, 4, 4)


@pytest.mark.parametrize("depth", CIFAR)
def test_cifar_nets_have_the_papers_layers_and_parameters(depth):
    """By hand: stem, three stages of n blocks of two 3×3 convolutions with batch norm each, then 64 → 10."""
    n = (depth - 2) // 6
    stem = 3 * 16 * 9 + 2 * 16
    same = sum(2 * w * w * 9 + 4 * w for w in (16, 32, 64)) * (n - 1) + (2 * 16 * 16 * 9 + 4 * 16)
    wider = sum((w // 2) * w * 9 + w * w * 9 + 4 * w for w in (32, 64))
    residual, plain = (shaped(f"{kind}{depth}", classes=10, size=32) for kind in ("resnet", "plain"))
    assert count(residual) == count(plain) == stem + same + wider + 64 * 10 + 10
    for net in (residual, plain):
        assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in net.modules()) == depth


def test_resnet20_has_269722_parameters():
    assert count(shaped("resnet20", classes=10, size=32)) == 269_722  # "0.27M" in the paper's table 6


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_vgg_has_torchvisions_convolutions(depth, batch_norm):
    with torch.device("meta"):
        theirs = torchvision.models.get_model(f"vgg{depth}{'_bn' * batch_norm}").features
    ours = shaped(f"vgg{depth}", batch_norm=batch_norm).features
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in theirs.state_dict().items()}


def test_vgg_ends_in_a_head_of_512():
    head = [m for m in vgg(11, channels=1, classes=6, size=64).modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in head] == [(2048, 512), (512, 512), (512, 6)]


def test_alexnets_features_at_128_pixels_are_torchvisions():
    theirs = torchvision.models.AlexNet(num_classes=2).features
    ours = alexnet(channels=3, classes=6, size=128)[0]
    assert [p.shape for p in ours.parameters()] == [p.shape for p in theirs.parameters()]
    assert count(alexnet(channels=1, classes=6, size=64)) < 6_500_000  # a 4096-wide head would need 27 million


def test_the_hep2_studys_alexnet_has_its_classifier_and_torchvisions_features():
    net = shaped("alexnet-hep2", classes=6, size=300)
    dropped = [type(m).__name__ for m in net.classifier]
    assert dropped == ["Dropout", "Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear", "ReLU", "Linear"]
    hidden = (9216 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 1000 + (1000 + 1) * 6
    with torch.device("meta"):
        features = torchvision.models.AlexNet().features
    assert count(net) == count(features) + hidden


@pytest.mark.parametrize(
    ("name", "options", "parameters"),
    [
        ("cnn2-yeast", {}, 19_602),
        ("cnn3-yeast", {}, 132_922),
        ("vgg-yeast", {}, 10_986_316),
        ("vgg-yeast", {"batch_norm": False}, 10_983_500),
    ],
)
def test_the_yeast_studys_nets_have_its_parameters(name, options, parameters):
    assert count(shaped(name, **options)) == parameters


def test_bninception_has_the_tables_branches():
    """By hand from the table: what each block gives, and the parameters with biases before batch norm."""
    net = shaped("bninception", classes=1000, size=224)
    gives, total, width = {}, 0, 192

    def convolution(given: int, made: int, kernel: int) -> int:
        return given * made * kernel**2 + 3 * made  # bias, and two of batch norm

    total += convolution(3, 64, 7) + convolution(64, 64, 1) + convolution(64, 192, 3)
    for name, (one, reduce3, three, reduced, double, _, projection) in BLOCKS.items():
        total += convolution(width, reduce3, 1) + convolution(reduce3, three, 3)
        total += convolution(width, reduced, 1) + convolution(reduced, double, 3) + convolution(double, double, 3)
        if one:
            total += convolution(width, one, 1) + convolution(width, projection, 1)
        width = one + three + double + (projection if one else width)
        gives[name] = width
    assert list(gives.values()) == [256, 320, 576, 576, 576, 608, 608, 1056, 1024, 1024]
    assert count(net) == total + 1024 * 1000 + 1000
    x = torch.empty(1, 3, 224, 224, device="meta")
    sides = {}
    for name, layer in net.named_children():
        x = layer(x)
        if name.startswith("inception_"):
            sides[name[-2:]] = x.shape[-1]
            assert x.shape[1] == gives[name[-2:]]
    assert sides == {"3a": 28, "3b": 28, "3c": 14, "4a": 14, "4b": 14, "4c": 14, "4d": 14, "4e": 7, "5a": 7, "5b": 7}


@pytest.mark.parametrize("side", [6, 7, 1])
def test_a_passed_through_pool_has_the_pixels_of_a_strided_convolution(side):
    images = -torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(0)) - 1  # padding must not win
    out = PassThrough()(images)
    assert out.shape == nn.Conv2d(1, 1, 3, 2, padding=1)(images).shape
    wanted = [images[0, 0, i : i + 3, j : j + 3].max() for i in range(0, side, 2) for j in range(0, side, 2)]
    torch.testing.assert_close(out.flatten(), torch.stack(wanted))


def test_model2_has_three_convolutions_four_branches_and_convolutions_again():
    net = shaped("model2-hpa28", channels=4, classes=28, size=512)
    convolutions = {name: sum(isinstance(m, nn.Conv2d) for m in part.modules()) for name, part in net.named_children()}
    assert convolutions["before"] == 3
    assert convolutions["after"] == 2
    assert len(net.branches) == 4
    x = net.before(torch.empty(1, 4, 512, 512, device="meta"))
    assert net.branches(x).shape[1] == sum(branch(x).shape[1] for branch in net.branches)
