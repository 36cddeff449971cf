"""Training on a GPU whose memory is too small for the batch: once more with half of it, at most twice."""

from collections.abc import Callable
from pathlib import Path

from ..core.data import Samples
from ..core.records.runs import RunLog
from ..methods.registry import Method

MOST_HALVINGS = 2


def fitted(
    make: Callable[[int | None], Method], batch: object, train: Samples, val: Samples, log: RunLog
) -> tuple[Method, int | None]:
    """Return a trained method, and the batch size that it had to take instead of its own, or None.

    make: returns the untrained method, with another batch size unless None is given. batch: its own batch size; if it
    is no number, the method has none. If an earlier attempt left progress with a smaller batch, the run goes on with
    that one. Raises torch.OutOfMemoryError if the smallest batch that is tried does not fit either, and whatever the
    method raises.
    """
    import torch

    place = log.checkpoint
    for halvings in range(_begun(place, batch), MOST_HALVINGS + 1):
        smaller = batch // 2**halvings if halvings else None
        log.checkpoint = _of_batch(place, smaller)
        method = make(smaller)
        try:
            method.fit(train, val, log)
            return method, smaller
        except torch.OutOfMemoryError:
            if halvings == MOST_HALVINGS or not isinstance(batch, int) or batch // 2 ** (halvings + 1) < 1:
                raise
        _forget(log)  # not before the error is, which holds what it was raised in
        del method
        torch.cuda.empty_cache()
    raise AssertionError("the last attempt returns or raises")


def _begun(place: Path | None, batch: object) -> int:
    """Return how often the batch had been halved when an earlier attempt kept its progress; 0 if it kept none."""
    if place is None or not isinstance(batch, int):
        return 0
    tried = [n for n in range(1, MOST_HALVINGS + 1) if batch // 2**n >= 1]
    return next((n for n in tried if (file := _of_batch(place, batch // 2**n)) and file.is_file()), 0)


def _of_batch(place: Path | None, smaller: int | None) -> Path | None:
    """Return the file for progress with a smaller batch than the run's own; its name says which."""
    return place if place is None or smaller is None else place.with_suffix(f".batch-{smaller}{place.suffix}")


def _forget(log: RunLog) -> None:
    """Remove the epochs and the progress of an attempt that came to nothing; its time stays, as it was spent."""
    log.history.clear()
    if log.checkpoint:
        log.checkpoint.unlink(missing_ok=True)
