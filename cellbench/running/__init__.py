"""From a plan of runs to records."""
