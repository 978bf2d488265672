"""The claims by name, in the order in which they are tried. Adding one means adding a file and an entry here."""

from __future__ import annotations

from onedial.evals.claims import adaptive, connectivity, diversity, framework, snowball, substitution, width_depth
from onedial.evals.claims.contract import Claim

CLAIMS: dict[str, Claim] = {
    claim.name: claim
    for claim in (
        adaptive.CLAIM,
        substitution.CLAIM,
        width_depth.CLAIM,
        connectivity.CLAIM,
        framework.CLAIM,
        snowball.CLAIM,
        diversity.CLAIM,
    )
}
