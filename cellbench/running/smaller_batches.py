"""Training on a GPU whose memory is too small for the batch: once more with half of it, at most twice."""

from collections.abc import Callable
from typing import Any

from ..core.data import Samples
from ..core.runs import RunLog
from ..methods.registry import Method

MOST_HALVINGS = 2


def fitted(
    make: Callable[[int | None], Method], batch: Any, train: Samples, val: Samples, log: RunLog
) -> tuple[Method, int | None]:
    """Return a trained method, and the batch size that it had to take instead of its own, or None.

    make: returns the untrained method, with another batch size unless None is given. batch: its own batch size; if it
    is no number, the method has none. Raises torch.OutOfMemoryError if the smallest batch that is tried does not fit
    either, and whatever the method raises.
    """
    import torch

    smaller: int | None = None
    for halvings in range(MOST_HALVINGS + 1):
        smaller = batch // 2**halvings if halvings else None
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


def _forget(log: RunLog) -> None:
    """Remove the epochs and the progress of an attempt that came to nothing; its time stays, as it was spent."""
    log.history.clear()
    if log.checkpoint:
        log.checkpoint.unlink(missing_ok=True)
