"""Every family makes questions it can grade from their text alone."""

from random import Random

import pytest

from onedial.lab.families import FAMILIES, check, family_of, verify
from onedial.lab.mix import MIX, SPLITS, queries, split_of
from onedial.lab.tasks import LEVELS, Example, check_form, proposal_in, revise_form
from onedial.lab.tokenizer import decode, encode

CONTEXT = 256


def examples(family: str, count: int = 120) -> list[Example]:
    """Make examples over all difficulties of a family."""
    rng = Random(f"test-{family}")
    dial = FAMILIES[family].difficulties
    return [FAMILIES[family].generate(rng, dial[i % len(dial)]) for i in range(count)]


def value_tokens(text: str) -> int:
    return len(encode(text))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_reference_answer_is_right_and_the_wrong_one_is_wrong(family):
    for example in examples(family):
        assert check(example.prompt, example.answer)
        assert not check(example.prompt, example.wrong)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_prompt_is_owned_by_its_family_only(family):
    for example in examples(family):
        owners = [task.name for task in FAMILIES.values() if task.owns(example.prompt)]
        assert owners == [family]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_seed_gives_the_same_example(family):
    assert examples(family, 20) == examples(family, 20)


@pytest.mark.parametrize("family", FAMILIES)
def test_thoughts_get_longer_with_the_level_on_average(family):
    made = examples(family, 300)
    lengths = [sum(value_tokens(e.thoughts[level]) for e in made) for level in range(LEVELS)]
    assert lengths[0] == 0
    assert lengths == sorted(lengths)
    assert len(set(lengths)) == LEVELS


@pytest.mark.parametrize("family", FAMILIES)
def test_the_longest_completion_of_any_form_fits_the_context(family):
    rng = Random(0)
    task = FAMILIES[family]
    for example in examples(family):
        for lesson in (check_form(task, example, rng, 3), revise_form(example, rng, 3)):
            text = f"{example.prompt} {lesson.question} {lesson.thought} {lesson.answer}"
            assert value_tokens(text) + 3 <= CONTEXT


@pytest.mark.parametrize("family", FAMILIES)
def test_a_check_question_is_graded_by_judging_its_proposal(family):
    rng = Random(1)
    answers = set()
    for example in examples(family):
        lesson = check_form(FAMILIES[family], example, rng, 2)
        prompt = f"{example.prompt} {lesson.question}"
        assert proposal_in(prompt) in (example.answer, example.wrong)
        assert check(prompt, lesson.answer)
        answers.add(lesson.answer)
    assert answers == {"yes", "no"}


@pytest.mark.parametrize("family", FAMILIES)
def test_an_attempt_shown_in_the_prompt_does_not_change_the_right_answer(family):
    rng = Random(2)
    for example in examples(family):
        lesson = revise_form(example, rng, 1)
        prompt = f"{example.prompt} {lesson.question}"
        assert check(prompt, example.answer)
        assert not check(prompt, example.wrong)


@pytest.mark.parametrize("family", FAMILIES)
def test_looking_up_a_key_finds_it_in_the_prompt(family):
    for example in examples(family, 40):
        for key, value in example.looks:
            assert f"{key} {value} ," in example.prompt


def test_arith_is_computed_and_level_three_copies_the_operation():
    prompt = "compute modulo 10 : start with 7 . #1 minus 5 #2 times 3 . what is the result ?"
    assert check(prompt, "6")
    assert not check(prompt, "2")
    example = FAMILIES["arith"].generate(Random(0), 1)
    operation, value = example.thoughts[3].rsplit(" ", 1)
    assert operation in example.prompt
    assert value == example.answer


def test_swap_follows_the_ball():
    prompt = "a ball is under cup A . swap #1 C E #2 A B . where is the ball ?"
    assert check(prompt, "B")
    assert not check(prompt, "A")


def test_path_says_no_when_the_walk_stops_or_the_target_lies_behind():
    roads = "roads : A B , B C , C stop , D E , E stop , ? {} {} :"
    assert check(roads.format("A", "C"), "yes")
    assert check(roads.format("A", "E"), "no")
    assert check(roads.format("C", "A"), "no")


def test_subset_accepts_every_solution_and_refuses_strangers_and_repeats():
    prompt = "numbers : 3 13 17 11 10 . pick some that sum to 20 ."
    assert check(prompt, "3 17")
    assert verify(prompt, "17 3") is True
    assert not check(prompt, "10 10")
    assert not check(prompt, "12 8")
    assert verify(prompt, "3 13") is False
    assert not check(prompt, "")


def test_facts_follows_relations_in_order():
    facts = "facts : A boss B , B friend C , A friend D , "
    prompt = facts + "start with A . #1 boss #2 friend . who is it ?"
    assert check(prompt, "C")
    assert not check(prompt, "D")


def test_only_subset_sums_are_cheaper_to_check_than_to_solve():
    for family in FAMILIES:
        example = examples(family, 1)[0]
        assert verify(example.prompt, example.answer) is (True if family == "subset" else None)


def test_a_stranger_s_prompt_has_no_family_and_no_right_answer():
    assert family_of("what is the capital of France ?") is None
    assert not check("what is the capital of France ?", "Paris")
    assert verify("what is the capital of France ?", "Paris") is None


def test_the_mix_covers_every_family_and_difficulty():
    made = {(q.example.family, q.example.difficulty) for q in queries(3000, 0, "train")}
    assert made == {(family, d) for family, dial in MIX.items() for d in dial}


def test_the_mix_s_splits_share_no_prompt_whatever_their_seeds():
    prompts = {split: {q.example.prompt for seed in (0, 1) for q in queries(600, seed, split)} for split in SPLITS}
    for split, texts in prompts.items():
        assert {split_of(text) for text in texts} == {split}
    assert not prompts["train"] & prompts["test"]


def test_a_longer_mix_extends_a_shorter_one_and_ids_are_unique():
    long = queries(300, 5, "certify")
    assert long[:100] == queries(100, 5, "certify")
    assert len({question.id for question in long}) == 300


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="expected one of train, certify, test"):
        queries(1, 0, "dev")


def test_every_prompt_of_the_mix_survives_the_tokenizer_unchanged():
    for question in queries(200, 0, "test"):
        assert decode(encode(question.example.prompt)) == question.example.prompt
