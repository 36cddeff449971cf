"""From image files of any kind to pixels, one by one or any number into one array on disk."""
