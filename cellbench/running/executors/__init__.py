"""Executors, which do runs: an executor takes jobs and yields their records as they finish.

protocol.py  the two methods of an executor
local.py     runs on this machine, one after the other, each in a child process
child.py     that process: how it is started and ended, and how it reports
questions.py functions that need torch, which an executor calls where the runs are done
"""

from .local import LocalExecutor
from .protocol import Executor, Outcome, Task

__all__ = ["Executor", "LocalExecutor", "Outcome", "Task"]
