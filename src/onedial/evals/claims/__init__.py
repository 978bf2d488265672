"""What the literature claims about spending compute, tried on any models: one experiment per file, named in `registry`."""
