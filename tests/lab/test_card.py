"""Measuring grades what the runtime writes; the card shows all of it and can be redrawn from the file."""

import re

import pytest

from onedial.core.ask import Completion
from onedial.core.errors import TableError
from onedial.lab import measure as measuring
from onedial.lab import weights
from onedial.lab.card import render
from onedial.lab.evaluate import held_out, measure
from onedial.lab.mix import MIX

CELLS = sum(map(len, MIX.values()))


@pytest.fixture(scope="module")
def measurement():
    return measuring.measure_files([weights.path_of(next(iter(weights.find())))], per_cell=2, samples=2)


def test_a_perfect_model_measures_as_perfect_and_a_mute_one_as_nothing():
    questions = held_out(2)
    answers = {q.example.prompt: q.example.answer for group in questions.values() for q in group}

    def perfect(asks, n):
        return [[Completion(answers[prompt], output_tokens=3 + level)] * n for prompt, level in asks]

    cells = measure("m", 7, perfect, questions, samples=2)
    assert len(cells) == 4 * CELLS
    assert {(c.model, c.seed, c.accuracy, c.error, c.majority, c.questions) for c in cells} == {("m", 7, 1.0, 0.0, 1.0, 2)}
    assert {(c.level, c.tokens) for c in cells} == {(level, 3.0 + level) for level in range(4)}
    mute = measure("m", 7, lambda asks, n: [[Completion("", output_tokens=2)] * n for _ in asks], questions)
    assert {c.accuracy for c in mute} == {0.0}


def test_majority_counts_answers_and_accuracy_counts_samples():
    questions = {cell: group for cell, group in held_out(1).items() if cell == ("swap", 4)}
    (question,) = questions["swap", 4]

    def mostly(asks, n):
        return [[Completion(text) for text in (question.example.wrong, question.example.answer, question.example.answer)] for _ in asks]

    (cell,) = measure("m", 0, mostly, questions, samples=3, levels=[2])
    assert (cell.accuracy, cell.majority) == (0.6667, 1.0)


def test_weights_files_are_measured_on_every_cell_the_same_each_time(measurement):
    path = weights.path_of(next(iter(weights.find())))
    assert len(measurement.cells) == 4 * CELLS
    assert 0.3 < sum(cell.accuracy for cell in measurement.cells) / len(measurement.cells) < 0.95
    assert measuring.measure_files([path], per_cell=2, samples=2) == measurement


def test_a_measurement_survives_the_file_and_draws_the_same_card(measurement, tmp_path):
    measuring.save(measurement, tmp_path / "card.json")
    again = measuring.load(tmp_path / "card.json")
    assert again == measurement
    assert render(again) == render(measurement)
    assert [path.name for path in tmp_path.iterdir()] == ["card.json"]


def test_the_card_shows_every_run_family_and_difficulty(measurement):
    card = render(measurement)
    run = measurement.runs[0]
    for family, difficulties in MIX.items():
        part = card.split(f"### {family}\n")[1].split("\n#")[0]
        assert re.findall(r"^\| (\d+) \|", part, re.MULTILINE) == [str(difficulty) for difficulty in difficulties]
    assert f"{run.model}, seed {run.seed}" in card and f"{run.parameters:,}" in card
    assert f"{int(run.metadata['tokens']) / 1e6:.0f} M" in card


def test_a_file_that_is_no_measurement_is_refused(tmp_path):
    (tmp_path / "card.json").write_text('{"runs": [{}]}')
    with pytest.raises(TableError, match="not a measurement"):
        measuring.load(tmp_path / "card.json")
