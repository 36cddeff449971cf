"""Models that runs keep: models writes and restores them, labelling labels new images."""
