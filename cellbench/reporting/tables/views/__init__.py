"""The views of `cellbench table`, a file each; `registry` lists them."""
