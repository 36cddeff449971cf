"""Commands that train methods, and that use what was trained."""
