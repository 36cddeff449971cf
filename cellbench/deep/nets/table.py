"""The table of nets by name: everything about a net but its layers stands in its row.

A row names its function as 'module:function', so that listing the nets does not import torch.
"""

from functools import partial

from ...core.errors import UsageError, did_you_mean
from ...core.extras import EXTRAS
from .net import FAST, MEDIUM, SLOW, Net, lazy

HE = "He et al., CVPR 2016"
YEAST = "yeast study, github.com/DearRush/Deep-learning"
HEP2 = "HEp-2 study, github.com/george-chou/HEp-2_cell_classification"
ATLAS = "28-label atlas study"
TEN_LABELS = "ten-label atlas study, github.com/maximvan/mlflsp2"
VGG = "Simonyan & Zisserman, ICLR 2015"

SMALL_NETS = [
    Net("mlp", "two hidden layers on flattened pixels", lazy("mlp:mlp"), min_size=1, cost=2, standard=True),
    Net(
        "cnn",
        "three convolutions, one hidden layer",
        lazy("cnn:cnn"),
        options=("batch_norm",),
        least_batch=64,  # in smaller ones it learns too little, and some seeds hardly anything: docs/training.md
        least_steps=2_500,
        cost=16,
        standard=True,
    ),
    Net(
        "fastnet",
        "six convolutions, small and quick",
        lazy("fastnet:fastnet"),
        source="after airbench, Jordan, arXiv 2404.00498",
        min_size=1,
        sgd_rate=FAST,
        least_epochs=30,  # a tenth of resnet18's cost an image
        cost=7,
        standard=True,
    ),
]

NETS_OF_STUDIES = [
    Net(
        "cnn2-yeast",
        "the yeast study's two convolutions",
        lazy("yeast:cnn2_yeast"),
        source=YEAST,
        min_size=32,
        sgd_rate=SLOW,
        cost=10,
    ),
    Net(
        "cnn3-yeast",
        "the yeast study's three convolutions",
        lazy("yeast:cnn3_yeast"),
        source=YEAST,
        min_size=32,
        sgd_rate=SLOW,
        cost=10,
    ),
    Net(
        "vgg-yeast",
        "the yeast study's VGG of 11 layers",
        lazy("yeast:vgg_yeast"),
        source=YEAST,
        options=("batch_norm",),
        cost=250,
    ),
    Net(
        "alexnet",
        "AlexNet with a stem and head for small images",
        lazy("alexnet:alexnet"),
        source="Krizhevsky, 2014",
        min_size=29,
        options=("stem",),
        pretrained="torchvision:alexnet",
        sgd_rate=SLOW,
        cost=30,
        standard=True,
    ),
    Net(
        "alexnet-hep2",
        "AlexNet with the HEp-2 study's classifier",
        lazy("alexnet:alexnet_hep2"),
        source=HEP2,
        min_size=63,
        pretrained="torchvision:alexnet",
        sgd_rate=SLOW,
        cost=120,
    ),
    Net(
        "bninception",
        "BN-Inception, averaged over the image",
        lazy("inception:bninception"),
        source="Ioffe & Szegedy, ICML 2015; " + ATLAS,
        options=("stem",),
        cost=120,
    ),
    Net(
        "model2-hpa28",
        "the atlas study's four parallel branches",
        lazy("inception:model2_hpa28"),
        source=ATLAS,
        sgd_rate=SLOW,
        cost=60,
    ),
    Net(
        "inception_resnet_v2",
        "Inception-ResNet-v2, by timm",
        lazy("third_party:build", net="timm:inception_resnet_v2"),
        source="Szegedy et al., AAAI 2017",
        min_size=75,
        pretrained="timm:inception_resnet_v2",
        needs="timm",
        cost=600,
    ),
    Net(
        "inception_resnet_v2-hpa10",
        "Inception-ResNet-v2 with a head of two layers",
        lazy("inception:inception_resnet_v2_hpa10"),
        source=TEN_LABELS,
        min_size=75,
        pretrained="timm:inception_resnet_v2",
        needs="timm",
        cost=600,
    ),
]


def _vgg(depth: int, cost: float) -> Net:
    return Net(
        f"vgg{depth}",
        f"VGG-{depth} with batch norm, head 512–512",
        lazy("vgg:vgg", depth=depth),
        source=VGG,
        min_size=32,
        options=("batch_norm",),
        pretrained=f"torchvision:vgg{depth}_bn",
        sgd_rate=MEDIUM,
        cost=cost,
    )


def _resnet(depth: int, cost: float, shortcuts: bool = True, standard: bool = False) -> Net:
    """Return the row of a ResNet, or of its plain twin: the same layers without the shortcuts."""
    return Net(
        f"resnet{depth}" if shortcuts else f"plain{depth}",
        f"ResNet-{depth}" if shortcuts else f"ResNet-{depth} without shortcuts",
        lazy("resnet:resnet", depth=depth, shortcuts=shortcuts),
        source=HE,
        depth=depth,
        shortcuts=shortcuts,
        options=("stem",),
        pretrained=f"torchvision:resnet{depth}" if shortcuts else None,
        sgd_rate=FAST,
        cost=cost,
        standard=standard,
    )


def _thin_resnet(depth: int, shortcuts: bool) -> Net:
    """Return the row of a residual net as He et al. made them for CIFAR, or of its plain twin."""
    return Net(
        f"resnet{depth}" if shortcuts else f"plain{depth}",
        f"thin ResNet-{depth} for small images" if shortcuts else f"thin ResNet-{depth} without shortcuts",
        lazy("cifar:cifar_resnet", depth=depth, shortcuts=shortcuts),
        source=HE,
        depth=depth,
        shortcuts=shortcuts,
        sgd_rate=FAST,
        cost=3.5 * depth,
    )


RESNETS_AND_VGGS = [
    *(_vgg(depth, cost) for depth, cost in ((11, 130), (13, 190), (16, 230), (19, 280))),
    _resnet(18, cost=45, standard=True),
    _resnet(18, cost=45, shortcuts=False, standard=True),
    _resnet(34, cost=80),
    _resnet(34, cost=75, shortcuts=False),
    _resnet(50, cost=150),
    _resnet(101, cost=270),
    *(_thin_resnet(depth, shortcuts) for depth in (20, 32, 44, 56, 110) for shortcuts in (True, False)),
]

NETS = {net.name: net for net in (*SMALL_NETS, *NETS_OF_STUDIES, *RESNETS_AND_VGGS)}


def find(name: str) -> Net:
    """Return the net of this name; `torchvision:NAME` and `timm:NAME` are those packages' classification nets.

    Raises UsageError with a suggestion for an unknown name, BackendError where timm is needed and missing.
    """
    if name in NETS:
        net = NETS[name]
        if net.needs:
            EXTRAS[net.needs].require(name)
        return net
    package, colon, theirs = name.partition(":")
    if not colon:
        raise UsageError(f"no net is called {name!r}; {did_you_mean(name, NETS)}")
    if package not in ("torchvision", "timm"):
        raise UsageError(f"no package of nets is called {package!r}; {did_you_mean(package, ['torchvision', 'timm'])}")
    needs = package if package in EXTRAS else ""
    if needs:
        EXTRAS[needs].require(name)

    from . import third_party

    known = third_party.names(package)
    if theirs.split(".")[0] not in known:  # timm's names may end in .TAG, which says whose weights
        raise UsageError(f"{package} has no net called {theirs!r}; {did_you_mean(theirs, known)}")
    return Net(
        name,
        f"{theirs}, by {package}",
        lazy("third_party:build", net=name),
        source=package,
        min_size=1,
        smallest=partial(third_party.smallest, name),
        pretrained=name,
        needs=needs,
    )
