"""Completions keep to the grammar and to their caps, and do not depend on what is decoded beside them."""

from random import Random

import numpy as np
import pytest

from onedial.lab.batch import Job
from onedial.lab.decoder import Decoder
from onedial.lab.dice import stream, uniforms
from onedial.lab.llama import Llama
from onedial.lab.prefix import Prefixes
from onedial.lab.tokenizer import ANSWER, EOS, SPECIALS, THINK, encode

from .conftest import random_weights
from .test_llama import reference

SPECIAL_IDS = set(range(len(SPECIALS)))


def job(text, n=4, level=2, limit=60, **options):
    prompt = (*encode(text), THINK[level])
    options.setdefault("deadline", limit - 6)
    return Job(prompt, n, stream("test", prompt), limit, **options)


def written(decoder, *jobs):
    decoder.run(jobs)
    return [[one.tokens for one in each.written] for each in jobs]


def test_samples_do_not_depend_on_how_jobs_are_batched(tiny, questions):
    def jobs():
        rng = Random(1)
        return [job(q.example.prompt, rng.choice((1, 2, 5, 8, 30)), rng.randrange(4)) for q in questions]

    together = written(Decoder(tiny), *jobs())
    alone = [written(Decoder(tiny), each)[0] for each in jobs()]
    backwards = written(Decoder(tiny, prefix_bytes=0), *reversed(jobs()))[::-1]
    assert together == alone == backwards


def test_completions_that_begin_alike_share_a_row_until_they_part(random_model):
    fed = []

    class Counting(Llama):
        def forward(self, tokens, *rest):
            fed.append(len(tokens))
            return super().forward(tokens, *rest)

    alike, apart = job("add 3", 8, temperature=0.0, limit=12), job("add 3", 8, temperature=9.0, limit=12)
    for each, expected in ((alike, 1), (apart, 8)):
        fed.clear()
        Decoder(Counting(random_weights())).run([each])
        assert max(fed[2:]) == expected
    assert len({one.tokens for one in alike.written}) == 1 and len({one.tokens for one in apart.written}) == 8


def test_more_jobs_than_fit_are_all_carried_out(random_model):
    decoder = Decoder(random_model)
    jobs = [job(f"numbers : {i} 4 .", n=70 + i, limit=9) for i in range(12)]
    results = written(decoder, *jobs)
    assert [len(result) for result in results] == [each.n for each in jobs]
    assert not decoder.busy


def test_drawing_more_continues_the_stream(tiny):
    text = "numbers : 3 13 17 11 . pick some that sum to 20 ."
    whole, first, rest = job(text, 7), job(text, 3), job(text, 4, first=3)
    assert written(Decoder(tiny), whole)[0] == [*written(Decoder(tiny), first)[0], *written(Decoder(tiny), rest)[0]]


@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize(("limit", "deadline"), [(2, 0), (3, 1), (7, 0), (7, 5), (60, 4), (60, 54)])
def test_every_completion_has_thought_then_an_answer_within_its_caps(random_model, limit, deadline, temperature):
    jobs = [job(f"add {i}", 12, i % 4, limit, deadline=deadline, temperature=temperature) for i in range(6)]
    Decoder(random_model).run(jobs)
    for one in (one for each in jobs for one in each.written):
        assert one.tokens.count(ANSWER) == 1 and one.tokens[one.thought] == ANSWER
        assert one.thought <= deadline and len(one.tokens) <= limit
        answer = one.tokens[one.thought + 1 :]
        assert answer and answer[0] != EOS
        assert not SPECIAL_IDS & {*one.tokens[: one.thought], *answer[:-1]}
        assert answer[-1] == EOS or len(one.tokens) == limit


def test_zero_temperature_takes_the_likeliest_allowed_token(random_model):
    (tokens,) = written(Decoder(random_model), job("start with 7", 1, temperature=0.0, limit=12, deadline=3))[0]
    prompt = [*encode("start with 7"), THINK[2]]
    for place, token in enumerate(tokens[:3]):
        logits = reference(random_weights(), [*prompt, *tokens[:place]])[-1]
        logits[[*(SPECIAL_IDS - {ANSWER}), len(SPECIALS)]] = -np.inf
        assert token == logits.argmax()


def test_logprobs_are_those_of_the_reference_model(random_model):
    each = job("take 3 and 4", 3, limit=10, logprobs=True, temperature=0.7, deadline=2)
    beside = job("take 5 and 4", 3, limit=10)
    Decoder(random_model).run([each, beside])
    for one in each.written:
        logits = reference(random_weights(), [*each.prompt, *one.tokens])[len(each.prompt) - 1 : -1]
        expected = logits - logits.max(1, keepdims=True)
        expected -= np.log(np.exp(expected).sum(1, keepdims=True))
        np.testing.assert_allclose(one.logprobs, expected[np.arange(len(one.tokens)), one.tokens], atol=5e-3)
    assert all(one.logprobs == () for one in beside.written)


def test_confidences_rest_on_as_many_of_the_likeliest_tokens_as_are_wanted(random_model):
    few, whole, beside = (job(f"take 3 and {i}", 2, limit=8, logprobs=top > 0, top=top) for i, top in enumerate((3, 320, 0)))
    Decoder(random_model).run([few, whole, beside])
    for each, count in ((few, 3), (whole, 320)):
        for one in each.written:
            logits = reference(random_weights(), [*each.prompt, *one.tokens])[len(each.prompt) - 1 : -1]
            logits -= logits.max(1, keepdims=True)
            logits -= np.log(np.exp(logits).sum(1, keepdims=True))
            np.testing.assert_allclose(one.confidences, -np.sort(logits)[:, -count:].mean(1), atol=5e-3)
    assert all(one.confidences == () for one in beside.written)


@pytest.mark.parametrize("temperature", [0.6, 1.0, 2.5])
def test_tokens_are_drawn_with_the_probabilities_of_the_temperature(random_model, temperature):
    each = job("who is it ?", 12_000, limit=3, deadline=1, temperature=temperature)
    Decoder(random_model).run([each])
    logits = reference(random_weights(), list(each.prompt))[-1] / temperature
    logits[[*(SPECIAL_IDS - {ANSWER}), len(SPECIALS)]] = -np.inf
    probs = np.exp(logits - logits.max())
    probs /= probs.sum()
    counts = np.bincount([one.tokens[0] for one in each.written], minlength=len(probs))
    common = probs > 5e-4
    deviation = (counts - each.n * probs)[common] / np.sqrt(each.n * probs * (1 - probs))[common]
    assert counts[probs == 0].sum() == 0
    assert np.abs(deviation).max() < 4.5
    assert 0.7 < (deviation**2).mean() < 1.35


def test_a_dropped_job_leaves_the_others_as_they_were(tiny, questions):
    texts = [question.example.prompt for question in questions[:6]]
    expected = written(Decoder(tiny), *(job(text, 8, 3) for text in texts))
    decoder, jobs = Decoder(tiny), [job(text, 8, 3) for text in texts]
    for each in jobs:
        decoder.submit(each)
    for step in range(3):
        decoder.step()
        decoder.cancel(jobs[2 * step])
    decoder.run([])
    for index in (1, 3, 5):
        assert [one.tokens for one in jobs[index].written] == expected[index]
    assert not any(jobs[index].done for index in (0, 2))


def test_a_prompt_that_was_read_before_gives_the_same_samples_and_says_so(tiny, questions):
    text = questions[0].example.prompt
    size = len(encode(text)) + 1
    decoder, fresh = Decoder(tiny), Decoder(tiny, prefix_bytes=0)
    first, again, other, longer = job(text), job(text), job(text, level=0), job(f"{text} proposed answer 4 . is it right ?")
    for each, cached in ((first, 0), (again, size), (other, size - 1), (longer, size - 1)):
        decoder.run([each])
        assert each.cached == cached
    for each in (again, other, longer):
        afresh = Job(each.prompt, each.n, each.key, each.limit, each.deadline)
        fresh.run([afresh])
        assert afresh.cached == 0
        assert afresh.written == each.written


def test_jobs_that_begin_alike_and_come_at_once_share_what_is_read(tiny, questions):
    text = questions[1].example.prompt
    jobs = [job(text, level=level) for level in range(4)]
    Decoder(tiny).run(jobs)
    assert sorted(each.cached for each in jobs) == [0] + [len(encode(text))] * 3


def test_the_memory_for_prompts_is_bounded_and_keeps_the_latest(tiny):
    texts = [f"compute modulo 10 : start with {i} . #1 plus 5 ." for i in range(8)]
    size = Prefixes(tiny, 0).read([job(texts[0]).prompt])[0].nbytes
    decoder = Decoder(tiny, prefix_bytes=4 * size)
    for text in texts:
        decoder.run([job(text, 1)])
    again = [job(text, 1) for text in (texts[-1], texts[0])]
    decoder.run(again)
    assert [each.cached > 10 for each in again] == [True, False]


def test_random_numbers_are_uniform_and_differ_between_streams_samples_and_steps():
    numbers = np.concatenate([uniforms(stream("a", i), 0, 50, 40).ravel() for i in range(20)])
    assert numbers.min() >= 0 and numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 0.006 and abs(numbers.var() - 1 / 12) < 0.002
    assert len(np.unique(numbers)) > 0.99 * len(numbers)
    np.testing.assert_array_equal(uniforms(7, 3, 2, 5), uniforms(7, 0, 5, 9)[3:, :5])
