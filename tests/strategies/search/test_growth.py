"""What searches are made of: steps, texts that grow, and their scores."""

from math import nan

import pytest

from onedial.core.answer import Spend
from onedial.core.ask import Completion, Refusal, Sample, Samples
from onedial.core.steps import drive
from onedial.core.usage import Usage
from onedial.strategies.draw import Reading
from onedial.strategies.search.beam import beam_search
from onedial.strategies.search.growth import ROOT, Growth, Text
from onedial.strategies.search.registry import SEARCHES
from onedial.verifiers.extract import number
from onedial.verifiers.judges.contract import Verdicts, one_by_one
from onedial.verifiers.process import Process
from stepping import QUERY, SOURCE, TOKENS, completed, lettered, search, share_of

IN_STEPS = [name for name in SEARCHES if name != "abmcts"]


def grown(text, *completions, process=None, steps=True):
    """What comes of a text when these are written behind it, and the ask."""
    asks = []

    def reply(ask):
        asks.append(ask)
        return Samples(tuple(map(completed, completions)), Usage(1), 0.0)

    growth = Growth(QUERY, SOURCE, 8, Reading(number, process=process))
    count = len(completions)
    return drive(growth.step(text, count) if steps else growth.finish(text, count), reply), asks[0]


def test_a_step_is_asked_for_within_its_tokens_and_the_rest_without_a_bound():
    process = Process(tokens=7)
    assert grown(ROOT, "a", process=process)[1] == Sample("q", SOURCE, QUERY.messages, max_tokens=7, in_steps=True)
    text = Text("", "so\n\n")
    assert grown(text, "a", "b", process=process, steps=False)[1] == Sample(
        "q", SOURCE, QUERY.messages, 2, continue_from="so\n\n", in_steps=True
    )


def test_of_a_step_that_was_cut_the_incomplete_part_is_dropped_unless_it_is_all_there_is():
    texts, _ = grown(Text("", "so\n\n"), "a\n\nb\n\nand th", "and th")
    assert [text.said for text in texts] == ["so\n\na\n\nb\n\n", "so\n\nand th"]
    texts, _ = grown(ROOT, "a\n\nand th", process=Process(mid_part=True))
    assert texts[0].said == "a\n\nand th"


def test_where_the_thought_is_shown_apart_it_is_continued_from_its_mark_and_the_text_behind_it_is_the_answer():
    cut = Completion("", thinking=" b\n\nx", finish="length", opening="<think>")
    (live,), _ = grown(Text("a", opening="<think>"), cut)
    assert (live.thought, live.said, live.visible, live.ended) == ("a b\n\n", "<think>a b\n\n", "", False)
    (ended,), _ = grown(live, Completion("= 4", thinking="so"))
    assert (ended.whole, ended.visible, ended.ended) == ("a b\n\nso\n\n= 4", "= 4", True)


def test_what_ends_without_an_answer_is_a_candidate_and_goes_no_further():
    texts, _ = grown(ROOT, Completion("hm"), Completion("= 4", finish="error"), "a")
    assert [text.said for text in texts] == ["a"]


def test_the_scorer_is_asked_about_beginnings_and_about_answers_of_which_the_verifier_says_nothing():
    seen = []
    answer, _ = search(beam_search, 4, lettered(1), lambda text: seen.append(text) or 0.5, verify={"1": 0.25}.get)
    assert seen == ["a\n\n", "b\n\n"]
    assert {c.text: c.score for c in answer.candidates if c.answer} == {"a\n\n= 1": 0.25}


@pytest.mark.parametrize("name", IN_STEPS)
@pytest.mark.parametrize("score", [lambda t: nan, lambda t: 7.0, lambda t: -1.0, lambda t: None, lambda t: 0.0, lambda t: 1.0, len])
def test_no_scorer_makes_a_search_draw_more_than_n_or_lose_its_answer(name, score):
    for n in (1, 3, 16, 40):
        answer, asks = search(SEARCHES[name], n, lettered(), score)
        assert sum(ask.n for ask in asks) == len(answer.candidates) <= n
        assert answer.answer is not None and all(c.score is None or 0 <= c.score <= 1 for c in answer.candidates)


@pytest.mark.parametrize("name", IN_STEPS)
def test_without_step_scores_the_verifier_chooses_among_the_answers_and_it_says_so(name):
    def turns(said, index, whole):
        return f"= {index % 3}"

    answer, _ = search(SEARCHES[name], 9, turns, verify={"2": 0.9, "1": 0.1}.get)
    assert answer.stopped.endswith("no step was scored, so only answers were compared")
    answered = {c.answer for c in answer.candidates}
    assert answer.answer == ("2" if "2" in answered else "1" if "1" in answered else "0")


@pytest.mark.parametrize("name", IN_STEPS)
def test_a_search_that_is_refused_midway_shows_the_best_beginning_it_paid_for(name):
    begun = [Completion(f"{letter}\n\n", finish="length") for letter in "bab"]
    reading = Reading(number, process=Process(lambda query, text: share_of("b")(text)))
    steps = SEARCHES[name](QUERY, SOURCE, 5, reading)
    answer = drive(steps, lambda ask: Refusal("no budget") if ask.first_index else Samples(tuple(begun[: ask.n]), Usage(1), 1.0))
    assert (answer.text, answer.answer, answer.spend) == ("b\n\n", None, Spend(Usage(1), 1.0))
    assert "0 of them answers" in answer.stopped and "(no budget)" in answer.stopped


@pytest.mark.parametrize("name", IN_STEPS)
def test_the_answer_s_text_is_all_that_was_said_on_its_way(name):
    answer, _ = search(SEARCHES[name], 24, lettered(), share_of("a"))
    assert answer.text.count("\n\n") == 3 and answer.text.endswith(f"= {answer.text.count('a')}")


def test_a_judge_of_steps_is_asked_where_the_scorer_says_nothing_and_is_paid():
    def judge(query, candidates):
        assert all(c.text for c in candidates)
        ask = lambda c, i: Sample(query.id, SOURCE, query.messages, 1, i, judging=True)  # noqa: E731
        return (yield from one_by_one(query, candidates, ask, lambda completion: 0.75))

    answer, asks = search(beam_search, 4, lettered(1), judge=judge)
    judging = [ask for ask in asks if ask.judging]
    assert judging and answer.spend.cost_usd == len(asks) and len(judging) <= 4
    assert {c.score for c in answer.candidates} == {0.75} and "no step was scored" not in answer.stopped


def test_a_judge_that_fails_leaves_steps_without_a_score_and_its_complaint_is_told():
    def judge(query, candidates):
        yield from ()
        return Verdicts((7.0,) * len(candidates), trouble="timed out")

    answer, asks = search(beam_search, 4, lettered(1), judge=judge)
    assert all(c.score is None for c in answer.candidates) and answer.answer is not None
    assert "judging ended early: timed out" in answer.stopped and max(ask.max_tokens or 0 for ask in asks) == TOKENS
