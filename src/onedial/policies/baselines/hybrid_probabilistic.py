"""Hybrid-LLM, probabilistic: the label is the chance that the weak arm is good enough.

Source: 2404.14618.
"""

from onedial.policies.baselines.contract import RouterRecipe
from onedial.policies.baselines.hybrid_labels import hybrid, r_prob

HYBRID_PROBABILISTIC = RouterRecipe("hybrid-llm-probabilistic", "Hybrid-LLM 2404.14618, r_prob", hybrid(r_prob))
