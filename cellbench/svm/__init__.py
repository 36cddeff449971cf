"""Kernel support vector machines: our own solver on torch, and the libraries that it is measured against.

classifier: SVC, with scikit-learn's interface; inputs checks what it is given, machines splits it into binary problems,
kernels has the Gram matrices, votes puts the answers together. solver: the dual of many machines; interior: a slow
method for what the solver cannot do; pilot: a small machine that tells how large the solution will be. backends: which
library fits a machine; libraries/: LIBSVM, ThunderSVM, cuML. fitted, saved, objective: of a fitted machine its
interface, its file, and facts for the record.
"""

from .backends import BACKENDS, available, candidates, choose
from .classifier import SVC, path

__all__ = ["BACKENDS", "SVC", "available", "candidates", "choose", "path"]
