"""Scores for candidates. Pure: no network, clock, disk or event loop."""
