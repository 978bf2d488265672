"""Learners behind the forecasts, one per file: from what a text looks like to success, tokens and whatever else is forecast."""
