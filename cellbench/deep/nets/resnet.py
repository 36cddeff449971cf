"""Residual nets, torchvision's, and their plain twins: the same layers without the shortcuts."""

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from .layers import wants_small

BLOCKS = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3]}


def two_convolutions(inplanes: int, planes: int, stride: int) -> tuple[nn.Module, ...]:
    """Return the layers that the shortcut of a basic block goes past: 3×3, batch norm, ReLU, 3×3, batch norm."""
    return (
        nn.Conv2d(inplanes, planes, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(planes),
        nn.ReLU(inplace=True),
        nn.Conv2d(planes, planes, 3, padding=1, bias=False),
        nn.BatchNorm2d(planes),
    )


class PlainBlock(nn.Module):
    """torchvision's BasicBlock without the shortcut: the layers' output replaces their input."""

    expansion = 1

    def __init__(self, inplanes: int, planes: int, stride: int = 1, *_: object, **__: object) -> None:
        super().__init__()  # torchvision also passes what shortcuts and wider blocks need; a plain one has neither
        self.layers = nn.Sequential(*two_convolutions(inplanes, planes, stride), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class PoolFirstResNet(ResNet):
    """torchvision's ResNet with a stem that pools before ReLU rather than after it.

    The result is the same to the bit, as ReLU never falls, and ReLU has a quarter of the values to compute. Other
    activations, which rise and fall, are computed before the pool.
    """

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.conv1(x))
        x = self.relu(self.maxpool(x)) if isinstance(self.relu, nn.ReLU) else self.maxpool(self.relu(x))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def resnet(
    depth: int, channels: int, classes: int, size: int, shortcuts: bool = True, stem: str | None = None
) -> nn.Module:
    """Return ResNet-18, 34, 50 or 101, or with shortcuts=False the plain twin of ResNet-18 or 34. Needs 8 pixels.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016. Images up to 96 pixels get a 5×5
    stride-2 stem before the max-pool, larger ones the stock 7×7.
    """
    block = (BasicBlock if depth < 50 else Bottleneck) if shortcuts else PlainBlock
    net = PoolFirstResNet(block, BLOCKS[depth], num_classes=classes)
    kernel = 5 if wants_small(stem, size) else 7
    net.conv1 = nn.Conv2d(channels, 64, kernel, stride=2, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(net.conv1.weight, mode="fan_out", nonlinearity="relu")
    return net
