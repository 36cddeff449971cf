"""What the fork server imports once, so that a run's process starts with it; nothing here may touch a GPU."""

# ruff: noqa: E402
import os
import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C during these imports is the parent's to handle
# Threads that wait for each other soon sleep, not spin: beside other programs that makes torch's many small operations
# ten times as fast, alone no slower. OpenMP reads it when torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import sklearn.svm
import torch
import torchvision

import cellbench.datasets
import cellbench.methods
import cellbench.running.worker
import cellbench.training.loop

from ..core.processes import keep_memory
from ..svm.backends import available

keep_memory()
available()  # imports the SVM libraries that are there

__all__ = ["cellbench", "sklearn", "torch", "torchvision"]
