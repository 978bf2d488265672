"""RouteLLM's evaluation files: a prompt and, per model, whether it was right; and its judgements of MT-Bench.

Token counts are not in them and are not guessed. Source: Ong 2406.18665.
"""

from __future__ import annotations

from pathlib import Path

from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.evals.importers.builder import Builder
from onedial.evals.importers.contract import Choices, Imported, Importer
from onedial.evals.importers.records import LINES, Record, Records, files_in, first_record, read_records
from onedial.runtime.columns import COUNT, LABEL, NUMBER, SHARE, TEXT

PROMPT, RESPONSE = "prompt", "_response"
JUDGED = ("question_id", "model", "judge", "score", "turn")
MOST = 10.0
"""Judges score from 1 to this; -1 is no judgement."""
NEXT_TURN = "\n\n[next user turn]\n\n"
SUBJECTS = "mmlu_"


def recognises(path: Path) -> bool:
    """Whether a file has the shape of either, or a folder such a file."""
    patterns = ("*.csv", "*judg*.jsonl") if path.is_dir() else ("",)
    return any(_right_or_wrong(found) or _judged(found) for pattern in patterns for found in files_in(path, pattern))


def read(path: Path, choices: Choices) -> Imported:
    """Read a file, or every file of either shape below a folder."""
    builder, notes, skipped, unread = Builder(), [], [], False
    for found in sorted(p for pattern in ("*.csv", "*judg*.jsonl") for p in files_in(path, pattern)) if path.is_dir() else [path]:
        if _judged(found):
            _read_judgements(read_records(found), builder, choices)
        elif not path.is_dir() or _right_or_wrong(found):
            unread |= _read_answers(read_records(found), builder, choices)
        else:
            skipped.append(found.name)
    if unread:
        notes.append("Full responses are in it; --extract number (or choice, boxed, words) reads answers out of them.")
    if skipped:
        notes.append(f"{len(skipped)} files of another shape were left out: {', '.join(skipped[:5])}.")
    return builder.imported(path, notes)


def _right_or_wrong(path: Path) -> bool:
    record = first_record(path) if path.suffix == ".csv" else None
    if record is None or PROMPT not in record.values:
        return False
    models = _models(tuple(record.values))
    return bool(models) and all(record.values[model] in ("True", "False") for model in models)


def _judged(path: Path) -> bool:
    record = first_record(path) if path.suffix in LINES else None
    return record is not None and all(name in record.values for name in JUDGED)


def _models(names: tuple[str, ...]) -> list[str]:
    """Every column but the prompt and the responses to it."""
    return [n for n in names if n not in ("", PROMPT) and not (n.endswith(RESPONSE) and n.removesuffix(RESPONSE) in names)]


def _read_answers(records: Records, builder: Builder, choices: Choices) -> bool:
    """Take in a file of right and wrong; returns whether there are responses that nothing was read from."""
    records.require(PROMPT)
    models, dataset = _models(records.names), choices.dataset or _dataset(records.path)
    if not models:
        raise TableError(f"{records.path} has no column but {PROMPT!r}; expected one per model with True or False in it.")
    for number, record in enumerate(records.rows):
        query = Query(f"{dataset}/{number:04d}", record.needed(PROMPT, TEXT), dataset=dataset)
        builder.query(query, record.place)
        for model in models:
            score = record.cell(model, SHARE)
            if score is not None:
                answer = _answer(record, model + RESPONSE, choices)
                builder.outcome(Outcome(query.id, model, None, 0, score, answer, label_kind="reference"), record.place)
    return choices.extract is None and any(name.endswith(RESPONSE) for name in records.names)


def _answer(record: Record, column: str, choices: Choices) -> str | None:
    response = record.cell(column, TEXT) if choices.extract else None
    return choices.extract(response) if choices.extract and response is not None else None


def _dataset(path: Path) -> str:
    """`gsm8k_responses.csv` is gsm8k, `mmlu_anatomy.csv` is mmlu/anatomy."""
    name = path.stem.removesuffix("_responses")
    return f"mmlu/{name.removeprefix(SUBJECTS)}" if name.startswith(SUBJECTS) else name


def _read_judgements(records: Records, builder: Builder, choices: Choices) -> None:
    records.require(*JUDGED)
    dataset, questions = choices.dataset or "mt_bench", _questions(records.path.with_name("question.jsonl"))
    for record in records.rows:
        question, turn = record.needed("question_id", LABEL), record.needed("turn", COUNT)
        query_id, turns = f"{dataset}/{question}/turn{turn}", questions.get(question, [])[:turn]
        text = Query(query_id, NEXT_TURN.join(turns), dataset=dataset) if len(turns) == turn else None
        builder.query(text or Query.without_text(query_id, dataset=dataset), record.place)
        if record.values["score"] == -1:
            continue
        score = record.needed("score", NUMBER)
        if score > MOST:
            raise record.place.wrong("score", f"a number from 1 to {MOST:.0f}", score)
        builder.outcome(Outcome(query_id, record.needed("model", LABEL), None, 0, score / MOST, None, label_kind="judge"), record.place)


def _questions(path: Path) -> dict[str, list[str]]:
    """Turns by question, from the file beside the judgements if it is there."""
    if not path.exists():
        return {}
    return {record.needed("question_id", LABEL): list(record.values.get("turns") or ()) for record in read_records(path).rows}


IMPORTER = Importer(
    "routellm",
    "RouteLLM evaluation CSV (prompt, one column per model with True or False), MT-Bench judgements, or a folder of them",
    frozenset(("dataset", "extract")),
    recognises,
    read,
)
