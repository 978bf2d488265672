"""Graph reachability: one long walk against direct votes that cost the same tokens, by path length.

Prints a table and draws docs/images/reachability.png. Every answer is generated
by the embedded models when this runs.

    python benchmarks/reachability.py --questions 100 --seed 0

Source of the question: 2505.21825 (sequential against parallel scaling on connectivity).
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import fmean

import numpy as np

from onedial.core.arm import Source
from onedial.core.ask import Sample, Samples
from onedial.core.query import Query
from onedial.lab.client import LabClient
from onedial.lab.families import FAMILIES
from onedial.metrics.bootstrap import Interval, mean_interval

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "reachability.png"
DIRECT, WALK = "0", "3"


@dataclass(frozen=True, slots=True)
class Row:
    """One model at one path length: quality of a walk and of direct votes, and the tokens that each takes."""

    model: str
    length: int
    walk: Interval
    walk_tokens: float
    votes: Interval
    vote_tokens: float


async def draw(client: LabClient, queries: list[Query], source: Source, n: int) -> list[Samples]:
    """Sample every query `n` times."""
    replies = await asyncio.gather(*(client.sample(Sample(q.id, source, q.messages, n)) for q in queries))
    return [reply for reply in replies if isinstance(reply, Samples)]


async def measure(client: LabClient, model: str, length: int, questions: int, seed: int) -> Row:
    """Walk once; then vote directly with as many samples as the same tokens buy, at least as many tokens as the walk took."""
    task, rng = FAMILIES["path"], Random(f"reachability-{seed}-{length}")
    queries = [Query(f"path-{seed}-{length}-{i}", task.generate(rng, length).prompt) for i in range(questions)]
    walks = await draw(client, queries, Source(model, WALK), 1)
    tokens = fmean(w.usage.output_tokens for w in walks)
    one = await draw(client, queries[:8], Source(model, DIRECT), 1)
    size = max(1, int(np.ceil(tokens / fmean(v.usage.output_tokens for v in one))))
    size += 1 - size % 2  # an odd number, so that votes do not tie
    votes = await draw(client, queries, Source(model, DIRECT), size)
    right_walk = [task.check(q.prompt, w.completions[0].text) for q, w in zip(queries, walks, strict=True)]
    right_vote = [
        task.check(q.prompt, Counter(c.text for c in v.completions).most_common(1)[0][0]) for q, v in zip(queries, votes, strict=True)
    ]
    dice = np.random.default_rng(seed)
    return Row(
        model,
        length,
        mean_interval(np.array(right_walk, dtype=float), dice),
        tokens,
        mean_interval(np.array(right_vote, dtype=float), dice),
        fmean(v.usage.output_tokens for v in votes),
    )


async def measure_all(questions: int, seed: int) -> list[Row]:
    """Measure every model at every path length."""
    client = LabClient(seed=seed)
    try:
        return [await measure(client, m, d, questions, seed) for m in client.models for d in FAMILIES["path"].difficulties]
    finally:
        await client.aclose()


def show(rows: list[Row]) -> None:
    """Print the table in Markdown."""
    print("| model | roads | one walk | tokens | direct votes | tokens |\n|---|---|---|---|---|---|")
    for r in rows:
        walk, votes = (f"{i.estimate:.2f} [{i.low:.2f}, {i.high:.2f}]" for i in (r.walk, r.votes))
        print(f"| {r.model} | {r.length} | {walk} | {r.walk_tokens:.1f} | {votes} | {r.vote_tokens:.1f} |")


def draw_picture(rows: list[Row], path: Path) -> None:
    """Draw quality against path length, one panel per model."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from onedial.evals.report.style import POLICY, RC, SOFT

    models = list(dict.fromkeys(r.model for r in rows))
    with rc_context(RC):
        figure = Figure(figsize=(3.4 * len(models) + 0.6, 3.6))
        FigureCanvasAgg(figure)
        figure.text(0.06, 0.94, "Can I get there? One walk, or votes for the same tokens", fontsize=12.5, weight="bold", va="center")
        axes = figure.subplots(1, len(models), sharey=True, squeeze=False)[0]
        figure.subplots_adjust(left=0.075, right=0.98, top=0.78, bottom=0.16, wspace=0.1)
        for ax, model in zip(axes, models, strict=True):
            mine = [r for r in rows if r.model == model]
            for name, key, colour in (("one walk", "walk", POLICY["joint"]), ("direct votes", "votes", POLICY["model-only"])):
                intervals = [getattr(r, key) for r in mine]
                x = [r.length for r in mine]
                ax.fill_between(x, [i.low for i in intervals], [i.high for i in intervals], color=colour, alpha=0.15, lw=0)
                ax.plot(x, [i.estimate for i in intervals], "o-", color=colour, lw=2, ms=4, label=name)
            ax.axhline(0.5, color=SOFT, lw=0.8, ls=":")
            ax.set_title(model)
            ax.set_xlabel("roads to walk")
            ax.set_ylim(0.35, 1.03)
            ax.grid(axis="y")
        axes[0].set_ylabel("right")
        axes[0].legend(frameon=False, loc="center left", bbox_to_anchor=(0.0, 0.62), fontsize=8.5)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=PICTURE)
    args = parser.parse_args()
    rows = asyncio.run(measure_all(args.questions, args.seed))
    show(rows)
    draw_picture(rows, args.out)


if __name__ == "__main__":
    main()
