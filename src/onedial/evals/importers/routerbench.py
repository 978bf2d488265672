"""RouterBench: one row per prompt, per model its score, its response and its cost. CSV or Parquet; a pickle is refused.

Source: Hu 2403.12031.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.evals.importers.builder import Builder
from onedial.evals.importers.contract import Choices, Imported, Importer
from onedial.evals.importers.records import Record, first_record, read_records
from onedial.runtime.columns import LABEL, NUMBER, SHARE

COST, RESPONSE = "|total_cost", "|model_response"
PICKLES = (".pkl", ".pickle")
PICKLED = b"\x80"


def recognises(path: Path) -> bool:
    """Whether a file has a column of costs per model, or is a pickle."""
    record = None if _pickled(path) else first_record(path)
    return _pickled(path) or (record is not None and any(name.endswith(COST) for name in record.values))


def read(path: Path, choices: Choices) -> Imported:
    """Read one file."""
    if _pickled(path):
        to = path.with_suffix(".parquet").name
        raise TableError(
            f"{path} is a pickle, which can run anything when it is opened; expected CSV or Parquet. Where you trust it, convert it: "
            f"python -c \"import pandas; pandas.read_pickle('{path.name}').to_parquet('{to}')\", and import {to}."
        )
    records, builder = read_records(path), Builder()
    records.require("sample_id", "prompt")
    models = [name for name in records.names if "|" not in name and {name + COST, name + RESPONSE} & set(records.names)]
    if not models:
        raise TableError(f"{path} has no model; expected a column of scores 'NAME' beside 'NAME{COST}' or 'NAME{RESPONSE}'.")
    for record in records.rows:
        query = _query(record, choices)
        builder.query(query, record.place)
        for model in models:
            if (score := record.cell(model, SHARE)) is not None:
                cost = record.cell(model + COST, NUMBER)
                builder.outcome(Outcome(query.id, model, None, 0, score, _answer(record, model, choices), cost_usd=cost), record.place)
    notes = [] if choices.extract else ["--extract choice (or number, boxed, words) reads answers out of the responses."]
    return builder.imported(path, notes if any(name.endswith(RESPONSE) for name in records.names) else [])


def _pickled(path: Path) -> bool:
    if not path.is_file():
        return False
    if path.suffix in PICKLES:
        return True
    with path.open("rb") as file:
        return file.read(1) == PICKLED


def _query(record: Record, choices: Choices) -> Query:
    query_id, dataset = record.needed("sample_id", LABEL), choices.dataset or record.cell("eval_name", LABEL) or ""
    text = "\n\n".join(_turns(record, "prompt"))
    return Query(query_id, text, dataset=dataset) if text.strip() else Query.without_text(query_id, dataset=dataset)


def _answer(record: Record, model: str, choices: Choices) -> str | None:
    if choices.extract is None:
        return None
    turns = _turns(record, model + RESPONSE)
    return choices.extract(turns[-1]) if turns else None


def _turns(record: Record, column: str) -> list[str]:
    """A list of texts, or one written out as Python writes it, or plain text."""
    value: Any = record.values.get(column)
    if isinstance(value, str) and value.startswith("["):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return [value]
    turns = [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else []
    if not isinstance(value, str | list | tuple | None) or not all(isinstance(turn, str) for turn in turns):
        raise record.place.wrong(column, "text, or a list of texts", value)
    return turns


IMPORTER = Importer(
    "routerbench", "RouterBench as CSV or Parquet (NAME, NAME|total_cost)", frozenset(("dataset", "extract")), recognises, read
)
