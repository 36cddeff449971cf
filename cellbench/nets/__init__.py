"""Neural networks, one family a file: each factory takes (channels, classes, size) and returns a plain nn.Module."""
