"""Commands that show the results in a folder."""
