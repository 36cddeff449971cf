"""The machine under a run: its name and software, who else uses it, memory, processes, locks and files."""
