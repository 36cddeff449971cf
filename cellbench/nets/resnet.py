"""Residual nets, torchvision's, and their plain twins: the same layers without the shortcuts."""

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

SMALL = 96  # up to this many pixels the stem is 5×5; measured as accurate as larger ones, at less cost
BLOCKS = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3]}


class PlainBlock(nn.Module):
    """torchvision's BasicBlock without the shortcut: what comes in is forgotten unless the layers keep it."""

    expansion = 1

    def __init__(self, inplanes: int, planes: int, stride: int = 1, *_: object, **__: object) -> None:
        super().__init__()  # torchvision also passes what shortcuts and wider blocks need; a plain one has neither
        self.layers = nn.Sequential(
            nn.Conv2d(inplanes, planes, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(planes),
            nn.ReLU(inplace=True),
            nn.Conv2d(planes, planes, 3, padding=1, bias=False),
            nn.BatchNorm2d(planes),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def resnet(depth: int, channels: int, classes: int, size: int, shortcuts: bool = True) -> nn.Module:
    """ResNet-18 or 34, or with shortcuts=False its plain twin; any image size from 8 pixels.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016. Images up to 96 pixels get a 5×5
    stride-2 stem before the max-pool, larger ones the stock 7×7.
    """
    net = ResNet(BasicBlock if shortcuts else PlainBlock, BLOCKS[depth], num_classes=classes)
    kernel = 5 if size <= SMALL else 7
    net.conv1 = nn.Conv2d(channels, 64, kernel, stride=2, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(net.conv1.weight, mode="fan_out", nonlinearity="relu")
    return net
