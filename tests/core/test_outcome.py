import numpy as np

from onedial.core.arm import Source
from onedial.core.outcome import Outcome, Panel
from onedial.core.query import Query

QUERIES = [Query("a", "?"), Query("b", "?")]
ROWS = [
    Outcome("a", "m", "0", 5, 1.0, "x", input_tokens=10, output_tokens=3),
    Outcome("a", "m", "0", 2, 0.0, "y", input_tokens=12),
    Outcome("b", "m", None, 0, None, None, verifier_score=0.5),
    Outcome("elsewhere", "m", "0", 0, 1.0, "x"),
]


def test_samples_are_placed_in_order_of_their_index_with_gaps_closed():
    panel = Panel.of(QUERIES, ROWS)
    j = panel.sources.index(Source("m", "0"))
    assert panel.score[0, j].tolist() == [0.0, 1.0]
    assert [panel.answers[0][code] for code in panel.answer[0, j]] == ["y", "x"]
    assert panel.input_tokens[0, j] == 11


def test_what_is_absent_is_nan_or_minus_one_and_never_zero():
    panel = Panel.of(QUERIES, ROWS)
    j = panel.sources.index(Source("m", None))
    assert np.isnan(panel.score[1, j]).all() and (panel.answer[1, j] == -1).all()
    assert panel.verdict[1, j, 0] == 0.5 and np.isnan(panel.input_tokens[1, j])
    assert panel.counts[1, j] == 0


def test_rows_keep_the_order_asked_for():
    panel = Panel.of(QUERIES, ROWS).rows([1, 0])
    assert [q.id for q in panel.queries] == ["b", "a"] and panel.answers[1] == ("y", "x")


def test_samples_of_one_index_keep_the_order_in_which_they_came_and_codes_go_by_first_appearance():
    rows = [Outcome("b", "m", "0", i, None, answer) for i, answer in ((1, "p"), (0, "q"), (1, "r"), (0, "q"))]
    panel = Panel.of(QUERIES, [Outcome("b", "m", "1", 0, 1.0, "r"), *rows], [Source("m", "0"), Source("m", "1")])
    assert [panel.answers[1][code] for code in panel.answer[1, 0]] == ["q", "q", "p", "r"]
    assert panel.answers[1] == ("r", "q", "p") and (panel.answer[0] == -1).all()


def test_a_panel_of_nothing_has_no_samples():
    assert Panel.of(QUERIES, []).score.shape == (2, 0, 0)
    assert Panel.of(QUERIES, ROWS, [Source("n")]).score.shape == (2, 1, 0)
