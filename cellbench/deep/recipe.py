"""How to train a net, as data."""

from collections.abc import Callable
from dataclasses import Field, dataclass, fields, replace
from types import UnionType
from typing import Any, get_args

from ..core.errors import UsageError, did_you_mean
from ..core.settings import bounds, choice, described, number
from ..core.training_budget import EPOCHS, LAST_BELOW, SGD_RATE, budget, default_rate

AUTO = "auto"  # as people write the None of a setting that follows from the number of training images


@dataclass(frozen=True)
class Recipe:
    """Everything about training that a study may have chosen; the defaults are ours.

    Augmentation is drawn anew for each image. `optimisers.learning_rate` says how schedule, rise and factor make the
    rate of a step. `suited` fills in what is None because it follows from the number of training images.

    Raises UsageError when a value is not allowed, naming those that are.
    """

    epochs: int | None = number(
        None,
        "passes over the training images; auto: as their number asks; 0 takes the weights as they come",
        unset=AUTO,
    )
    batch: int | None = number(None, "images at a time; auto: as their number asks", 1, unset=AUTO)
    accumulate: int = number(1, "batches whose gradients are averaged for one step", 1)

    optimiser: str = choice("what makes steps of gradients", "sgd", "adam", "adamw")
    lr: float | None = number(
        None,
        "peak learning rate; auto: of sgd the net's rate, smaller in batches of less than 64; of adam and adamw 0.001",
        0,
        open=True,
        unset=AUTO,
        reset_by="optimiser",
    )
    momentum: float = number(0.9, "share of the last step that SGD keeps", 0, 0.9999)
    nesterov: bool = described(True, "SGD's momentum looks ahead")
    weight_decay: float = number(5e-4, "pull of the weights towards 0")
    decay_all: bool = described(False, "biases and batch norm decay too")
    clip_norm: float = number(0, "bound of the gradient's norm; 0 is none")
    clip_value: float = number(0, "bound of each element of the gradient; 0 is none")
    schedule: str = choice("how the learning rate goes on", "one-cycle", "cosine", "step", "plateau", "constant")
    rise: float | None = number(None, "share of training in which the rate climbs; of one-cycle 0.3, else 0", 0, 1)
    milestones: tuple[float, ...] = number(
        (0.5, 0.75), "shares of training after which schedule=step multiplies by factor", 0, 1
    )
    factor: float = number(0.1, "what schedule=step and plateau multiply the rate by", 0, 1, open=True)
    patience: int = number(5, "epochs without a better val loss that schedule=plateau waits", 0)

    loss: str = choice(
        "auto: cross-entropy, or bce for several labels an image; softmax-cross-entropy: a study's slip",
        "auto",
        "cross-entropy",
        "bce",
        "focal",
        "smooth-l1",
        "softmax-cross-entropy",
    )
    label_smoothing: float = number(
        0.1, "share of each label given to all classes alike; of bce, focal and smooth-l1: moved towards 1/2", 0, 0.9999
    )
    focal_gamma: float = number(2.0, "how much less focal loss minds what is already right")
    class_weight: str = choice("balanced: classes count in inverse proportion to their images", "none", "balanced")

    sampler: str = choice("balanced: each class is drawn equally often", "shuffle", "balanced")
    oversample: float | tuple[float, ...] = number(
        0, "share of all labels that rarer classes are repeated up to, or a share a class; 0 is off", 0, 1
    )
    oversample_most: int = number(32, "repetitions of an image at most", 1)
    single_label: str = choice(
        "images with one label, of single_classes: kept, doubled or left out", "keep", "copy", "delete"
    )
    single_classes: tuple[int, ...] = number((), "numbers of the classes that single_label looks at", 0)
    single_share: float = number(0.5, "share of the images of single_label that is doubled or left out", 0, 1)

    rotate: float = number(180.0, "degrees either way, at most", 0, 180)
    flip: bool = described(True, "mirror half of the images, left to right")
    flip_vertical: bool = described(False, "mirror half of the images, top to bottom")
    scale: float = number(0.1, "of the image, relative, either way", 0, 0.9999)
    shift: float = number(0.06, "of the image, relative to its side, either way", 0, 0.9999)
    shear: float = number(0, "degrees either way, at most", 0, 89)
    aspect: float = number(0, "of the sides' ratio, either way", 0, 0.9999)
    random_crop: int = number(0, "whole pixels that images are moved by, at most")
    resized_crop: float = number(0, "least share of the area that a window keeps; 0 is no window", 0, 1)
    fill: str = choice("what lies beyond the border: the mirror image, or the darkest value", "mirror", "zero")
    gain: float = number(0.2, "of contrast, either way", 0, 0.9999)
    offset: float = number(0, "of brightness, in deviations, either way")
    gamma: float = number(0, "of the exponent, either way", 0, 0.9999)
    hue: float = number(0, "in turns, either way; three channels", 0, 0.5)
    saturation: float = number(0, "relative, either way; three channels", 0, 1)
    blur: float = number(0, "Gaussian sigma in pixels, at most")
    noise: float = number(0, "Gaussian, its deviation in those of the images, at most")
    mixup: float = number(0, "alpha of the Beta distribution that two images are blended by; 0 is off")
    cutmix: float = number(0, "alpha of the Beta distribution of the window that another image fills; 0 is off")
    mosaic: float = number(
        0, "share of images that are made of four; mixup, cutmix and mosaic take batches in turn", 0, 1
    )

    normalise: str = choice(
        "by train's mean and deviation by channel, to -1..1, or by ImageNet's", "train", "half", "imagenet"
    )
    activation: str = choice("in place of the net's ReLU", "relu", "mish", "gelu")
    dropout: float | None = number(
        None, "of every dropout layer, or before the last layer of a net without any; none leaves the net's", 0, 0.9999
    )
    batch_norm: bool | None = described(
        None, "whether there is any, where a net leaves the choice; none is as published"
    )
    stem: str = choice(
        "first layer: auto is that of the weights, else small (5×5) up to 96 pixels and stock beyond",
        "auto",
        "stock",
        "small",
    )
    weights: str | None = described(None, "to start from; none is random", "imagenet, or the path of a file")
    freeze: str = choice(
        "head: the last layer alone for head_epochs, then all; convolutions: these never learn",
        "none",
        "head",
        "convolutions",
    )
    head_epochs: int = number(1, "epochs that freeze=head trains the last layer alone", 1)
    backbone_lr: float = number(1.0, "learning rate of all layers but the last, as a share of lr", 0)

    choose: str = choice(
        "weights of the epoch that is best on val, or of the last; auto: the last where val is too small to choose by",
        "auto",
        "best",
        "last",
    )
    early_stopping: int = number(0, "epochs without a better figure on val before training ends; 0 is never")
    precision: str = choice("auto is bf16 where the device gains from it", "auto", "bf16", "fp16", "fp32")
    compile: bool = described(False, "torch.compile fuses the net, in the warm-up")

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            object.__setattr__(self, setting.name, _checked(setting, value))
        self._refuse_what_nothing_looks_at()
        if self.single_label != "keep" and not self.single_classes:
            raise UsageError(
                f"single_label is {self.single_label!r} and single_classes is empty; name classes by number"
            )

    def _refuse_what_nothing_looks_at(self) -> None:
        """A setting without effect would be a run of its own, with a row of its own, that differs from none."""
        for name, (condition, holds) in LOOKED_AT_WITH.items():
            if not holds(self) and getattr(self, name) != type(self).__dataclass_fields__[name].default:
                raise UsageError(f"{name} is {getattr(self, name)!r}, and only {condition} looks at it; leave it out")


def suited(recipe: Recipe, n: int, sgd_rate: float = SGD_RATE, least_epochs: int = EPOCHS) -> Recipe:
    """Fills in the settings left at auto.

    n: training images. sgd_rate: the net's learning rate for SGD in large batches; least_epochs: see `budget`.
    """
    found = budget(n, recipe.epochs, recipe.batch, least_epochs)
    lr = default_rate(recipe.optimiser, found.batch, sgd_rate) if recipe.lr is None else recipe.lr
    choose = recipe.choose
    if choose == AUTO:
        choose = "last" if n < LAST_BELOW else "best"
    return replace(recipe, epochs=found.epochs, batch=found.batch, lr=lr, choose=choose)


LOOKED_AT_WITH: dict[str, tuple[str, Callable[[Recipe], bool]]] = {
    "momentum": ("optimiser=sgd", lambda r: r.optimiser == "sgd"),
    "nesterov": ("optimiser=sgd", lambda r: r.optimiser == "sgd"),
    "decay_all": ("a weight_decay", lambda r: r.weight_decay > 0),
    "milestones": ("schedule=step", lambda r: r.schedule == "step"),
    "factor": ("schedule=step or plateau", lambda r: r.schedule in ("step", "plateau")),
    "patience": ("schedule=plateau", lambda r: r.schedule == "plateau"),
    "focal_gamma": ("loss=focal", lambda r: r.loss == "focal"),
    "oversample_most": ("oversample", lambda r: bool(r.oversample)),
    "single_classes": ("single_label=copy or delete", lambda r: r.single_label != "keep"),
    "single_share": ("single_label=copy or delete", lambda r: r.single_label != "keep"),
    "head_epochs": ("freeze=head", lambda r: r.freeze == "head"),
}


def _checked(setting: Field, value: Any) -> Any:
    """The value as its field has it: a single number for a field of several becomes a tuple of one."""
    choices = setting.metadata.get("choices", ())
    if value is None and "none" in choices:  # the command line reads the word so
        return "none"
    if value == AUTO == setting.metadata.get("unset"):
        return None
    kinds = get_args(setting.type) if isinstance(setting.type, UnionType) else (setting.type,)
    if type(None) in kinds and value is None:
        return value
    if get_args(kinds[-1]) and (len(kinds) == 1 or isinstance(value, list | tuple)):  # a tuple of numbers
        several = tuple(value) if isinstance(value, list | tuple) else (value,)
        for item in several:
            _check_number(setting, get_args(kinds[-1])[0], item)
        return several
    if kinds[0] in (int, float):
        _check_number(setting, kinds[0], value)
    elif kinds[0] is bool and not isinstance(value, bool):
        raise UsageError(f"{setting.name} is {value!r}; give true or false")
    elif kinds[0] is str and not isinstance(value, str):
        raise UsageError(f"{setting.name} is {value!r}; give text")
    if choices and value not in choices:
        raise UsageError(f"{setting.name} is {value!r}; {did_you_mean(value, choices)}")
    return value


def _check_number(setting: Field, kind: type, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{setting.name} is {value!r}; give a number")
    if kind is int and not isinstance(value, int):
        raise UsageError(f"{setting.name} is {value!r}; give a whole number")
    least, most, open = (setting.metadata[name] for name in ("least", "most", "open"))
    if not (least < value < most if open else least <= value <= most):
        raise UsageError(f"{setting.name} is {value!r}; it must be {bounds(setting)}")
