"""Every published router that decides before the first token, by name. Those that see answers are in `steppers`."""

from __future__ import annotations

from onedial.policies.baselines.avengers_pro import AVENGERS_PRO
from onedial.policies.baselines.best_per_dataset import BEST_PER_DATASET
from onedial.policies.baselines.best_route import BEST_ROUTE, BEST_ROUTE_AS_PUBLISHED
from onedial.policies.baselines.carrot_knn import CARROT_KNN
from onedial.policies.baselines.contract import RouterRecipe
from onedial.policies.baselines.guarded_knn import GUARDED_KNN
from onedial.policies.baselines.hybrid_deterministic import HYBRID_DETERMINISTIC
from onedial.policies.baselines.hybrid_probabilistic import HYBRID_PROBABILISTIC
from onedial.policies.baselines.hybrid_transformed import HYBRID_TRANSFORMED
from onedial.policies.baselines.r2_router import R2_ROUTER
from onedial.policies.baselines.radar import RADAR_CHEBYSHEV, RADAR_LINEAR
from onedial.policies.baselines.random_share import RANDOM
from onedial.policies.baselines.route_to_reason import ROUTE_TO_REASON
from onedial.policies.baselines.routellm_classifier import ROUTELLM_CLASSIFIER
from onedial.policies.baselines.routellm_mf import ROUTELLM_MF
from onedial.policies.baselines.routellm_sw import ROUTELLM_SW
from onedial.policies.baselines.uniroute import UNIROUTE

ROUTERS: dict[str, RouterRecipe] = {
    recipe.name: recipe
    for recipe in (
        RANDOM,
        BEST_PER_DATASET,
        ROUTELLM_MF,
        ROUTELLM_SW,
        ROUTELLM_CLASSIFIER,
        HYBRID_DETERMINISTIC,
        HYBRID_PROBABILISTIC,
        HYBRID_TRANSFORMED,
        BEST_ROUTE,
        BEST_ROUTE_AS_PUBLISHED,
        RADAR_LINEAR,
        RADAR_CHEBYSHEV,
        R2_ROUTER,
        ROUTE_TO_REASON,
        CARROT_KNN,
        UNIROUTE,
        AVENGERS_PRO,
        GUARDED_KNN,
    )
}

KNOWS_THE_DATASET = frozenset({BEST_PER_DATASET.name})
"""Rows that are shown `query.dataset`, which no router has when serving."""
