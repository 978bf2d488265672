"""Searches: texts that grow step by step and are scored while they grow, one published method per file. Pure."""
