"""lm-evaluation-harness: `samples_*.jsonl` as `--log_samples` writes them, one file per task, one folder per model.

A score of several responses together (a majority, pass@k) is no sample and is
refused. Source: EleutherAI/lm-evaluation-harness, `evaluation_tracker`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from onedial.core.errors import TableError, unknown
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.evals.importers.builder import Builder
from onedial.evals.importers.contract import Choices, Imported, Importer
from onedial.evals.importers.records import LINES, Place, Record, Records, files_in, first_record, read_records
from onedial.runtime.columns import LABEL, SHARE, read_cell

PREFERRED = ("exact_match", "acc", "pass@1", "pass_at_1", "em", "acc_norm", "f1")
"""Metrics, the first of these that a file has; another is chosen with `--map score=NAME`."""
NO_METRIC = frozenset(
    "doc_id doc target arguments resps filtered_resps filter metrics doc_hash prompt_hash target_hash input task model idx index".split()
)
PATTERN = "samples_*.jsonl"
MAJORITY = "maj"
_NAME = re.compile(r"samples_(?P<task>.+?)(?:_\d{4}-\d\d-\d\dT[\d.:-]+)?$")


class Chosen(NamedTuple):
    """What is read of a file: the metric, and the filter or None."""

    metric: str
    filter: str | None


def recognises(path: Path) -> bool:
    """Whether a file has the keys of a logged sample, or a folder files of that name."""
    if path.is_dir():
        return bool(files_in(path, PATTERN))
    record = first_record(path) if path.suffix in LINES else None
    return record is not None and "doc_id" in record.values and not {"resps", "filtered_resps"}.isdisjoint(record.values)


def read(path: Path, choices: Choices) -> Imported:
    """Read a file, or all of a folder: the folder that a file lies in names its model."""
    reader = _Reader(choices)
    for found in files_in(path, PATTERN):
        reader.take(read_records(found))
    return reader.builder.imported(path, reader.notes())


class _Reader:
    """What is kept from file to file."""

    def __init__(self, choices: Choices) -> None:
        self.choices, self.builder = choices, Builder()
        self._docs: dict[str, tuple[str, Place]] = {}
        self._told: dict[str, None] = {}
        self._spare = self._reworded = 0

    def notes(self) -> list[str]:
        """What was chosen and left out."""
        notes = list(self._told)
        if self._spare:
            notes.append(f"{self._spare:,} repeated responses have no score of their own and were left out.")
        if self._reworded:
            notes.append(f"{self._reworded:,} prompts differ between models in their wording; the first was kept.")
        return notes

    def take(self, records: Records) -> None:
        """Take in one file."""
        records.require("doc_id")
        chosen = self._chosen(records)
        model = self.choices.model or records.path.resolve().parent.name
        task = self.choices.dataset or _task(records.path)
        for record in records.rows:
            if chosen.filter is None or record.values.get("filter") == chosen.filter:
                self._sample(record, chosen.metric, model, task)

    def _sample(self, record: Record, metric: str, model: str, task: str) -> None:
        query_id = f"{task}/{record.needed('doc_id', LABEL)}"
        self._query(record, query_id, task)
        answers, scores = _answers(record, metric), _scores(record, metric)
        if answers and len(scores) != len(answers):
            raise record.place.wrong(metric, f"a score for each of the {len(answers)} responses", record.values[metric])
        self._spare += max(len(_repeats(record)) - len(scores), 0)
        for i, score in enumerate(scores):
            answer = answers[i] if answers else None
            if self.choices.extract and answer is not None:
                answer = self.choices.extract(answer)
            index = self.builder.next_index(query_id, model, self.choices.effort)
            row = Outcome(query_id, model, self.choices.effort, index, score, answer, label_kind=metric)
            self.builder.outcome(row, record.place)

    def _query(self, record: Record, query_id: str, task: str) -> None:
        """Take in the query, once: models may word its prompt differently, but it has to be the same document."""
        doc = record.values.get("doc_hash") or msgspec.json.encode(record.values.get("doc"), order="deterministic").decode()
        known, first = self._docs.setdefault(query_id, (str(doc), record.place))
        if known != doc:
            said = f"{record.place}: doc_id {query_id!r} is another document than in {first}"
            raise TableError(f"{said}. Import different versions of a task apart, with --dataset.")
        prompt, target = _prompt(record), record.values.get("target")
        reference = str(target) if isinstance(target, str | int | float) else None
        query = Query(query_id, prompt, "", reference, task) if prompt.strip() else Query.without_text(query_id, reference, task)
        kept = self.builder.known(query_id)
        self._reworded += kept is not None and kept.prompt != query.prompt
        if kept is None:
            self.builder.query(query, record.place)

    def _chosen(self, records: Records) -> Chosen:
        """Which metric and filter of a file are read."""
        found = dict.fromkeys(f for record in records.rows if isinstance(f := record.values.get("filter"), str))
        filters = [name for name in found if not name.startswith(MAJORITY)]
        wanted = self.choices.mapping.get("filter")
        if (found and not filters) or (wanted is not None and wanted not in filters):
            said = unknown("filter", wanted, filters) if wanted else f"its filters are {', '.join(found)}, votes over several responses."
            raise TableError(f"{records.path}: {said} Choose one that scores single responses with --map filter=NAME.")
        name = wanted or next((f for f in ("none", *filters) if f in filters), None)
        metric = self._metric(records)
        self._told[f"The score is {metric!r}" + (f" of the filter {name!r}, one of {', '.join(filters)}." if len(filters) > 1 else ".")] = (
            None
        )
        return Chosen(metric, name)

    def _metric(self, records: Records) -> str:
        listed = records.rows[0].values.get("metrics")
        has = [n for n, v in records.rows[0].values.items() if n not in NO_METRIC and isinstance(v, int | float | list)]
        names = [name for name in listed if name in has] if isinstance(listed, list) else has
        wanted = self.choices.mapping.get("score")
        if wanted is not None and wanted not in has:
            raise TableError(f"{records.path}: {unknown('metric', wanted, has)}")
        metric = wanted or next((name for name in (*PREFERRED, *(names if len(names) == 1 else ())) if name in names), None)
        if metric is None:
            raise TableError(f"{records.path} has the metrics {', '.join(names) or 'none'}; choose one with --map score=NAME.")
        return metric


def _task(path: Path) -> str:
    found = _NAME.match(path.stem)
    return found["task"] if found else path.stem


def _scores(record: Record, metric: str) -> list[float | None]:
    """One score per response that was scored alone."""
    found = record.values.get(metric)
    if not isinstance(found, list):
        return [record.cell(metric, SHARE)]
    try:
        return [read_cell("score", SHARE, float(value)) for value in found]
    except (TypeError, ValueError):
        raise record.place.wrong(metric, SHARE.expected + ", or a list of them", found) from None


def _answers(record: Record, metric: str) -> list[str | None]:
    """The filtered responses; of likelihoods the index of the largest, if that is what was scored."""
    found = record.values.get("filtered_resps")
    if not isinstance(found, list) or not found:
        return []
    if all(isinstance(one, str) for one in found):
        return found if len(found) == 1 or isinstance(record.values.get(metric), list) else found[:1]
    if all(_is_likelihood(one) for one in found):
        likelihoods = [_number(one[0]) or 0.0 for one in found]
        return [str(likelihoods.index(max(likelihoods))) if metric == "acc" else None]
    inner = found[0]
    return [one if isinstance(one, str) else None for one in inner] if isinstance(inner, list) else []


def _repeats(record: Record) -> Sequence[Any]:
    """The responses of a generated sample, as they came."""
    found = record.values.get("resps")
    inner = found[0] if isinstance(found, list) and found else None
    return inner if isinstance(inner, list) and all(isinstance(one, str) for one in inner) else []


def _is_likelihood(value: Any) -> bool:
    """Whether a response is a log-likelihood with whether it was the greedy one, perhaps written out."""
    return isinstance(value, list) and len(value) == 2 and str(value[1]) in ("True", "False") and _number(value[0]) is not None


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _prompt(record: Record) -> str:
    """The text that the model was sent, chats as the texts of their turns; empty if it is not there."""
    asked: Any = record.values.get("arguments")
    first = next(iter(asked.values()), None) if isinstance(asked, Mapping) else asked[0] if isinstance(asked, list) and asked else None
    text: Any = next(iter(first.values()), "") if isinstance(first, Mapping) else first[0] if isinstance(first, list) and first else first
    text = text[0] if isinstance(text, list) and len(text) == 1 else text
    if not isinstance(text, str):
        return ""
    try:
        turns = msgspec.json.decode(text) if text.startswith('[{"role"') else None
        return text if turns is None else "\n\n".join(str(turn["content"]) for turn in turns)
    except (msgspec.DecodeError, KeyError, TypeError):
        return text


IMPORTER = Importer(
    "lm-eval",
    "lm-evaluation-harness --log_samples: samples_*.jsonl, or a folder of them",
    frozenset(("model", "effort", "dataset", "map", "extract")),
    recognises,
    read,
)
