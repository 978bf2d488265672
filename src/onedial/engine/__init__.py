"""The loops that join deciding and doing: solve one query, collect, fit, solve for a target, certify."""
