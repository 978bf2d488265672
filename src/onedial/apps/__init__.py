"""Thin shells: the command line. What they do is in `engine` and `evals`."""
