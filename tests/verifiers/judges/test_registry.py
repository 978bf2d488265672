import pytest

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.errors import ConfigError
from onedial.core.model import Effort, Model
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.verifiers.judges.registry import JUDGES, VOTES, named_judge

PLAIN = Model("plain", Price(1.0, 1.0), (Effort("low"),))
SURE = Model("org/sure", Price(1.0, 1.0), capabilities=frozenset({"logprobs"}))
MODELS = {model.name: model for model in (PLAIN, SURE)}
TWO = [Candidate(Source("m"), i, str(i), str(i)) for i in range(2)]


@pytest.mark.parametrize("kind", JUDGES)
def test_every_judge_can_be_named_with_its_model_and_effort(kind):
    ask = next(named_judge(f"{kind}=plain/think=low", MODELS)(Query("q", "?"), TWO))
    assert ask.source == Source("plain", "low") and ask.judging


def test_generative_verification_takes_log_probabilities_where_there_are_some_else_votes():
    asks = [next(named_judge(f"generative={name}", MODELS)(Query("q", "?"), TWO)) for name in MODELS]
    assert [(ask.logprobs, ask.n) for ask in asks] == [(False, VOTES), (True, 1)]


@pytest.mark.parametrize(("text", "told"), [
    ("pointwize=plain", "Did you mean 'pointwise'"), ("pointwise=plane", "Did you mean 'plain'"), ("pointwise=plain/think=high", "effort"),
    ("pointwise", "names no model"),
])  # fmt: skip
def test_what_is_not_known_is_named(text, told):
    with pytest.raises(ConfigError, match=told):
        named_judge(text, MODELS)
