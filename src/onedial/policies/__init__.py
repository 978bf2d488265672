"""Choose: what to do next for a query, how to meet a target over many, and what can be promised about it."""
