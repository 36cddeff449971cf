"""Training images in batches on the device: all are kept there when they fit, else chunks are fetched ahead of use."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

CHUNK_BYTES = 2**26  # at a time, at least one batch


@dataclass(frozen=True)
class TrainingImages:
    """What an epoch shows.

    images: raw, (n, channels, height, width), on the device or, too many for it, in the processor's memory.
    chosen: (m,) positions of the images that an epoch shows; one that is shown twice stands there twice.
    labels: float (m, classes), of the chosen. Both are in the processor's memory.
    batch: images a batch; of fewer images than that, all of them are one.
    """

    images: Tensor
    chosen: Tensor
    labels: Tensor
    batch: int
    device: str

    @property
    def batches(self) -> int:
        """Batches an epoch; what is left over is not shown."""
        return len(self.chosen) // self.batch

    def in_batches(self, order: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and labels on the device, a batch at a time. order: (m,) positions among the chosen."""
        labels = self.labels[order].to(self.device).split(self.batch)
        return zip(batches(self.images, self.chosen[order], self.batch, self.device), labels, strict=False)

    def first_batch(self) -> Tensor:
        """The first batch of images on the device."""
        return next(batches(self.images, self.chosen[: self.batch], self.batch, self.device))


def batches(images: Tensor, order: Tensor, size: int, device: str) -> Iterator[Tensor]:
    """images[order] on the device, `size` at a time; what is left over at the end is not shown.

    order: (n,) positions, in the processor's memory.
    """
    order = order[: len(order) // size * size]
    if images.device.type == device:
        for index in order.to(device).split(size):
            yield images[index]
        return
    yield from _fetched_ahead(images, order.split(size), device)


def _fetched_ahead(images: Tensor, indices: tuple[Tensor, ...], device: str) -> Iterator[Tensor]:
    """A thread gathers a chunk of batches and sends it off, on CUDA beside the net's work on the one before it."""
    stream = _sending_stream() if device == "cuda" else None
    at_a_time = max(1, CHUNK_BYTES // (len(indices[0]) * images[0].nbytes))
    chunks = [indices[i : i + at_a_time] for i in range(0, len(indices), at_a_time)]

    def fetch(index: tuple[Tensor, ...]) -> Callable[[], Tensor]:
        return _send(images[torch.cat(index)], stream)

    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(fetch, chunks[0])
        for number, chunk in enumerate(chunks):
            there = coming.result()()
            if number + 1 < len(chunks):
                coming = thread.submit(fetch, chunks[number + 1])
            yield from there.split(len(chunk[0]))


@cache
def _sending_stream() -> torch.cuda.Stream:
    """One for all epochs: torch keeps the memory that was freed on a stream for that stream alone."""
    return torch.cuda.Stream()


def _send(chunk: Tensor, stream: torch.cuda.Stream | None) -> Callable[[], Tensor]:
    """Start sending a chunk to the card on `stream`; the function that is returned waits for it and gives it."""
    if stream is None:
        return lambda: chunk
    with torch.cuda.stream(stream):
        sent = chunk.pin_memory().to("cuda", non_blocking=True)
        arrived = stream.record_event()

    def receive() -> Tensor:
        reader = torch.cuda.current_stream()
        reader.wait_event(arrived)
        sent.record_stream(reader)  # torch must not reuse its memory while this stream still reads it
        return sent

    return receive
