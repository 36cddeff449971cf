"""From scores to labels, probabilities and figures; each figure follows from sums over images."""
