"""What a child process owes its parent."""

import multiprocessing
import os
import threading


def end_with_parent() -> None:
    """Let this process end with its parent: one that is killed outright can end nobody, and no queue would tell."""
    threading.Thread(target=_wait, daemon=True).start()


def _wait() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
