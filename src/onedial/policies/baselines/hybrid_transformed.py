"""Hybrid-LLM, transformed: the weak arm may be t* worse, so that labels are not all alike.

Source: 2404.14618.
"""

from onedial.policies.baselines.contract import RouterRecipe
from onedial.policies.baselines.hybrid_labels import hybrid, r_trans

HYBRID_TRANSFORMED = RouterRecipe("hybrid-llm-transformed", "Hybrid-LLM 2404.14618, r_trans", hybrid(r_trans))
