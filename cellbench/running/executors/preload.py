"""The imports that the fork server does once, so that each run starts with them; nothing here may use a GPU."""

# ruff: noqa: E402
import atexit
import os
import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C during these imports is the parent's to handle
# For how long a thread that waits for another spins before it sleeps, about 0.1 ms. OpenMP's own 30 times as much makes
# small operations slow beside other programs; a tenth makes a step of resnet18 sleep 270 times, and 6 % longer.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import sklearn.svm
import torch
import torchvision

import cellbench.datasets
import cellbench.deep.training.loop
import cellbench.methods
import cellbench.running.executors.child

from ...core.machine.processes import keep_memory
from ...svm.backends import available

keep_memory()
atexit.register(os._exit, 0)  # taking all of this apart takes seconds, and runs end when this process has ended
available()  # imports the SVM libraries that are there

__all__ = ["cellbench", "sklearn", "torch", "torchvision"]
