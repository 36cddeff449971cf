"""The thin residual nets that He et al. trained on CIFAR, and their plain twins: made for small images."""

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional as F

from .resnet import PlainBlock, two_convolutions

WIDTHS = (16, 32, 64)


class IdentityBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut without parameters, option A of the paper.

    The shortcut skips pixels by the stride, and its new channels are zero.
    """

    def __init__(self, inplanes: int, planes: int, stride: int = 1) -> None:
        super().__init__()
        self.layers = nn.Sequential(*two_convolutions(inplanes, planes, stride))
        self.relu = nn.ReLU(inplace=True)
        self.stride, self.new = stride, planes - inplanes

    def forward(self, x: Tensor) -> Tensor:
        kept = x
        if self.new or self.stride > 1:  # most blocks keep their channels: nothing is copied there
            kept = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new))
        return self.relu(self.layers(x) + kept)


def cifar_resnet(depth: int, channels: int, classes: int, size: int, shortcuts: bool = True) -> nn.Module:
    """Return ResNet-20, 32, 44, 56 or 110, or with shortcuts=False its plain twin.

    depth = 6n + 2: three stages of n blocks, which are 16, 32 and 64 channels wide.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2. Any image size: the
    first convolution keeps it, the last layer averages over what is left.
    """
    block = IdentityBlock if shortcuts else PlainBlock
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=nn.Conv2d(channels, WIDTHS[0], 3, padding=1, bias=False),
        bn1=nn.BatchNorm2d(WIDTHS[0]),
        relu=nn.ReLU(inplace=True),
    )
    width = WIDTHS[0]
    for stage, wider in enumerate(WIDTHS, start=1):
        first = block(width, wider, stride=1 if stage == 1 else 2)
        layers[f"stage{stage}"] = nn.Sequential(first, *(block(wider, wider) for _ in range((depth - 2) // 6 - 1)))
        width = wider
    layers |= {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "fc": nn.Linear(width, classes)}
    net = nn.Sequential(layers)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return net
