"""Verifiers that ask: generators that put candidates to a judge and return scores. Pure; what they ask is priced like any other ask."""
