"""What a user sees of runs: how long they may take, and how far they are."""
