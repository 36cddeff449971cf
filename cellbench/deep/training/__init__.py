"""The one training loop, in loop.py, and its parts, one a file."""
