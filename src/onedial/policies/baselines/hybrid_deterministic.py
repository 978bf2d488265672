"""Hybrid-LLM, deterministic: one answer of each arm decides which is good enough.

Source: 2404.14618.
"""

from onedial.policies.baselines.contract import RouterRecipe
from onedial.policies.baselines.hybrid_labels import hybrid, r_det

HYBRID_DETERMINISTIC = RouterRecipe("hybrid-llm-deterministic", "Hybrid-LLM 2404.14618, r_det", hybrid(r_det))
