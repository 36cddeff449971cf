"""Methods by name. Each file adds what it knows, with `@method`, and is imported when a method is first asked for."""

from .decorator import method
from .registry import MethodEntry, methods

__all__ = ["MethodEntry", "method", "methods"]
