"""Where runs are done. An executor takes jobs and gives their records as they finish; all else is the same for all.

protocol.py  what an executor does: two methods
local.py     one child process a run, one run after the other, on this machine
child.py     that process: how it starts, ends and is heard
questions.py what only a process with torch can tell
"""

from .local import LocalExecutor
from .protocol import Executor, Outcome, Task

__all__ = ["Executor", "LocalExecutor", "Outcome", "Task"]
