"""What preprocessing does to images, as layers that other programs can run. Values stay float32 throughout."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...core.errors import UsageError
from ...datasets.preprocessing import Preprocessing
from ...running.saved_models.models import Model


class Prepared(nn.Module):
    """Raw images (n, channels, height, width) of any type become float32 images as the method got them in training."""

    low: Tensor
    span: Tensor

    def __init__(self, model: Model) -> None:
        super().__init__()
        steps = Preprocessing.of_steps(model.preprocessing)
        if steps.mask is not None:
            raise UsageError(
                f"{model.method} learnt with mask={steps.mask}, whose threshold is searched in each image; that cannot "
                "be exported: run it without, or label by cellbench predict"
            )
        self._kept, self._three, self._crop = steps.kept_channels(model.channels), steps.three_channels, steps.crop
        self._top = 0.0 if model.dtype == "float32" else float(torch.iinfo(getattr(torch, model.dtype)).max)
        height, width = (steps.crop, steps.crop) if steps.crop else (model.height, model.width)
        self._resized = Resized(height, width, steps.size, "bilinear", self._top) if steps.size else nn.Identity()
        self._scaled, self._cut = model.measured is not None, steps.intensity == "percentile"
        low, span = model.measured if model.measured is not None else (torch.zeros(1), torch.ones(1))
        self.register_buffer("low", low)
        self.register_buffer("span", span)

    def forward(self, images: Tensor) -> Tensor:
        values = images.to(torch.float32)
        if self._kept != list(range(values.shape[1])):
            values = values[:, self._kept]
        if self._three:
            values = three_channels(values, self._top)
        if self._crop:
            top, left = ((side - self._crop) // 2 for side in values.shape[2:])
            values = values[:, :, top : top + self._crop, left : left + self._crop]
        values = self._resized(values)
        if self._scaled:
            values = (values - self.low) / self.span
            values = values.clamp(0.0, 1.0) if self._cut else values
        return values


def three_channels(values: Tensor, top: float) -> Tensor:
    """Three channels of values by the rule in Preprocessing. top: what sums are cut at; 0 for no cut."""
    channels = values.shape[1]
    if channels == 1:
        return values.expand(-1, 3, -1, -1)
    if channels == 2:
        return torch.cat([values, torch.zeros_like(values[:, :1])], 1)
    if channels == 3:
        return values
    first = values[:, :2] + values[:, 3:].sum(1, keepdim=True)
    return torch.cat([first.clamp(0.0, top) if top else first, values[:, 2:3]], 1)


class Resized(nn.Module):
    """Resizes images as `torch.nn.functional.interpolate` does, by two matrix products, which run everywhere alike.

    top: the greatest value, to which results are rounded and cut; 0 leaves them as they are.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, height: int, width: int, side: int, mode: str, top: float) -> None:
        super().__init__()
        self._same, self._top = (height, width) == (side, side), top
        self.register_buffer("rows", _matrix(height, side, mode))
        self.register_buffer("columns", _matrix(width, side, mode).T.contiguous())

    def forward(self, values: Tensor) -> Tensor:
        if self._same:
            return values
        values = self.rows @ (values @ self.columns)
        return values.round().clamp(0.0, self._top) if self._top else values


def _matrix(length: int, side: int, mode: str) -> Tensor:
    """Return the (side, length) matrix that resizes a column of pixels."""
    smooth = mode == "bilinear"
    corners = None if smooth else False
    return F.interpolate(
        torch.eye(length)[None, None], (side, length), mode=mode, antialias=smooth, align_corners=corners
    )[0, 0]
