"""One module for each kind of chart; `..registry.kinds` imports all that lie here."""
