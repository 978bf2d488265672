"""Outcomes recorded by other tools, one format per file; `registry` knows them all. Nothing is asked and nothing is scored here."""
