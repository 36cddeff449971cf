"""How to train a net, as data."""

from dataclasses import dataclass, fields

from ..core.errors import UsageError

CHOICES = {
    "schedule": ("one-cycle", "cosine", "constant"),
    "precision": ("auto", "bf16", "fp32"),
}
POSITIVE = ("epochs", "batch", "lr")
BELOW_ONE = ("momentum", "label_smoothing", "scale", "shift", "gain")


@dataclass(frozen=True)
class Recipe:
    """SGD with Nesterov momentum, best-on-validation checkpoint, per-sample augmentation.

    lr is the peak learning rate; `constant` keeps it, `cosine` falls from it, `one-cycle` rises to it and falls.
    rotate: up to so many degrees either way; flip: mirror half of the images; scale, shift, gain: relative ranges
    (0.1 is ±10 % of size, of the side, of contrast about the mean). precision 'auto' is bf16 where the device gains
    from it.
    """

    epochs: int = 20
    batch: int = 64
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: str = "one-cycle"
    label_smoothing: float = 0.1
    rotate: float = 180.0
    flip: bool = True
    scale: float = 0.1
    shift: float = 0.06
    gain: float = 0.2
    precision: str = "auto"

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise UsageError(f"{name} is {getattr(self, name)!r}; choose one of {', '.join(allowed)}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type in (int, float) and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise UsageError(f"{field.name} is {value!r}; give a number")
            if field.type is int and not isinstance(value, int):
                raise UsageError(f"{field.name} is {value!r}; give a whole number")
            if field.type is float and not value >= 0:
                raise UsageError(f"{field.name} is {value!r}; it cannot be negative")
            if field.type is bool and not isinstance(value, bool):
                raise UsageError(f"{field.name} is {value!r}; give true or false")
            if field.name in BELOW_ONE and value >= 1:
                raise UsageError(f"{field.name} is {value!r}; it must be below 1")
            if field.name in POSITIVE and value <= 0:
                raise UsageError(f"{field.name} is {value!r}; it must be above zero")
