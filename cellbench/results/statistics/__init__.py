"""How sure a figure is, and whether two differ: intervals and paired tests as pure functions of arrays."""
