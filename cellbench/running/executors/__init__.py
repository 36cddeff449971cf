"""Executors, which do runs: an executor takes jobs and yields their records as they finish.

protocol.py  the two methods of an executor
local.py     runs on this machine, one after the other, each in a child process
dask.py      runs on the workers of a Dask cluster; remote.py is what they do
child.py     a run in a child process, and what becomes of it; process.py starts and ends such a process
places.py    which processors or GPU each of several runs has; preload.py: what the fork server imports once
questions.py functions that need torch, which an executor calls where the runs are done
"""

from .dask import DaskExecutor
from .local import LocalExecutor
from .protocol import Executor, Outcome, Task

__all__ = ["DaskExecutor", "Executor", "LocalExecutor", "Outcome", "Task"]
