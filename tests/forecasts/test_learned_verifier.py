import numpy as np
import pytest

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.query import Query
from onedial.core.steps import drive
from onedial.forecasts.learned_verifier import BESIDE, FEATURES, Sampled, described, fit_verifier
from onedial.metrics.roc import rated
from onedial.strategies.best_of_n import best_of_n
from onedial.strategies.draw import Reading

SOURCE = Source("m")


def one(i, answer, tokens=None, logprob=None):
    return Candidate(SOURCE, i, answer, answer, tokens, logprob=logprob)


def world(n, seed, told=True):
    """Right answers agree and are short; where nothing is told, answers and tokens are drawn alike."""
    rng, found = np.random.default_rng(seed), []
    for q in range(n):
        right = rng.random(4) < 0.5
        answers = ["42" if r and told else str(rng.integers(100, 999)) for r in right]
        tokens = [int(rng.integers(10, 20) if r and told else rng.integers(10, 60)) for r in right]
        listed = [one(i, answer, spent) for i, (answer, spent) in enumerate(zip(answers, tokens, strict=True))]
        found.append(Sampled(Query(f"q{q}", "what is it ?"), listed, right.astype(float).tolist()))
    return found


def auc(learned, seed=0):
    return rated(learned.held, learned.labels, learned.row, np.random.default_rng(seed), 200).auc


def test_what_can_be_seen_of_an_answer_is_described_beside_the_others():
    x = described(Query("q", "?"), [one(0, "4", 9, -0.5), one(1, "4", 19, -0.1), one(2, "5", 9)])
    assert x.shape == (3, len(FEATURES))
    beside = dict(zip(BESIDE, x.T, strict=False))
    assert beside["agreement"].tolist() == [0.5, 0.5, 0.0]
    assert beside["log tokens over the others'"][1] > 0 > beside["log tokens over the others'"][0]
    assert np.isnan(beside["log-probability"][2]) and beside["log-probability over the others'"][1] == pytest.approx(0.2)


def test_of_an_answer_alone_there_is_nothing_to_compare():
    x = described(Query("q", "?"), [one(0, "4", 9)])
    assert np.isnan(x[0, [0, 2, 3, 4]]).all() and np.isfinite(x[0, 1])


def test_it_learns_what_tells_right_from_wrong_and_says_so_out_of_fold():
    learned = fit_verifier(world(60, 0))
    assert auc(learned).low > 0.8
    fresh = world(40, 1)
    scores = np.concatenate([learned.verifier.scores(s.query, s.candidates) for s in fresh])
    labels, row = [y for s in fresh for y in s.scores], np.repeat(np.arange(40), 4)
    assert rated(scores, labels, row, np.random.default_rng(0), 50).auc.estimate > 0.8


def test_where_nothing_tells_them_apart_the_rating_stays_at_chance_however_many_features_there_are():
    found = auc(fit_verifier(world(40, 2, told=False)))
    assert found.low < 0.5 < found.high


def test_two_sets_of_one_query_are_in_one_fold():
    doubled = [s for s in world(30, 3, told=False) for _ in range(2)]  # the copy would give the label away
    found = auc(fit_verifier(doubled))
    assert found.low < 0.5 < found.high


def test_ungraded_answers_are_not_learned_from_and_have_no_held_out_score():
    sampled = world(30, 4)
    sampled[0] = sampled[0]._replace(scores=[float("nan")] * 4)
    learned = fit_verifier(sampled)
    assert np.isnan(learned.held[:4]).all() and np.isfinite(learned.held[4:]).all()


@pytest.mark.parametrize("sampled", [[], world(19, 0), [s._replace(scores=[1.0] * 4) for s in world(30, 0)]])
def test_too_little_to_learn_from_is_an_error(sampled):
    with pytest.raises(TableError, match="learned from at least 20"):
        fit_verifier(sampled)


def test_as_a_judge_it_asks_nothing_and_chooses_for_best_of_n():
    judge = fit_verifier(world(60, 0)).verifier.judge
    verdicts = drive(judge(Query("q", "what is it ?"), world(1, 5)[0].candidates), pytest.fail)
    assert all(0 <= score <= 1 for score in verdicts.scores) and verdicts.complaint == ""
    steps = best_of_n(Query("q", "what is it ?"), SOURCE, 3, Reading(judge=judge))
    ask = next(steps)
    from onedial.core.ask import Completion, Samples
    from onedial.core.usage import Usage

    said = [Completion("777", output_tokens=55), Completion("42", output_tokens=12), Completion("42", output_tokens=14)]
    with pytest.raises(StopIteration) as end:
        steps.send(Samples(tuple(said[: ask.n]), Usage(1), 0.0))
    assert end.value.value.answer == "42" and end.value.value.spend.usage.calls == 1
