import pytest

from confident import QUERY, SOURCE, brought, ended
from onedial.core.ask import Completion, Sample, Samples
from onedial.core.errors import ConfigError
from onedial.core.model import Effort, Model
from onedial.core.usage import Price, Usage
from onedial.runtime.driver import run
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.ledger import Grant
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.pool import Pool
from onedial.strategies.draw import Reading
from onedial.strategies.registry import STRATEGIES
from onedial.strategies.self_certainty import borda, self_certainty
from onedial.verifiers.extract import number


def certain(said, **settings):
    steps = self_certainty(QUERY, SOURCE, len(said.split()), Reading(number), **settings)
    next(steps)
    return ended(steps, brought(said))


def test_it_asks_for_the_likeliest_tokens_of_every_sample_at_once():
    ask = next(self_certainty(QUERY, SOURCE, 4, Reading(number), top=5))
    assert ask == Sample("q", SOURCE, QUERY.messages, 4, logprobs=True, top_logprobs=5)


def test_the_more_certain_of_two_equally_frequent_answers_wins():
    assert certain("3:1 4:2").answer == "4" and certain("3:2 4:1").answer == "3"


def test_the_power_says_how_much_certainty_outweighs_votes():
    said = "3:1 3:2 3:3 4:8 4:9"
    assert (certain(said, power=0.0).answer, certain(said, power=1.0).answer) == ("3", "4")


def test_only_the_rank_counts_so_that_a_freak_value_does_not():
    assert certain("3:2 3:3 4:1000", power=0.5).answer == "3"


def test_equal_certainties_share_their_ranks_whatever_their_order():
    assert borda([5.0, 5.0, 1.0], 1.0) == [2.5, 2.5, 1.0]


def test_every_candidate_shows_its_certainty_and_one_without_does_not_vote():
    answer = certain("3 3 3 4:1")
    assert answer.answer == "4" and [c.confidence for c in answer.candidates] == [None, None, None, 1.0]
    assert "3 samples came without" in answer.stopped


def test_without_any_log_probability_it_says_that_it_is_a_plain_vote():
    answer = certain("3 4 4")
    assert answer.answer == "4" and "no log-probabilities came, so plain votes decide" in answer.stopped


def test_where_only_the_chosen_tokens_are_known_it_says_so_and_the_likelier_text_is_the_surer():
    steps = self_certainty(QUERY, SOURCE, 2, Reading(number))
    next(steps)
    answer = ended(steps, Samples((Completion("3", logprobs=(-2.0, -1.0)), Completion("4", logprobs=(-0.1, -0.2))), Usage(1), 0.0))
    assert answer.answer == "4" and "the chosen tokens alone" in answer.stopped
    assert answer.candidates[1].confidence == pytest.approx(0.8607, abs=1e-4)


def test_completions_of_unlike_measures_are_not_compared():
    steps = self_certainty(QUERY, SOURCE, 2, Reading(number))
    next(steps)
    answer = ended(
        steps, Samples((Completion("3", logprobs=(-0.1,), confidences=(2.0,)), Completion("4", logprobs=(-0.1,))), Usage(1), 0.0)
    )
    assert [c.confidence for c in answer.candidates] == [2.0, None]


async def test_a_model_without_log_probabilities_is_an_error_before_anything_is_sent():
    model = Model("small", Price(1.0, 1.0), (Effort("0"),))
    grant = Grant()
    async with Pool([OpenAIClient([Endpoint(model, "http://127.0.0.1:9/v1", "up")])]) as pool:
        for name in ("certain", "deepconf", "deepstop"):
            with pytest.raises(ConfigError, match="lacks the capability 'logprobs'"):
                await run(STRATEGIES[name](QUERY, SOURCE, 4, Reading(number)), pool, grant)
    assert grant.usage == Usage()
