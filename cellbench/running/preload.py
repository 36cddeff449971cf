"""What the fork server imports once, so that a run's process starts with it; nothing here may touch a GPU."""

import sklearn.svm
import torch
import torchvision

import cellbench.datasets
import cellbench.methods
import cellbench.running.runner
import cellbench.training.loop

from ..svm.backends import available

available()  # imports the SVM libraries that are there

__all__ = ["cellbench", "sklearn", "torch", "torchvision"]
