"""Published routers and stop rules, one per file, under their published names and defaults."""
