"""Methods by name. Each file adds what it knows, with `@method`, and is imported when a method is first asked for.

registry: what a method is. decorator: `@method`. floor, classic, deep, svms/, probes/: the methods by family. For
several of them: estimators (a classifier of scikit-learn on features), best_candidate (choosing on val), inputs (checks
of images and labels), hardware (what cached results depend on). conformance: what every method must do. suspect_labels:
an audit that trains a method.
"""

from .decorator import method
from .registry import MethodEntry, methods

__all__ = ["MethodEntry", "method", "methods"]
