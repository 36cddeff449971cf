"""What runs on a CUDA card, on one that is not there; `pretended` makes it, `mutants` shows what it finds."""
