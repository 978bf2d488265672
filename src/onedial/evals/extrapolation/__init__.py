"""Predicting more samples and left-out efforts, beside rivals."""
