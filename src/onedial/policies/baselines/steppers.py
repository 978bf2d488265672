"""The baselines that see answers, and the online ones, by name. Adding one means adding a file and an entry here.

DSC (2408.13457) and Blend-ASC (2511.12309) are not here: both allocate over a batch
that is known in advance, and queries come one at a time.
"""

from __future__ import annotations

from onedial.policies.baselines.adaptive_consistency import ADAPTIVE_CONSISTENCY
from onedial.policies.baselines.adaptive_self_consistency import ADAPTIVE_SELF_CONSISTENCY
from onedial.policies.baselines.agreement_cascade import AGREEMENT_CASCADE
from onedial.policies.baselines.automix import AUTOMIX_POMDP, AUTOMIX_THRESHOLD
from onedial.policies.baselines.bandit import BANDIT
from onedial.policies.baselines.best_of_infinity import BEST_OF_INFINITY
from onedial.policies.baselines.cascade_routing import CASCADE_ROUTING
from onedial.policies.baselines.contract import StepperRecipe
from onedial.policies.baselines.damani import DAMANI
from onedial.policies.baselines.esc import ESC
from onedial.policies.baselines.frugal_gpt import FRUGAL_GPT
from onedial.policies.baselines.lagrangian import LAGRANGIAN
from onedial.policies.baselines.mess_plus import MESS_PLUS
from onedial.policies.baselines.port import PORT
from onedial.policies.baselines.self_consistency_ladder import SELF_CONSISTENCY
from onedial.policies.baselines.token_gate import TOKEN_GATE

STEPPERS: dict[str, StepperRecipe] = {
    recipe.name: recipe
    for recipe in (
        AGREEMENT_CASCADE,
        TOKEN_GATE,
        FRUGAL_GPT,
        AUTOMIX_THRESHOLD,
        AUTOMIX_POMDP,
        CASCADE_ROUTING,
        SELF_CONSISTENCY,
        ADAPTIVE_CONSISTENCY,
        ADAPTIVE_SELF_CONSISTENCY,
        ESC,
        BEST_OF_INFINITY,
        DAMANI,
        LAGRANGIAN,
        BANDIT,
        MESS_PLUS,
        PORT,
    )
}
