"""What the fork server of `running.executors.child` does first: it dies with the program, even during its imports."""

import os

from .processes import killed_with_parent

PARENT = "CELLBENCH_FORK_SERVER_OF"  # the number of the program, where its main thread starts the server

if number := os.environ.pop(PARENT, ""):
    killed_with_parent()
    if os.getppid() != int(number):  # it ended before the kernel knew
        os._exit(1)
