"""Small files in foreign formats."""

import csv
import json

from onedial.evals.importers.contract import Choices
from onedial.evals.importers.registry import import_path, importer_for


def write_csv(path, names, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])
    return path


def write_lines(path, *records):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{record if isinstance(record, str) else json.dumps(record)}\n" for record in records), encoding="utf-8")
    return path


def imported(path, form="auto", **choices):
    """What a path holds, and the name of the format that it was read as."""
    importer = importer_for(path, form, mapping="mapping" in choices)
    return import_path(path, importer, Choices(**choices)), importer.name


def scores(found):
    """Scores by query, model and sample index."""
    return {(o.query_id, o.model, o.sample_index): o.score for o in found.outcomes}
