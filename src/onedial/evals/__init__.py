"""Compare fixed arms, policies and the oracle on recorded outcomes, and show it. Models are handed in, never called from here."""
