"""LiteLLM's complexity router on RouteLLM's labels, by RouteLLM's protocol, beside onedial's forecast of gain and a lot.

Calls the real package: the score of its heuristic classifier, and one less the chance
that its trained predictor gives the simplest tier. Nothing is sent anywhere. The
prompts that RouteLLM calls contaminated are dropped where their list lies in the
table's raw folder. Ties are broken by a seeded 1e-9.

    pip install litellm
    python benchmarks/peers/litellm_router.py PATH/TO/routellm_evals --seed 0

The path is a folder with queries.parquet and outcomes.parquet. `--labels` trains one router
of this repository on so many labels and tests it on the rest, over three splits; 0 leaves it out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import pyarrow.parquet as pq

from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.forecasts.features import features
from onedial.metrics.routing import apgr, cpt, decile_curve
from onedial.policies.baselines.embedding import Embedding
from onedial.policies.baselines.heads import fit_heads

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else importing the package asks for prices over the network
try:
    import litellm
    from litellm.router_strategy.adaptive_router.classifier import classify_prompt
    from litellm.router_strategy.complexity_router.complexity_router import ComplexityRouter
    from litellm.router_strategy.complexity_router.tier_predictor import TierSuccessPredictor, resolve_tier_artifact
except ImportError as missing:
    sys.exit(f"litellm with its complexity router is not installed ({missing}); `pip install litellm` into this environment, then retry.")

STRONG, WEAK = "gpt-4-1106-preview", "mistralai/Mixtral-8x7B-Instruct-v0.1"
SPLITS = 3


@dataclass(frozen=True, slots=True)
class Labels:
    """Prompts of one benchmark, and whether each model was right."""

    name: str
    prompts: tuple[str, ...]
    weak: Floats
    strong: Floats


def read(folder: Path) -> Iterator[Labels]:
    """Every benchmark of the table whose labels are right or wrong."""
    queries = pq.read_table(folder / "queries.parquet").to_pylist()
    outcomes = pq.read_table(folder / "outcomes.parquet", columns=["query_id", "model", "score"]).to_pylist()
    score = {(row["query_id"], row["model"]): row["score"] for row in outcomes}
    dropped = {prompt for path in sorted(folder.glob("raw/*contaminated*.jsonl")) for prompt in contaminated(path)}
    for name in sorted({q["dataset"].split("/")[0] for q in queries}):
        kept = [q for q in queries if q["dataset"].split("/")[0] == name and q["prompt"] and q["prompt"].strip() not in dropped]
        weak, strong = (np.array([score[q["query_id"], model] for q in kept]) for model in (WEAK, STRONG))
        if kept and np.isin(np.concatenate((weak, strong)), (0.0, 1.0)).all():
            yield Labels(name, tuple(q["prompt"] for q in kept), weak, strong)


def contaminated(path: Path) -> Iterator[str]:
    """The evaluation prompts of one list."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield str(json.loads(line)["eval_prompt"]).strip()


def complexity_scores(prompts: Sequence[str]) -> Floats:
    """The heuristic's score; more is harder."""
    deployment = {"model_name": "any", "litellm_params": {"model": "openai/any", "api_key": "none"}}
    router = ComplexityRouter("complexity", litellm.Router([deployment]), {})
    return np.array([router.classify(prompt)[1] for prompt in prompts])


def tier_scores(prompts: Sequence[str]) -> Floats:
    """One less the predicted chance that the simplest tier succeeds."""
    predictor = TierSuccessPredictor(resolve_tier_artifact("ultrafeedback"))
    return np.array([1.0 - predictor.predict(prompt, classify_prompt(prompt)).probabilities[1] for prompt in prompts])


def gain(x: Floats, labels: Labels, rows: Ints, seed: int) -> Floats:
    """Predicted gain of the strong model on all prompts: two logistic heads fitted to `rows`."""
    embedding = Embedding.of(x[rows])
    heads, _ = fit_heads(embedding.rows(x[rows]), np.stack((labels.weak, labels.strong), axis=1)[rows], seed)
    chance = heads(embedding.rows(x))
    return np.asarray(chance[:, 1] - chance[:, 0])


def row(score: Floats, labels: Labels, rows: Ints) -> tuple[float, float, float]:
    """APGR, CPT(50 %) and CPT(80 %) on some of the prompts."""
    weak, strong = labels.weak[rows], labels.strong[rows]
    curve, ends = decile_curve(score[rows], weak, strong), (float(weak.mean()), float(strong.mean()))
    return apgr(curve, *ends), cpt(curve, *ends, 0.5), cpt(curve, *ends, 0.8)


def trained(labels: Labels, count: int, seed: int) -> tuple[float, float, float]:
    """Mean row of a router trained on `count` labels, on the prompts that it was not trained on."""
    x = features([Query(str(i), prompt) for i, prompt in enumerate(labels.prompts)])
    found = []
    for split in range(SPLITS):
        order = np.random.default_rng([seed, split]).permutation(len(labels.prompts))
        found.append(row(gain(x, labels, order[:count], seed), labels, order[count:]))
    return fmean(f[0] for f in found), fmean(f[1] for f in found), fmean(f[2] for f in found)


def main() -> None:
    """Print one table per benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for labels in read(asked.table):
        rng, n = np.random.default_rng(asked.seed), len(labels.prompts)
        scores = {
            "random": rng.random(n),
            "litellm complexity": complexity_scores(labels.prompts),
            "litellm tiers": tier_scores(labels.prompts),
        }
        print(f"{labels.name}: {n} prompts, weak {labels.weak.mean():.2%}, strong {labels.strong.mean():.2%}")
        print(f"  {'router':<32}{'APGR':>8}{'CPT50':>8}{'CPT80':>8}")
        rows = {name: row(score + 1e-9 * rng.random(n), labels, np.arange(n)) for name, score in scores.items()}
        if 0 < asked.labels < n:
            rows[f"gain, {asked.labels} labels of its own"] = trained(labels, asked.labels, asked.seed)
        for name, (area, half, most) in rows.items():
            print(f"  {name:<32}{area:>8.3f}{half:>8.1%}{most:>8.1%}")


if __name__ == "__main__":
    main()
