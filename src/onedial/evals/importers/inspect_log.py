"""Inspect AI: `.eval` logs, read with inspect-ai itself (the extra `inspect`). Epochs are samples.

A sample that ended in an error has no score, and is left out: a failure is never a zero.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from onedial.core.errors import ConfigError, TableError, unknown
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.evals.importers.builder import Builder
from onedial.evals.importers.contract import Choices, Imported, Importer
from onedial.evals.importers.records import Place, files_in

PATTERN = "*.eval"
GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""Correct, partly, incorrect, no answer: the letters of Inspect's scorers and what Inspect takes them for."""


def recognises(path: Path) -> bool:
    """Whether a file is named `.eval`, or a folder has such files."""
    return bool(files_in(path, PATTERN)) if path.is_dir() else path.suffix == ".eval"


def read(path: Path, choices: Choices) -> Imported:
    """Read a log, or every log below a folder; runs of the same task, model and effort continue each other's samples.

    Raises:
        ConfigError: inspect-ai is not installed.
        TableError: A log cannot be read, or a score is not one.
    """
    if importlib.util.find_spec("inspect_ai") is None:
        raise ConfigError("reading Inspect logs takes inspect-ai, which is not installed. Run `pip install 'onedial[inspect]'`.")
    reader = _Reader(choices)
    for found in files_in(path, PATTERN):
        reader.take(found)
    return reader.builder.imported(path, reader.notes())


class _Reader:
    """What is kept from log to log."""

    def __init__(self, choices: Choices) -> None:
        self.choices, self.builder = choices, Builder()
        self._next: dict[tuple[str, str, str | None], int] = {}
        self._failed = 0
        self._told: dict[str, None] = {}

    def notes(self) -> list[str]:
        """What was chosen and left out."""
        failed = f"{self._failed:,} samples ended in an error or were not scored, and were left out."
        return [*self._told, *([failed] if self._failed else [])]

    def take(self, path: Path) -> None:
        """Take in one log."""
        log, samples = _opened(path)
        model, task = self.choices.model or log.eval.model, self.choices.dataset or log.eval.task
        effort = self.choices.effort or _effort(log)
        if log.status != "success":
            self._told[f"{path} is of a run that ended with {log.status!r}; what it holds was taken."] = None
        key, offset = (task, model, effort), self._next.get((task, model, effort), 0)
        for row, sample in enumerate(samples, 1):
            place = Place(path, f"sample {sample.id!r}, epoch {sample.epoch}, number", row)
            query = _query(sample, task)
            self.builder.query(query, place)
            name = _scorer(sample, self.choices.mapping.get("score"), place)
            if name is None:
                self._failed += 1
                continue
            self._next[key] = max(self._next.get(key, 0), offset + sample.epoch)
            self.builder.outcome(self._outcome(sample, name, query, log.eval.model, model, effort, offset, place), place)

    def _outcome(
        self, sample: Any, name: str, query: Query, called: str, model: str, effort: str | None, offset: int, place: Place
    ) -> Outcome:
        score, used = sample.scores[name], sample.model_usage.get(called) or sample.output.usage
        extract, said = self.choices.extract, sample.output.completion
        self._told[f"The score is that of the scorer {name!r}."] = None
        return Outcome(
            query.id,
            model,
            effort,
            offset + sample.epoch - 1,
            _graded(score.value, name, place),
            extract(said) if extract and said else score.answer,
            **_usage(used),
            latency_s=sample.working_time if sample.working_time is not None else sample.total_time,
            label_kind=name,
        )


def _opened(path: Path) -> tuple[Any, list[Any]]:
    """A log and its samples, epoch by epoch."""
    from inspect_ai.log import read_eval_log

    try:
        log = read_eval_log(str(path))
    except Exception as error:  # a log is a zip of JSON, and inspect-ai raises whatever each of them raises
        raise TableError(f"{path} cannot be read as an Inspect log: {error}. Expected a file that Inspect wrote.") from error
    return log, sorted(log.samples or (), key=lambda sample: sample.epoch)


def _effort(log: Any) -> str | None:
    """The reasoning effort of a run, or its budget of thinking tokens: the run's own setting before the model's."""
    for config in (log.plan.config, log.eval.model_generate_config):
        effort, tokens = getattr(config, "reasoning_effort", None), getattr(config, "reasoning_tokens", None)
        if effort or tokens:
            return str(effort) if effort else f"thinking-{tokens}"
    return None


def _query(sample: Any, task: str) -> Query:
    turns = [("user", sample.input)] if isinstance(sample.input, str) else [(turn.role, turn.text) for turn in sample.input]
    system = "\n\n".join(text for role, text in turns if role == "system")
    options = [f"{letter}) {option}" for letter, option in zip(ascii_uppercase, sample.choices or (), strict=False)]
    prompt = "\n\n".join([text for role, text in turns if role != "system"] + (["\n".join(options)] if options else []))
    reference = sample.target if isinstance(sample.target, str) else sample.target[0] if len(sample.target) == 1 else None
    query_id = f"{task}/{sample.id}"
    return Query(query_id, prompt, system, reference, task) if prompt.strip() else Query.without_text(query_id, reference, task)


def _scorer(sample: Any, wanted: str | None, place: Place) -> str | None:
    """Whose score is taken: the one wanted, else the first; None where there is none."""
    if sample.error is not None or not sample.scores:
        return None
    if wanted is not None and wanted not in sample.scores:
        raise TableError(f"{place}: {unknown('scorer', wanted, sample.scores)}")
    return wanted or str(next(iter(sample.scores)))


def _graded(value: Any, name: str, place: Place) -> float:
    if isinstance(value, str) and value in GRADES:
        return GRADES[value]
    try:
        number = float(value)
        if 0.0 <= number <= 1.0:
            return number
    except (TypeError, ValueError):
        pass
    raise place.wrong(name, f"a number from 0 to 1, or one of {', '.join(GRADES)}", value)


def _usage(used: Any) -> dict[str, Any]:
    """Tokens and cost of all calls to the model; cached prompt tokens, which Inspect counts apart, are part of the input here."""
    if used is None:
        return {}
    cached, written = used.input_tokens_cache_read, used.input_tokens_cache_write
    return {
        "input_tokens": used.input_tokens + (cached or 0) + (written or 0),
        "output_tokens": used.output_tokens,
        "cached_tokens": cached,
        "thinking_tokens": used.reasoning_tokens,
        "cost_usd": getattr(used, "total_cost", None),
    }


IMPORTER = Importer(
    "inspect",
    "Inspect AI .eval log, or a folder of them",
    frozenset(("model", "effort", "dataset", "map", "extract")),
    recognises,
    read,
)
