"""Batches of training images on the device. All images stay there if they fit; else chunks are loaded ahead of use."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

CHUNK_BYTES = 2**26  # at a time, at least one batch


@dataclass(frozen=True)
class TrainingImages:
    """The training images that an epoch shows, and their labels.

    images: raw, (n, channels, height, width), on the device or, if it has no room for them, in the processor's memory.
    chosen: (m,) positions of the images that an epoch shows; one that is shown twice is listed twice.
    labels: float (m, classes), of the chosen images. Chosen and labels are in the processor's memory.
    batch: the number of images in a batch, at most m.
    """

    images: Tensor
    chosen: Tensor
    labels: Tensor
    batch: int
    device: str

    @property
    def batches(self) -> int:
        """The number of batches in an epoch; images that are left over are not shown."""
        return len(self.chosen) // self.batch

    def in_batches(self, order: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Return an iterator over batches of images and labels on the device; order: (m,) positions in `chosen`."""
        labels = self.labels[order].to(self.device).split(self.batch)
        return zip(batches(self.images, self.chosen[order], self.batch, self.device), labels, strict=False)

    def first_batch(self) -> Tensor:
        """Return the first batch of the chosen images, on the device."""
        return next(batches(self.images, self.chosen[: self.batch], self.batch, self.device))


def batches(images: Tensor, order: Tensor, size: int, device: str) -> Iterator[Tensor]:
    """Yield images[order] on the device, `size` images at a time; those left over at the end are not yielded.

    order: (n,) positions, in the processor's memory.
    """
    order = order[: len(order) // size * size]
    if images.device.type == device:
        for index in order.to(device).split(size):
            yield images[index]
        return
    yield from _fetched_ahead(images, order.split(size), device)


def _fetched_ahead(images: Tensor, indices: tuple[Tensor, ...], device: str) -> Iterator[Tensor]:
    """Yield batches of images on the device; a thread prepares each chunk of batches ahead of its use.

    The thread gathers a chunk and sends it to the device, on CUDA while the net works on the chunk before.
    """
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
    """Return the stream that images are sent on, the same for all epochs.

    A new one for each epoch would lose memory: torch keeps what was freed on a stream for that stream alone.
    """
    return torch.cuda.Stream()


def _send(chunk: Tensor, stream: torch.cuda.Stream | None) -> Callable[[], Tensor]:
    """Start sending a chunk to the card on `stream`; return a function that waits for it and returns it there.

    Without a stream the function returns the chunk itself.
    """
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
