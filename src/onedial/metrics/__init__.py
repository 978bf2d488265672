"""Frontiers, areas, regret, calibration, exchange rates: numbers in, numbers out. Nothing here knows a model, a file or a clock."""
