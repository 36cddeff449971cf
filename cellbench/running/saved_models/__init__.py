"""Trained models as files: `models` saves and restores them, `labelling` labels new images with them."""
