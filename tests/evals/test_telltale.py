import pytest

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.evals.bench.table import bench_table
from onedial.evals.bench.telltale import APART, BLANK, telltale_sources

QUERIES = tuple(Query(f"q{i}", f"question {i}") for i in range(80))
HONEST, BLANKS, LETTERS = Source("honest"), Source("blanks"), Source("letters")


def _row(i, source, answer):
    right = "ABCD"[i % 4] if answer in ("right", "wrong") else None
    wrong = "ABCD"[(i + 1) % 4]
    text = {"right": right, "wrong": wrong, "none": None, "apart": f"w:{wrong}"}[answer]
    score = 1.0 if answer == "right" else 0.0
    return Outcome(f"q{i}", source.model, source.effort, 0, answer=text, score=score, output_tokens=5, cost_usd=0.1)


def _rows(source, wrong):
    return [_row(i, source, "right" if i % 3 else wrong) for i in range(80)]


def test_answers_that_are_missing_where_they_are_wrong_tell():
    assert telltale_sources(_rows(HONEST, "wrong") + _rows(BLANKS, "none")) == {BLANKS: BLANK}


def test_wrong_answers_in_an_alphabet_of_their_own_tell():
    assert telltale_sources(_rows(HONEST, "wrong") + _rows(LETTERS, "apart")) == {LETTERS: APART}


def test_free_text_that_is_never_right_elsewhere_does_not_tell():
    rows = [Outcome(f"q{i}", "free", None, 0, answer=f"{'no' if i % 3 == 0 else 'yes'} {i}", score=float(i % 3 > 0)) for i in range(80)]
    assert telltale_sources(rows) == {}


def test_a_source_that_often_gives_no_answer_but_also_when_right_elsewhere_does_not_tell():
    rows = [_row(i, BLANKS, "none" if i % 3 == 0 else "right") for i in range(80)]
    unsure = [Outcome(o.query_id, o.model, o.effort, 0, answer=None if i % 2 else o.answer, score=o.score) for i, o in enumerate(rows)]
    assert telltale_sources(unsure) == {}


def test_what_is_known_to_tell_is_left_out_even_where_it_cannot_be_seen():
    rows = [row for source in (HONEST, Source("other"), Source("third")) for row in _rows(source, "wrong")]
    assert bench_table("t", QUERIES, rows, telltale={HONEST: BLANK}).sources == (Source("other"), Source("third"))


def test_a_bench_leaves_such_sources_out_and_says_so():
    table = bench_table("t", QUERIES, _rows(HONEST, "wrong") + _rows(Source("other"), "wrong") + _rows(BLANKS, "none"))
    assert table.sources == (HONEST, Source("other"))
    assert any("blanks" in note and BLANK in note for note in table.notes)


def test_a_table_of_such_sources_alone_is_refused_with_the_reason():
    with pytest.raises(TableError, match=BLANK):
        bench_table("t", QUERIES, _rows(HONEST, "wrong") + _rows(BLANKS, "none"))
