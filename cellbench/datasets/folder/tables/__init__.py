"""Tables beside images: which file it is, what its columns mean, and which row is about which image."""
