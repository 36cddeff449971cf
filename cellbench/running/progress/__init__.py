"""What a user sees of runs: what is to come, how long it may take, and how far it is."""
