import numpy as np

from onedial.core.query import Query
from onedial.forecasts.features import WIDTH, features
from onedial.forecasts.sketch import sketch

QUERIES = [Query("a", "how many primes are below 100 ?"), Query("b", "!"), Query("c", "what is 2 + 2 + 2 ?\nsay it", system="be short")]


def test_a_sketch_folds_to_the_features():
    assert np.allclose(sketch(QUERIES).features(), features(QUERIES))


def test_rows_are_the_sketches_of_those_queries():
    found, alone = sketch(QUERIES).rows([2, 0]), sketch([QUERIES[2], QUERIES[0]])
    assert (found.codes == alone.codes).all() and (found.counts == alone.counts).all() and (found.indptr == alone.indptr).all()
    assert (found.shape == alone.shape).all()


def test_nothing_but_the_text_is_sketched():
    one, two = Query("a", "count #1", reference="x", dataset="d"), Query("b", "count #1")
    assert (sketch([one]).features() == sketch([two]).features()).all()


def test_an_embedding_is_appended_and_off_by_default():
    found = sketch(QUERIES, embed=lambda texts: np.array([[len(text), 1.0] for text in texts]))
    assert found.embedding[:, 1].tolist() == [1.0, 1.0, 1.0] and found.features().shape == (3, WIDTH + 2)
    assert sketch(QUERIES).embedding.shape == (3, 0)


def test_no_queries_give_an_empty_sketch():
    assert len(sketch([])) == 0 and sketch([]).features().shape == (0, WIDTH)
