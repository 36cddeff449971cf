"""Probes: a frozen encoder, its embeddings, and the small classifiers on them."""
