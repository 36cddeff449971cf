"""Embeddings of images by a frozen encoder, computed once for each set of images and kept with their cost."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from ...core.data import Images, add_content
from ...core.machine.contention import Spent
from ...core.machine.environment import cache_folder
from ...core.mixed_values import Facts
from ...core.records.runs import RunLog
from ...core.records.store import write_whole
from ...datasets.preprocessing import three_channels
from ..hardware import hardware

if TYPE_CHECKING:
    from torch import Tensor

    from ...deep.precision import Precision
    from ...deep.pretrained.encoders import Encoder

REVISION = 1  # raise it when embeddings may change: older ones are then not taken from the cache


@dataclass(frozen=True, eq=False)
class Embedder:
    """An encoder and how images are put through it.

    channel_mode: 'each' channel by itself, as a grey picture, the embeddings joined; or 'rgb', all as one picture.
    full: the raw value that is white. views: 1, or 8 for the mean over quarter turns and reflections.
    wanted_precision: see `choose_precision`.
    """

    encoder: "Encoder"
    channel_mode: str
    full: float
    views: int
    device: str
    wanted_precision: str = "auto"

    def __call__(self, images: Images) -> NDArray[np.float32]:
        """Return embeddings (n, features) of images (n, channels, size, size); with 'each', channel after channel.

        Raises DataError for values that are not finite.
        """
        import torch

        from ...core.tensors import as_tensor
        from ...deep.classifier import PREDICT_BATCH, PREDICT_PIXELS
        from ...deep.small_convolutions import fast_small_convolutions
        from ...features.tensors import check_finite

        check_finite(as_tensor(images))
        if self.channel_mode == "rgb":
            images = three_channels(images)
        pictures = images.shape[1] if self.channel_mode == "each" else 1  # an image
        step = max(1, min(PREDICT_BATCH, PREDICT_PIXELS // images[0, 0].size) // pictures) if len(images) else 1
        rows, precision = [], self.precision
        with torch.inference_mode(), precision(), fast_small_convolutions(precision):
            for batch in torch.split(as_tensor(images), step):
                values = (
                    batch.to(self.device).to(torch.float32) / self.full
                )  # not in place: it may be the images themselves
                rows.append(self._embed(values, pictures).cpu())
        return torch.cat(rows).numpy()

    @property
    def precision(self) -> "Precision":
        from ...deep.precision import choose_precision

        return choose_precision(self.wanted_precision, self.device)

    def _embed(self, batch: "Tensor", pictures: int) -> "Tensor":
        if self.channel_mode == "each":
            batch = batch.flatten(0, 1)[:, None].expand(-1, 3, -1, -1)
        total = sum(self.encoder(view) for view in views_of(batch, self.views))
        return (total / self.views).reshape(len(batch) // pictures, -1)  # type: ignore[union-attr]


def views_of(batch: "Tensor", views: int) -> "Iterator[Tensor]":
    """Yield the batch, or all eight of its quarter turns and reflections."""
    for turned in (batch, batch.flip(3)) if views > 1 else (batch,):
        yield from (turned.rot90(turns, (2, 3)) for turns in range(views // 2 or 1))


def full_scale(images: Images) -> float:
    """Return the raw value that counts as white, for arrays by the rule of deep.normalisation.full_scale."""
    if images.dtype.kind == "u":
        return float(np.iinfo(images.dtype.name).max)
    return max(float(images.max(initial=0)), float(np.finfo(np.float32).tiny))


def embed_and_keep(
    embedder: Embedder, parts: Mapping[str, Images], log: RunLog, *, cached: bool
) -> tuple[dict[str, NDArray[np.float32]], bool]:
    """Return the embeddings of the images of each part, and whether they came from the cache.

    The cache is used if images, weights, settings, hardware, threads and versions are the same; the cost of making the
    embeddings is then counted again. A file that cannot be read is replaced.
    """
    path = cache_folder() / "embeddings" / f"{_key(embedder, parts)}.pt"
    if cached and (kept := _read(path)):
        log.carry(kept["seconds"], Spent(*kept["spent"]))
        return {part: kept["embeddings"][part].numpy() for part in parts}, True
    before, spent = log.seconds.get("features", 0.0), log.spent
    with log.phase("features"):
        embeddings = {part: embedder(images) for part, images in parts.items()}
    if cached:
        _write(path, embeddings, {"features": log.seconds["features"] - before}, log.spent - spent)
    return embeddings, False


def _read(path: Path) -> Facts | None:
    from ...core.tensors import NoTensorsError, load_tensors

    try:
        kept = load_tensors(path)
    except (OSError, NoTensorsError):
        return None  # not there, or cut short
    return kept if isinstance(kept, dict) and kept.keys() == {"embeddings", "seconds", "spent"} else None


def _write(
    path: Path, embeddings: Mapping[str, NDArray[np.float32]], seconds: Mapping[str, float], spent: Spent
) -> None:
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {part: torch.from_numpy(values) for part, values in embeddings.items()}
    kept = {"embeddings": tensors, "seconds": dict(seconds), "spent": astuple(spent)}
    write_whole(path, lambda file: torch.save(kept, file))


def _key(embedder: Embedder, parts: Mapping[str, Images]) -> str:
    """Return a hash of all that embeddings and their cost depend on."""
    import torch

    from ...deep.nets.third_party import version_of

    digest = hashlib.sha256()
    encoder = embedder.encoder
    for array in (*(tensor.cpu().numpy() for tensor in encoder.net.state_dict().values()), *parts.values()):
        add_content(digest, array)
    normalisation = (encoder.mean.tolist(), encoder.deviation.tolist())
    values = (encoder.name, encoder.layer, encoder.pooling, normalisation)
    passes = (embedder.channel_mode, embedder.full, embedder.views)
    digest.update(
        repr(
            (
                values,
                passes,
                hardware(embedder.device),
                REVISION,
                __version__,
                torch.__version__,
                version_of(encoder.name),
            )
        ).encode()
    )
    return digest.hexdigest()[:32]
