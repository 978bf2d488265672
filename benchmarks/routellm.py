"""RouteLLM's protocol on RouteLLM's labels: average gap recovered, and the strong calls that recover half and four fifths of it.

    python benchmarks/routellm.py DIR [--seeds 5] [--first 0] [--labels 1500 11000] [--json FILE]

DIR is an outcome table (`queries.parquet`, `outcomes.parquet`) of the two models, with `raw/*_contaminated_prompts.jsonl` (prompts
that the protocol drops) and `raw/gsm8k_responses.csv` (the answers of the weak model) beside it. Means and standard deviations
over seeds; every split is random, and nothing is chosen on what is scored.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from onedial.evals.routellm_protocol import (
    Marks,
    Pair,
    from_query,
    from_weak_answer,
    on_folds,
    on_split,
    pair_of,
    spread_of,
    without_labels,
)
from onedial.runtime.table import read_table

WEAK, STRONG = "mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"
FOLDS = 5
PUBLISHED = ("RouteLLM's best, as published (MMLU)", Marks(0.603, 0.354, 0.703))
Spread = dict[str, tuple[Marks, Marks]]


def main() -> None:
    """Run every part and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--labels", type=int, nargs="*", default=[1500, 11000])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    mmlu, gsm8k = (pair(options.table, name) for name in ("mmlu", "gsm8k"))
    found: dict[str, Spread] = {}
    for title, one in parts(mmlu, gsm8k, weak_answers(options.table, gsm8k), options.labels):
        started = time.monotonic()
        found[title] = spread_of([one(seed) for seed in range(options.first, options.first + options.seeds)])
        show(title, found[title], options.seeds, time.monotonic() - started)
        if options.json:
            options.json.write_text(
                json.dumps({k: {n: [asdict(m) for m in pair] for n, pair in v.items()} for k, v in found.items()}, indent=1)
            )


def parts(mmlu: Pair, gsm8k: Pair, answers: dict[str, str], labels: list[int]) -> Iterator[tuple[str, Callable[[int], dict[str, Marks]]]]:
    """(title, from a seed to marks) of everything that is run."""
    for one in (mmlu, gsm8k):
        yield f"{one.name}: no labels", lambda seed, one=one: without_labels(one, np.arange(len(one.queries)), seed)
    before, after = from_query(gsm8k), from_weak_answer(gsm8k, answers)
    yield f"gsm8k: {FOLDS} folds, from the query", lambda seed: on_folds(gsm8k, before, FOLDS, seed)
    yield f"gsm8k: {FOLDS} folds, the weak answer seen", lambda seed: on_folds(gsm8k, after, FOLDS, seed)
    reader = from_query(mmlu)
    for n in labels:
        yield f"mmlu: {n:,} labels, from the query", lambda seed, n=n: on_split(mmlu, reader, n, seed)


def pair(table: Path, name: str) -> Pair:
    """One data set without its contaminated prompts."""
    read = read_table(table, repair=True)
    lines = (table / "raw" / f"{name}_contaminated_prompts.jsonl").read_text(encoding="utf-8").splitlines()
    made = pair_of(name, read.queries, read.outcomes, WEAK, STRONG, [json.loads(line)["eval_prompt"] for line in lines if line])
    share = [100 * float(values.mean()) for values in (made.weak, made.strong, made.strong > made.weak, made.strong < made.weak)]
    print(f"{name}: {len(made.queries):,} queries, {made.dropped} dropped; weak {share[0]:.2f}, strong {share[1]:.2f} % right; ", end="")
    print(f"the strong model rescues {share[2]:.1f} % and harms {share[3]:.1f} %")
    return made


def weak_answers(table: Path, gsm8k: Pair) -> dict[str, str]:
    """The weak model's answers by query id."""
    with (table / "raw" / "gsm8k_responses.csv").open(newline="", encoding="utf-8") as file:
        texts = {row["prompt"].strip(): row[f"{WEAK}_response"] for row in csv.DictReader(file)}
    return {query.id: texts[query.prompt.strip()] for query in gsm8k.queries}


def show(title: str, spread: Spread, seeds: int, seconds: float) -> None:
    """Print one part as a Markdown table."""
    print(f"\n### {title} ({seeds} seeds, {seconds:.0f} s)\n\n| ranking | APGR | CPT(50 %) | CPT(80 %) |\n|---|---|---|---|")
    for name, (mean, sd) in spread.items():
        cells = (
            f"{mean.apgr:.3f} ± {sd.apgr:.3f}",
            f"{100 * mean.cpt50:.1f} ± {100 * sd.cpt50:.1f}",
            f"{100 * mean.cpt80:.1f} ± {100 * sd.cpt80:.1f}",
        )
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    if title.startswith("mmlu") and "labels, from" in title:
        name, best = PUBLISHED
        print(f"| {name} | {best.apgr:.3f} | {100 * best.cpt50:.1f} | {100 * best.cpt80:.1f} |", flush=True)


if __name__ == "__main__":
    main()
