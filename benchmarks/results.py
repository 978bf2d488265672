"""Regenerate docs/RESULTS.md: every table benched, every benchmark run, with seeds and intervals.

    python benchmarks/results.py DIR [--out docs/RESULTS.md] [--work onedial-data/results] [--seed 0] [--jobs 2]
        [--queries 1500] [--only TABLE ...] [--published TABLE ...] [--sections 1 2 ...] [--litellm PYTHON]

DIR holds outcome tables, one folder each. What a step printed or wrote is kept in the work folder, and is not run again
while it is there; folds of a bench are kept too. Hours on two cores for a dozen tables; less where only some
of them, those named after --published, are benched with every published method, the others with the six rivals alone.
A section that was not run this time and
is not in the work folder says so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import results_tables as tables

from onedial.core.errors import OnedialError
from onedial.core.version import __version__
from onedial.evals.leaks import shuffled_scores
from onedial.runtime.table import read_table, write_table

HERE = Path(__file__).parent
POOLED = ("epoch_gpqa_diamond", "epoch_otis_mock_aime")
ROUTELLM = "routellm_evals"
SHUFFLED = ("epoch_gpqa_diamond", "reasoning_gym_easy")
RIVALS = ("model-only", "compute-only", "hull", "agreement-cascade", "token-gate")
NOT_RUN = "*Not run.*"
EQUAL = """Every query is tested once, by policies fitted and chosen on the other four of five folds; the best fixed arm, mixtures,
thresholds and settings are chosen there too. Costs are read off each policy's frontier at the quality that the best fixed arm
for a target reaches on the test queries, so that all are compared at equal achieved quality. *best − 2* is the best fixed arm's
training quality less two points. Ratios are joint's cost over the other's, with 95 % intervals of a paired bootstrap over
queries; below 1 joint is cheaper."""
RESPLITS = """200 resplits of the pooled test queries of each table, epsilon .02, delta .1: one half certifies a point of joint's dial
against the most accurate fixed arm, the whole stands in for the truth, which flatters."""
EXTRAPOLATED = """`onedial bench` (its `extrapolation`; more detail by `python benchmarks/extrapolation.py DIR/TABLE`). Fitted on one or two
samples, or without one effort; sampling noise is subtracted from squared errors. The goal is less than half the nearest sampled
budget's error, and less regret than every rival."""
UNLEAKED = """Scores permuted within each source leave nothing to learn about a query: joint's cost over the hull of fixed arms should
not lie below 1. That no policy does anything else when test scores change, and that a planted leak is exposed, is tested in
`tests/evals/test_leaks.py`."""
WRITTEN = """Written by `python benchmarks/results.py DIR --seed {seed}` with onedial {version}, where DIR holds outcome tables
(queries.parquet, outcomes.parquet; see [TABLES.md](TABLES.md)). Failures stay; what they mean is in
[EXPERIMENTS.md](EXPERIMENTS.md)."""


@dataclass(frozen=True, slots=True)
class Run:
    """Where everything is.

    Attributes:
        folder: Of the tables.
        work: What steps leave behind.
        seed: Of everything.
        jobs: Folds side by side.
        queries: Per table at most.
        only: Tables to bench; None is all.
        published: Tables on which every published method is run; None is all.
        litellm: The Python of an environment that has LiteLLM; None leaves it out.
    """

    folder: Path
    work: Path
    seed: int
    jobs: int
    queries: int
    only: frozenset[str] | None = None
    published: frozenset[str] | None = None
    litellm: str | None = None

    @property
    def names(self) -> list[str]:
        """The tables there are, and that are wanted."""
        there = sorted(path.parent.name for path in self.folder.glob("*/outcomes.parquet"))
        return [name for name in there if self.only is None or name in self.only]

    def step(self, name: str, command: Sequence[str], output: Path | None = None) -> str:
        """Run a program unless what it printed is there; return that."""
        printed = self.work / f"{name}.txt"
        if not printed.exists() or (output is not None and not output.exists()):
            started = time.monotonic()
            print(f"{name}: {' '.join(command)}", flush=True)
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"})
            if done.returncode:
                print(f"{name}: failed with exit code {done.returncode}", flush=True)
                return ""
            printed.write_text(done.stdout, encoding="utf-8")
            print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
        return printed.read_text(encoding="utf-8").strip()

    def few(self, name: str) -> list[str]:
        """Options that leave published methods out where they are not wanted."""
        return [] if self.published is None or name in self.published else ["--policies", ",".join(RIVALS)]

    def bench(self, name: str, arguments: Sequence[str]) -> list[dict[str, Any]]:
        """Bench tables; nothing where that failed."""
        output = self.work / f"bench-{name}.json"
        program = [sys.executable, "-c", "from onedial.apps.cli import main; main()", "--data", str(self.work)]
        options = ["--seed", str(self.seed), "--jobs", str(self.jobs), "--queries", str(self.queries), "--json", str(output)]
        self.step(f"bench-{name}", [*program, "bench", *arguments, *options, "--report", str(self.work / "reports")], output)
        return json.loads(output.read_text(encoding="utf-8"))["tables"] if output.exists() else []


def benched(run: Run) -> list[dict[str, Any]]:
    """Every table, and the pool where both of its parts are there, which are then benched alone by the same command."""
    found: list[dict[str, Any]] = []
    pooled = [name for name in POOLED if name in run.names] if set(POOLED) <= set(run.names) else []
    if pooled:
        found += run.bench(
            "+".join(pooled), [*(str(run.folder / name) for name in pooled), "--pool", "+".join(pooled), *run.few(pooled[0])]
        )
    for name in run.names:
        if name not in pooled:
            found += run.bench(name, [str(run.folder / name), *run.few(name)])
    return found


def equal_quality(run: Run) -> str:
    """Section 1."""
    found = benched(run)
    if not found:
        return NOT_RUN
    command = f"`onedial bench DIR/TABLE --queries {run.queries} --seed {run.seed}`"
    return "\n\n".join((command, EQUAL, tables.verdicts(found), *(tables.one(table) for table in found)))


def routellm(run: Run) -> str:
    """Section 2."""
    table = run.folder / ROUTELLM
    if not (table / "raw").is_dir():
        return NOT_RUN
    printed = run.step("routellm", [sys.executable, str(HERE / "routellm.py"), str(table), "--first", "10", "--seeds", "10"])
    said = "`python benchmarks/routellm.py DIR/routellm_evals --first 10 --seeds 10`: seeds that no development looked at."
    return f"{said}\n\n{printed}\n\n{_litellm(run, table)}" if printed else NOT_RUN


def _litellm(run: Run, table: Path) -> str:
    """LiteLLM's own routers by the same protocol, in their environment."""
    command = [run.litellm or sys.executable, str(HERE / "peers" / "litellm_router.py"), str(table), "--labels", "0"]
    printed = run.step("litellm", command) if run.litellm else ""
    said = (
        "### LiteLLM's shipped routers: `python benchmarks/peers/litellm_router.py DIR/routellm_evals --labels 0`, "
        "in an environment of its own"
    )
    return f"{said}\n\n```\n{printed}\n```" if printed else f"{said}\n\n{NOT_RUN}"


def promised(run: Run) -> str:
    """Section 3."""
    printed = run.step("promise", [sys.executable, str(HERE / "promise.py"), "--seed", str(run.seed)])
    found = [table for table in benched(run) if table["promise"]]
    over = f"### Recorded tables\n\n{RESPLITS}\n\n{tables.resplits(found)}"
    return f"`python benchmarks/promise.py --seed {run.seed}` and `onedial bench`\n\n{printed or NOT_RUN}\n\n{over}"


def extrapolated(run: Run) -> str:
    """Section 4."""
    found = benched(run)
    return f"{EXTRAPOLATED}\n\n{tables.extrapolations(found)}"


def quick(run: Run) -> str:
    """Section 5."""
    parts = []
    for name in ("decide", "allocate", "fit"):
        printed = run.step(name, [sys.executable, str(HERE / f"{name}.py"), "--seed", str(run.seed)])
        parts.append(f"### `python benchmarks/{name}.py --seed {run.seed}`\n\n{printed or NOT_RUN}")
    return "\n\n".join(parts)


def unleaked(run: Run) -> str:
    """Section 6."""
    found = []
    for name in (name for name in SHUFFLED if name in run.names):
        folder = run.work / "shuffled" / f"{name} shuffled"
        if not folder.is_dir():
            table = read_table(run.folder / name, repair=True)
            write_table(folder, table.queries, shuffled_scores(table.outcomes, run.seed))
        found += run.bench(f"shuffled-{name}", [str(folder), "--policies", "model-only,hull,token-gate"])
    return f"{UNLEAKED}\n\n{tables.shuffled(found) if found else NOT_RUN}"


SECTIONS: tuple[tuple[str, Callable[[Run], str]], ...] = (
    ("Joint at equal quality", equal_quality),
    ("RouteLLM's protocol on RouteLLM's labels", routellm),
    ("The promise", promised),
    ("Extrapolation", extrapolated),
    ("Speed", quick),
    ("Nothing sees what it is scored on", unleaked),
)


def main() -> None:
    """Run what is missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", type=Path)
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "RESULTS.md")
    parser.add_argument("--work", type=Path, default=Path("onedial-data") / "results")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--queries", type=int, default=1500)
    parser.add_argument("--only", nargs="+", metavar="TABLE")
    parser.add_argument("--published", nargs="+", metavar="TABLE")
    parser.add_argument("--litellm", metavar="PYTHON", help="of an environment that has litellm; without it that peer is left out")
    parser.add_argument("--sections", type=int, nargs="+", default=list(range(1, len(SECTIONS) + 1)))
    options = parser.parse_args()
    run = Run(
        options.tables,
        options.work,
        options.seed,
        options.jobs,
        options.queries,
        *(frozenset(names) if names else None for names in (options.only, options.published)),
        options.litellm,
    )
    run.work.mkdir(parents=True, exist_ok=True)
    parts = ["# Results", WRITTEN.format(seed=run.seed, version=__version__)]
    for number, (title, section) in enumerate(SECTIONS, 1):
        parts += [f"## {number}. {title}", section(run) if number in options.sections else NOT_RUN]
        options.out.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(options.out)


if __name__ == "__main__":
    try:
        main()
    except OnedialError as error:
        sys.exit(str(error))
