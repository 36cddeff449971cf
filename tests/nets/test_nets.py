"""Nets against torchvision's, and their shapes at every size that matters."""

import pytest
import torch
import torchvision

from cellbench.nets.alexnet import alexnet
from cellbench.nets.cnn import cnn
from cellbench.nets.mlp import mlp
from cellbench.nets.resnet import PlainBlock, resnet
from cellbench.nets.vgg import vgg

BUILDERS = {
    "mlp": mlp,
    "cnn": cnn,
    "alexnet": alexnet,
    "vgg11": lambda **data: vgg(11, **data),
    "resnet18": lambda **data: resnet(18, **data),
    "plain18": lambda **data: resnet(18, shortcuts=False, **data),
}


def count(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize(("channels", "size"), [(1, 64), (2, 64), (3, 96), (1, 128)])
def test_every_net_takes_every_channel_count_and_size(name, channels, size):
    net = BUILDERS[name](channels=channels, classes=5, size=size).eval()
    with torch.inference_mode():
        assert net(torch.zeros(2, channels, size, size)).shape == (2, 5)


@pytest.mark.parametrize("depth", [18, 34])
def test_resnets_of_128_pixels_and_three_channels_are_torchvisions(depth):
    theirs = getattr(torchvision.models, f"resnet{depth}")()
    ours = resnet(depth, channels=3, classes=1000, size=128)
    ours.load_state_dict(theirs.state_dict())  # same names, same shapes
    images = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(ours.eval()(images), theirs.eval()(images))


@pytest.mark.parametrize("depth", [18, 34])
def test_a_plain_twin_has_the_layers_of_its_resnet_but_for_the_shortcuts(depth):
    residual = resnet(depth, channels=1, classes=6, size=64)
    plain = resnet(depth, channels=1, classes=6, size=64, shortcuts=False)
    shortcuts = sum(p.numel() for name, p in residual.named_parameters() if "downsample" in name)
    assert count(plain) == count(residual) - shortcuts
    weighted = [m for m in plain.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(weighted) == depth


def test_a_plain_block_forgets_its_input_when_its_weights_are_zero():
    block = PlainBlock(4, 4).eval()
    torch.nn.init.zeros_(block.layers[3].weight)
    assert block(torch.ones(1, 4, 8, 8)).abs().max() == 0


@pytest.mark.parametrize("depth", [11, 16])
def test_vgg_has_torchvisions_convolutions(depth):
    theirs = getattr(torchvision.models, f"vgg{depth}_bn")(init_weights=False).features
    ours = vgg(depth, channels=3, classes=6, size=64)[0]
    assert [p.shape for p in ours.parameters()] == [p.shape for p in theirs.parameters()]


def test_alexnets_features_at_128_pixels_are_torchvisions():
    theirs = torchvision.models.AlexNet(num_classes=2).features
    ours = alexnet(channels=3, classes=6, size=128)[0]
    assert [p.shape for p in ours.parameters()] == [p.shape for p in theirs.parameters()]
    assert count(alexnet(channels=1, classes=6, size=64)) < 6_500_000  # a 4096-wide head would need 27 million
