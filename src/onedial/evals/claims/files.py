"""Findings on disk: `NAME.json` to go on from, `NAME.csv` for other tools, `NAME.png` to look at."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from onedial.core.errors import TableError
from onedial.evals.claims.contract import Claim, Finding
from onedial.evals.report.style import RC
from onedial.metrics.bootstrap import Interval
from onedial.runtime.whole import whole_file

FORMAT = 1


@dataclass(frozen=True, slots=True)
class About:
    """What a finding was made with; one made with anything else is made anew.

    Attributes:
        models: Their names, cheapest first.
        tasks: What the questions are.
        questions: How many of each kind.
        seed: Of questions, splits and resamples.
    """

    models: tuple[str, ...]
    tasks: str
    questions: int
    seed: int


class Written(NamedTuple):
    """Where a finding was written."""

    json: Path
    csv: Path
    png: Path


def paths(folder: Path, name: str) -> Written:
    """The files of a claim."""
    return Written(*(folder / f"{name}.{kind}" for kind in ("json", "csv", "png")))


def write(claim: Claim, finding: Finding, about: About, spent: Mapping[str, float], folder: Path) -> Written:
    """Write a finding; the JSON comes last, so that what it stands for is there."""
    folder.mkdir(parents=True, exist_ok=True)
    files = paths(folder, claim.name)
    with whole_file(files.csv) as partial:
        _write_rows(finding, partial)
    with whole_file(files.png) as partial:
        picture(claim, finding, partial)
    numbers = {name: interval._asdict() for name, interval in finding.numbers.items()}
    content = {"format": FORMAT, "claim": claim.name, "question": claim.question, "source": claim.source, "verdict": finding.verdict}
    content |= {"sentence": finding.sentence, "numbers": numbers, "about": asdict(about), "spent": dict(spent), "rows": finding.rows}
    with whole_file(files.json) as partial:
        partial.write_text(json.dumps(_plain(content), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return files


def read(claim: Claim, about: About, folder: Path) -> Finding | None:
    """A finding that was made with the same things; None if there is none.

    Raises:
        TableError: The file is not one of a finding.
    """
    path = paths(folder, claim.name).json
    if not path.is_file():
        return None
    try:
        content = _read(json.loads(path.read_text(encoding="utf-8")))
        if content["format"] != FORMAT or content["about"] | {"models": tuple(content["about"]["models"])} != asdict(about):
            return None
        numbers = {name: Interval(**interval) for name, interval in content["numbers"].items()}
        return Finding(content["verdict"], content["sentence"], numbers, tuple(content["rows"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TableError(f"{path} is not a finding ({error!r}). Remove it, and the claim is measured again.") from error


def picture(claim: Claim, finding: Finding, path: Path, dpi: int = 130) -> None:
    """Draw a finding as PNG; one that was not measured is its sentence."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(RC):
        figure = Figure(figsize=claim.size)
        FigureCanvasAgg(figure)
        if finding.verdict == "not measured":
            figure.text(0.05, 0.5, finding.sentence, fontsize=9, va="center", wrap=True)
        else:
            claim.draw(figure, finding)
        figure.savefig(path, dpi=dpi, format="png")


def _write_rows(finding: Finding, path: Path) -> None:
    columns = list(dict.fromkeys(column for row in finding.rows for column in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(finding.rows)


def _plain(value: Any) -> Any:
    """What JSON can hold: infinities and NaN as text."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _read(value: Any) -> Any:
    """The other way round."""
    if isinstance(value, dict):
        return {key: _read(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_read(one) for one in value]
    return float(value) if value in ("inf", "-inf", "nan") else value
