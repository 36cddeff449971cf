"""How to train a net, as data."""

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ..core.errors import UsageError
from ..core.settings import OneOrMore, OrNone, Settings, Several, Share, among, between, replace, setting
from ..core.training_budget import EPOCHS, LAST_BELOW, SGD_RATE, STEPS, budget, default_rate


class Recipe(Settings):
    """Everything about training that a study may have chosen; the defaults are ours.

    Augmentation is drawn anew for each image. `schedules.learning_rate` says how schedule, rise and factor make the
    rate of a step. `suited` fills in epochs, batch, lr and choose where they are left at auto.
    """

    epochs: Annotated[
        int | None,
        setting(
            "passes over the training images; auto: as their number asks; 0 takes the weights as they come",
            ge=0,
            unset="auto",
        ),
    ] = None
    batch: Annotated[
        int | None,
        setting("images at a time; auto: as their number asks", ge=1, unset="auto", search=among(16, 32, 64, 128)),
    ] = None
    accumulate: Annotated[int, setting("batches whose gradients are averaged for one step", ge=1)] = 1

    optimiser: Annotated[Literal["sgd", "adam", "adamw"], setting("what makes steps of gradients")] = "sgd"
    lr: Annotated[
        float | None,
        setting(
            "peak learning rate; auto: of sgd the net's rate, smaller in batches of less than 64; of adam and adamw "
            "0.001",
            gt=0,
            unset="auto",
            reset_by="optimiser",
            search=between(0.003, 0.3, log=True),
        ),
    ] = None
    momentum: Annotated[float, setting("share of the last step that SGD keeps", ge=0, le=0.9999)] = 0.9
    nesterov: Annotated[bool, setting("SGD's momentum looks ahead")] = True
    weight_decay: Annotated[
        float, setting("pull of the weights towards 0", ge=0, search=between(1e-5, 1e-2, log=True))
    ] = 5e-4
    decay_all: Annotated[bool, setting("biases and batch norm decay too")] = False
    clip_norm: Annotated[float, setting("bound of the gradient's norm; 0 is none", ge=0)] = 0
    clip_value: Annotated[float, setting("bound of each element of the gradient; 0 is none", ge=0)] = 0
    schedule: Annotated[
        Literal["one-cycle", "one-cycle-per-stage", "cosine", "step", "plateau", "constant"],
        setting("how the learning rate goes on; one-cycle-per-stage: a cycle for the head epochs, one for the others"),
    ] = "one-cycle"
    rise: Annotated[
        float | None,
        setting(
            "share of training in which the rate climbs; none: 0.3 for one-cycle, or for each of its stages, else 0",
            ge=0,
            le=1,
        ),
    ] = None
    milestones: Annotated[
        Several[Share], setting("shares of training after which schedule=step multiplies by factor")
    ] = (0.5, 0.75)
    factor: Annotated[float, setting("what schedule=step and plateau multiply the rate by", gt=0, lt=1)] = 0.1
    patience: Annotated[int, setting("epochs without a better val loss that schedule=plateau waits", ge=0)] = 5

    loss: Annotated[
        Literal["auto", "cross-entropy", "bce", "focal", "smooth-l1", "softmax-cross-entropy"],
        setting("auto: cross-entropy, or bce for several labels an image; softmax-cross-entropy: a study's slip"),
    ] = "auto"
    label_smoothing: Annotated[
        float,
        setting(
            "share of each label given to all classes alike; of bce, focal and smooth-l1: moved towards 1/2",
            ge=0,
            le=0.9999,
            search=among(0.0, 0.1, 0.2),
        ),
    ] = 0.1
    focal_gamma: Annotated[float, setting("how much less focal loss minds what is already right", ge=0)] = 2.0
    class_weight: Annotated[
        OrNone[Literal["none", "balanced"]], setting("balanced: classes count in inverse proportion to their images")
    ] = "none"

    sampler: Annotated[Literal["shuffle", "balanced"], setting("balanced: each class is drawn equally often")] = (
        "shuffle"
    )
    oversample: Annotated[
        OneOrMore[Share],
        setting("share of all labels that rarer classes are repeated up to, or a share a class; 0 is off"),
    ] = 0
    oversample_most: Annotated[int, setting("repetitions of an image at most", ge=1)] = 32
    single_label: Annotated[
        Literal["keep", "copy", "delete"],
        setting("what happens to images whose only label is one of single_classes: kept, doubled or left out"),
    ] = "keep"
    single_classes: Annotated[
        Several[Annotated[int, Field(ge=0)]], setting("numbers of the classes that single_label looks at")
    ] = ()
    single_share: Annotated[
        float, setting("share of the images of single_label that is doubled or left out", ge=0, le=1)
    ] = 0.5

    rotate: Annotated[float, setting("largest turn in degrees, to either side", ge=0, le=180)] = 180.0
    flip: Annotated[bool, setting("mirror half of the images, left to right")] = True
    flip_vertical: Annotated[bool, setting("mirror half of the images, top to bottom")] = False
    scale: Annotated[
        float,
        setting(
            "largest change of the image's size, as a share, up or down", ge=0, le=0.9999, search=between(0.0, 0.3)
        ),
    ] = 0.1
    shift: Annotated[
        float, setting("largest move of the image, as a share of its side, in either direction", ge=0, le=0.9999)
    ] = 0.06
    shear: Annotated[float, setting("largest shear in degrees, to either side", ge=0, le=89)] = 0
    aspect: Annotated[
        float, setting("largest change of the ratio of width to height, as a share, up or down", ge=0, le=0.9999)
    ] = 0
    random_crop: Annotated[int, setting("whole pixels that images are moved by, at most", ge=0)] = 0
    resized_crop: Annotated[
        float, setting("least share of the area that a window keeps; 0 is no window", ge=0, le=1)
    ] = 0
    fill: Annotated[
        Literal["mirror", "zero"], setting("what lies beyond the border: the mirror image, or the darkest value")
    ] = "mirror"
    gain: Annotated[
        float,
        setting("largest change of contrast, as a share, up or down", ge=0, le=0.9999, search=between(0.0, 0.5)),
    ] = 0.2
    offset: Annotated[float, setting("largest change of brightness, in deviations of the images, up or down", ge=0)] = 0
    gamma: Annotated[
        float, setting("largest change of the exponent of brightness from 1, up or down", ge=0, le=0.9999)
    ] = 0
    hue: Annotated[
        float, setting("largest change of hue, in turns, to either side; of three channels only", ge=0, le=0.5)
    ] = 0
    saturation: Annotated[
        float, setting("largest change of saturation, as a share, up or down; of three channels only", ge=0, le=1)
    ] = 0
    blur: Annotated[float, setting("largest sigma of the Gaussian that blurs, in pixels", ge=0)] = 0
    noise: Annotated[float, setting("largest deviation of the Gaussian noise, in deviations of the images", ge=0)] = 0
    mixup: Annotated[
        float, setting("alpha of the Beta distribution that two images are blended by; 0 is off", ge=0)
    ] = 0
    cutmix: Annotated[
        float, setting("alpha of the Beta distribution of the window that another image fills; 0 is off", ge=0)
    ] = 0
    mosaic: Annotated[
        float,
        setting("share of images that are made of four; mixup, cutmix and mosaic take batches in turn", ge=0, le=1),
    ] = 0

    normalise: Annotated[
        Literal["train", "half", "imagenet"],
        setting(
            "how brightness is scaled: by each channel's mean and deviation in train, from the full range to -1..1, or "
            "by ImageNet's mean and deviation"
        ),
    ] = "train"
    activation: Annotated[
        Literal["relu", "mish", "gelu"], setting("activation function in place of the net's ReLU")
    ] = "relu"
    dropout: Annotated[
        float | None,
        setting(
            "share that every dropout layer leaves out, or, in a net without any, one before its last layer; none: as "
            "the net has it",
            ge=0,
            le=0.9999,
        ),
    ] = None
    batch_norm: Annotated[
        bool | None, setting("whether the net has batch norm, where it leaves the choice; none: as published")
    ] = None
    stem: Annotated[
        Literal["auto", "stock", "small"],
        setting("first layer: auto is that of the weights, else small (5×5) up to 96 pixels and stock beyond"),
    ] = "auto"
    weights: Annotated[
        str | None, setting("weights to start from; none: drawn at random", may_be="imagenet or the path of a file")
    ] = None
    freeze: Annotated[
        OrNone[Literal["none", "head", "convolutions"]],
        setting("head: the last layer alone for head_epochs, then all; convolutions: these never learn"),
    ] = "none"
    head_epochs: Annotated[int, setting("epochs that freeze=head trains the last layer alone", ge=1)] = 1
    backbone_lr: Annotated[float, setting("learning rate of all layers but the last, as a share of lr", ge=0)] = 1.0

    choose: Annotated[
        Literal["auto", "best", "last"],
        setting(
            "weights of the epoch that is best on val, or of the last; auto: the last where val is too small to choose "
            "by"
        ),
    ] = "auto"
    early_stopping: Annotated[
        int, setting("epochs without a better figure on val before training ends; 0 is never", ge=0)
    ] = 0
    precision: Annotated[
        Literal["auto", "bf16", "fp16", "fp32"], setting("auto is bf16 where the device gains from it")
    ] = "auto"
    compile: Annotated[bool, setting("torch.compile fuses the net, in the warm-up")] = False

    @model_validator(mode="after")
    def _refuse_what_has_no_effect(self) -> Self:
        """Raise UsageError for a setting that has no effect: it would make a run that is the same as another."""
        for name, (condition, holds) in LOOKED_AT_WITH.items():
            if not holds(self) and getattr(self, name) != type(self).model_fields[name].default:
                raise UsageError(f"{name} is {getattr(self, name)!r}, and only {condition} looks at it; leave it out")
        if self.schedule == "one-cycle-per-stage" and self.freeze != "head":
            raise UsageError(
                f"schedule is {self.schedule!r}, and only freeze=head trains in stages; choose schedule=one-cycle"
            )
        if self.single_label != "keep" and not self.single_classes:
            raise UsageError(
                f"single_label is {self.single_label!r} and single_classes is empty; name classes by number"
            )
        return self


def suited(
    recipe: Recipe,
    n: int,
    sgd_rate: float = SGD_RATE,
    least_epochs: int = EPOCHS,
    least_batch: int = 1,
    least_steps: int = STEPS,
) -> Recipe:
    """Return the recipe with the settings filled in that are left at auto.

    n: training images. sgd_rate: the net's learning rate for SGD in large batches; least_epochs, least_batch,
    least_steps: see `budget`.
    """
    found = budget(n, recipe.epochs, recipe.batch, least_epochs, least_batch, least_steps)
    lr = default_rate(recipe.optimiser, found.batch, sgd_rate) if recipe.lr is None else recipe.lr
    choose = recipe.choose
    if choose == "auto":
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
