"""What verifiers are worth on recorded outcomes: the one recorded, agreement, a learned one, and judges that are asked now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.answer import Candidate, Spend
from onedial.core.errors import TableError
from onedial.core.outcome import Floats, Outcome
from onedial.engine.dial import Dial
from onedial.engine.ladders import Progress, quiet
from onedial.engine.recorded import Recorded
from onedial.forecasts.learned_verifier import FEATURES, Sampled, described, fit_verifier
from onedial.metrics.roc import Rated, rated
from onedial.runtime.driver import run
from onedial.runtime.ledger import Budget
from onedial.verifiers.judges.contract import Verdicts, metered
from onedial.verifiers.judges.registry import named_judge

MOST_SETS = 100
"""Sets of answers that a judge is asked about, by default."""
PATIENCE = 3
"""Sets in a row that brought nothing but trouble, after which a judge is asked no more."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A verifier and what its scores are worth.

    Attributes:
        name: What it is called.
        rated: What they are worth.
        on: On which answers.
        unread: Verdicts that could not be read.
        spend: What asking it cost.
        trouble: Why it was not asked about all of them; '' if it was.
    """

    name: str
    rated: Rated
    on: str
    unread: int = 0
    spend: Spend = Spend()
    trouble: str = ""


def recorded_verifiers(dial: Dial) -> tuple[Verified, ...]:
    """Rate what can be rated without asking anybody: recorded scores, agreement, and a verifier learned on the training queries.

    The learned one is rated out of fold on those, and on the held-out queries, of which it has seen nothing.

    Raises:
        TableError: No outcomes are stored, or too few to learn from.
    """
    (train, proof), seed = dial.recorded(), dial.settings.seed
    fitted, kept = sets_of(train), sets_of(proof)
    every = [*fitted, *kept]
    learned = fit_verifier(fitted, seed)
    agreement = np.concatenate([described(one.query, one.candidates)[:, FEATURES.index("agreement")] for one in every])
    recorded = np.array([np.nan if c.score is None else c.score for one in every for c in one.candidates], dtype=float)
    found = [
        ("recorded", every, recorded, "all outcomes"),
        ("agreement", every, agreement, "all outcomes"),
        ("learned", fitted, learned.held, "training queries, out of fold"),
    ]
    if kept:
        scores = np.concatenate([learned.verifier.scores(one.query, one.candidates) for one in kept])
        found.append(("learned", kept, scores, "held-out queries"))
    return tuple(Verified(name, _rated(sets, s, seed), on) for name, sets, s, on in found if np.isfinite(s).any())


async def ask_judge(dial: Dial, name: str, most: int = MOST_SETS, budget_usd: float | None = None, progress: Progress = quiet) -> Verified:
    """Put recorded answers to a judge, and rate its scores by their grades. It sees the answers as recorded, not how they were reached.

    Args:
        dial: Its pool has the judge.
        name: As for `named_judge`.
        most: Sets of answers, each of one source to one query, that it is asked about; those of held-out queries.
        budget_usd: What may be spent.
        progress: Told how many sets of answers are done.

    Raises:
        ConfigError: There is no such judge.
        TableError: No graded answers are stored.
    """
    judge, grant = named_judge(name, dial.pool.models), dial.grant.child(Budget(usd=budget_usd))
    sets = sets_of(dial.recorded()[1])
    order = np.random.default_rng(dial.settings.seed).permutation(len(sets))[:most]
    asked, verdicts, spend = [sets[i] for i in order if not sets[i].query.textless], list[Verdicts](), Spend()
    if not asked:
        raise TableError("no graded answers to held-out queries with a text are stored. Run `onedial collect` with more prompts.")
    for one in asked:
        said, cost = await run(metered(judge, one.query, one.candidates), dial.pool, grant)
        verdicts, spend = [*verdicts, said], spend + cost
        progress(name, len(verdicts), len(asked))
        if len(verdicts) >= PATIENCE and not any(one.read or not one.trouble for one in verdicts[-PATIENCE:]):
            break
    scores = np.array([np.nan if s is None else s for said in verdicts for s in said.scores], dtype=float)
    done, missed = asked[: len(verdicts)], sum(said.unread for said in verdicts)
    on = f"{len(done)} sets of answers to held-out queries"
    troubles = "; ".join(dict.fromkeys(said.trouble for said in verdicts if said.trouble))
    return Verified(name, _rated(done, scores, dial.settings.seed), on, missed, spend, troubles)


def sets_of(recorded: Recorded) -> list[Sampled]:
    """Every set of graded answers of one source to one query; those that have no answer are left out."""
    queries = {query.id: query for query in recorded.queries}
    cells = recorded.recording.samples.items()
    kept = [(queries[name], [o for o in cell if o.answer is not None and o.score is not None]) for (name, _), cell in cells]
    return [Sampled(query, [*map(_candidate, cell)], [_known(o.score) for o in cell]) for query, cell in kept if cell]


def _candidate(outcome: Outcome) -> Candidate:
    """What is recorded of a sample; its grade is not in it."""
    said = outcome.answer or ""
    return Candidate(outcome.source, outcome.sample_index, said, outcome.answer, outcome.output_tokens, outcome.verifier_score)


def _known(score: float | None) -> float:
    return float("nan") if score is None else score


def _rated(sets: Sequence[Sampled], scores: Floats, seed: int) -> Rated:
    numbers = {name: i for i, name in enumerate(dict.fromkeys(one.query.id for one in sets))}
    query = [numbers[one.query.id] for one in sets for _ in one.candidates]
    return rated(scores, [s for one in sets for s in one.scores], query, np.random.default_rng([seed, 29]))
