"""Commands that look at images before any run."""
