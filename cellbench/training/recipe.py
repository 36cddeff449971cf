"""How to train a net, as data."""

import math
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from types import UnionType
from typing import Any, get_args

from ..core.errors import UsageError, did_you_mean


def _choice(default: str, *others: str) -> Any:
    return field(default=default, metadata={"choices": (default, *others)})


def _number(default: float | None, least: float = 0, most: float = math.inf, open: bool = False, **more: Any) -> Any:
    """A number from least to most; open: neither end is allowed.

    default_by=(name, {value: default}): another default where the setting of that name is given that value, for a plan.
    """
    return field(default=default, metadata={"least": least, "most": most, "open": open, **more})


@dataclass(frozen=True)
class Recipe:
    """Everything about training that a study may have chosen; the defaults are ours.

    Length: epochs (0 takes the weights as they come); batch: images at a time; accumulate: batches whose gradients are
    averaged for one step.

    Optimiser: optimiser sgd (with momentum, looking ahead if nesterov), adam or adamw; lr: the peak learning rate, for
    which a plan takes 0.001 where it is told adam or adamw and no lr; weight_decay, on biases and batch norm too if
    decay_all; clip_norm, clip_value: bounds of the gradient's norm and elements, 0 is none. schedule: constant; step,
    times factor at each of the milestones (shares of training); cosine; one-cycle, rising and falling; plateau, times
    factor when the val loss has not improved for more than patience epochs. rise: share of training in which the rate
    climbs linearly (none: 0.3 in one-cycle, else 0).

    Loss: auto is cross-entropy, and of several labels an image bce. bce, focal (with focal_gamma) and smooth-l1 look
    at each class by itself; softmax-cross-entropy puts the softmax in twice, a slip that one study made.
    label_smoothing; class_weight balanced: classes count in inverse proportion to their images.

    Sampling: sampler balanced draws each class equally often. oversample: images of a class with a smaller share of
    all labels than this are repeated up to it, at most oversample_most times; or the share that each class is to have
    after copying, 0 for one that isn't copied. single_label copy or delete: of the
    images that carry one of single_classes (numbers) and no other label, the share single_share is doubled or left out.

    Augmentation, drawn anew for each image: rotate, up to so many degrees either way; flip, flip_vertical: mirror half
    of the images; scale, shift, aspect: ranges relative to size, side and side ratio; shear: degrees; random_crop:
    moved by up to so many whole pixels; resized_crop: a window of at least this share of the area, 0 is none; fill:
    beyond the border lies a mirror image, or the darkest value (zero). gain, offset, gamma: relative ranges of
    contrast, of brightness (in deviations) and of the exponent; hue (in turns), saturation: of three channels; blur: up
    to this sigma, in pixels; noise: up to this deviation. mixup, cutmix: alpha of the Beta distribution that shares are
    drawn from; mosaic: the share of images made of four.

    Input: normalise by the train images' mean and deviation by channel, to -1..1 (half), or by ImageNet's.

    Net: activation, dropout, batch_norm, stem: in place of the net's own. weights: imagenet, or a file of weights to
    start from. freeze: head trains the last layer alone for head_epochs, then everything; convolutions trains none of
    them. backbone_lr: learning rate of all layers but the last, as a share of lr.

    Choice: choose the weights of the epoch with the best figure on val, or of the last; early_stopping: end after so
    many epochs without a better one, 0 is never. precision auto is bf16 where the device gains from it. compile: have
    torch.compile fuse the net, in the warm-up.

    Raises UsageError when a value is not allowed, naming those that are.
    """

    epochs: int = _number(20)
    batch: int = _number(64, 1)
    accumulate: int = _number(1, 1)

    optimiser: str = _choice("sgd", "adam", "adamw")
    lr: float = _number(0.1, 0, open=True, default_by=("optimiser", {"adam": 1e-3, "adamw": 1e-3}))
    momentum: float = _number(0.9, 0, 0.9999)
    nesterov: bool = True
    weight_decay: float = _number(5e-4)
    decay_all: bool = False
    clip_norm: float = _number(0)
    clip_value: float = _number(0)
    schedule: str = _choice("one-cycle", "cosine", "step", "plateau", "constant")
    rise: float | None = _number(None, 0, 1)
    milestones: tuple[float, ...] = _number((0.5, 0.75), 0, 1)  # type: ignore[arg-type]
    factor: float = _number(0.1, 0, 1, open=True)
    patience: int = _number(5, 0)

    loss: str = _choice("auto", "cross-entropy", "bce", "focal", "smooth-l1", "softmax-cross-entropy")
    label_smoothing: float = _number(0.1, 0, 0.9999)
    focal_gamma: float = _number(2.0)
    class_weight: str = _choice("none", "balanced")

    sampler: str = _choice("shuffle", "balanced")
    oversample: float | tuple[float, ...] = _number(0, 0, 1)
    oversample_most: int = _number(32, 1)
    single_label: str = _choice("keep", "copy", "delete")
    single_classes: tuple[int, ...] = _number((), 0)  # type: ignore[arg-type]
    single_share: float = _number(0.5, 0, 1)

    rotate: float = _number(180.0, 0, 180)
    flip: bool = True
    flip_vertical: bool = False
    scale: float = _number(0.1, 0, 0.9999)
    shift: float = _number(0.06, 0, 0.9999)
    shear: float = _number(0, 0, 89)
    aspect: float = _number(0, 0, 0.9999)
    random_crop: int = _number(0)
    resized_crop: float = _number(0, 0, 1)
    fill: str = _choice("mirror", "zero")
    gain: float = _number(0.2, 0, 0.9999)
    offset: float = _number(0)
    gamma: float = _number(0, 0, 0.9999)
    hue: float = _number(0, 0, 0.5)
    saturation: float = _number(0, 0, 1)
    blur: float = _number(0)
    noise: float = _number(0)
    mixup: float = _number(0)
    cutmix: float = _number(0)
    mosaic: float = _number(0, 0, 1)

    normalise: str = _choice("train", "half", "imagenet")
    activation: str = _choice("relu", "mish", "gelu")
    dropout: float | None = _number(None, 0, 0.9999)
    batch_norm: bool | None = None
    stem: str = _choice("auto", "stock", "small")
    weights: str | None = None
    freeze: str = _choice("none", "head", "convolutions")
    head_epochs: int = _number(1, 1)
    backbone_lr: float = _number(1.0, 0)

    choose: str = _choice("best", "last")
    early_stopping: int = _number(0)
    precision: str = _choice("auto", "bf16", "fp16", "fp32")
    compile: bool = False

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
        raise UsageError(f"{setting.name} is {value!r}; {_allowed(least, most, open)}")


def _allowed(least: float, most: float, open: bool) -> str:
    if most == math.inf:
        return f"it must be {'above' if open else 'at least'} {least:g}"
    return f"it must be {'between' if open else 'from'} {least:g} {'and' if open else 'to'} {most:g}"


def allowed(setting: Field) -> str:
    """What a field of a recipe may be, in words; '' when its type says all."""
    if choices := setting.metadata.get("choices"):
        return ", ".join(choices)
    if "least" in setting.metadata:
        words = _allowed(*(setting.metadata[name] for name in ("least", "most", "open"))).removeprefix("it must be ")
        leader, table = setting.metadata.get("default_by", ("", {}))
        return "; ".join([words, *(f"{number:g} with {leader}={value}" for value, number in table.items())])
    return "true, false" if setting.type is bool else ""
