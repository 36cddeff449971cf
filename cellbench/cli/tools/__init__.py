"""Commands about what cellbench offers, and what this machine does."""
