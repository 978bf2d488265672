"""Rows share a prompt, keep their completions apart, and teach only completions."""

from random import Random

import numpy as np

from onedial.lab.corpus import (
    KINDS,
    LOOK_KIND,
    NO_LABEL,
    WARM_UP,
    batches,
    block_mask,
    draw_chunk,
    look_branch,
    recipe_at,
)
from onedial.lab.families import FAMILIES, check
from onedial.lab.tokenizer import ANSWER, EOS, LOOK, THINK, decode

CHUNK = draw_chunk(0, 0, 200, recipe_at(1.0))


def rows(chunk):
    """Yield (tokens, positions, branches, labels, kinds) of each row."""
    columns = (chunk.tokens, chunk.positions, chunk.branches, chunk.labels, chunk.kinds)
    for start, end in zip(chunk.starts, chunk.starts[1:], strict=False):
        yield tuple(column[start:end] for column in columns)


def test_a_chunk_is_a_function_of_its_seed_and_index():
    again, elsewhere = (draw_chunk(0, index, 200, recipe_at(1.0)) for index in (0, 1))
    np.testing.assert_array_equal(again.tokens, CHUNK.tokens)
    assert len(elsewhere.tokens) != len(CHUNK.tokens)


def test_the_prompt_is_never_predicted():
    assert (CHUNK.labels[CHUNK.branches == 0] == NO_LABEL).all()


def test_a_label_is_the_next_token_of_the_same_branch():
    for tokens, _, branches, labels, _ in rows(CHUNK):
        (at,) = np.nonzero(labels >= 0)
        np.testing.assert_array_equal(labels[at], tokens[at + 1])
        np.testing.assert_array_equal(branches[at], branches[at + 1])


def test_positions_go_on_from_the_prompt_in_every_branch():
    for _, positions, branches, _, _ in rows(CHUNK):
        prompt = int((branches == 0).sum())
        for branch in range(1, branches.max() + 1):
            mine = positions[branches == branch]
            np.testing.assert_array_equal(mine, np.arange(prompt, prompt + len(mine)))


def test_every_completion_ends_with_a_right_answer():
    for tokens, _, branches, _, kinds in rows(CHUNK):
        prompt = decode(tokens[branches == 0].tolist())
        for branch in range(1, branches.max() + 1):
            mine = tokens[branches == branch].tolist()
            if kinds[branches == branch][0] % len(KINDS) == LOOK_KIND:
                continue
            (budget,) = (mine.index(token) for token in THINK if token in mine)
            question = decode(mine[:budget])
            assert mine[-1] == EOS
            answer = decode(mine[mine.index(ANSWER) + 1 : -1])
            assert check(f"{prompt} {question}".strip(), answer)


def test_a_row_teaches_all_four_levels_of_one_prompt():
    levels = [set(kinds[branches > 0] % len(KINDS)) for _, _, branches, _, kinds in rows(CHUNK)]
    assert all({0, 1, 2, 3} <= row or row == {LOOK_KIND} for row in levels)
    assert sum({0, 1, 2, 3} <= row for row in levels) > 150


def test_warm_up_is_mostly_look_ups():
    chunk = draw_chunk(0, 0, 300, WARM_UP)
    looked = [
        (kinds[-1] % len(KINDS)) == LOOK_KIND and branches.max() == 1
        for _, _, branches, _, kinds in rows(chunk)
        if FAMILIES[list(FAMILIES)[kinds[0] // len(KINDS)]].name in ("path", "facts")
    ]
    assert 0.7 < np.mean(looked) < 1


def test_look_ups_predict_values_only():
    example = FAMILIES["facts"].generate(Random(0), 3)
    ids, labels = look_branch(example)
    assert ids[0] == LOOK
    assert len(ids) == 1 + 3 * len(example.looks)
    predicted = [label for label in labels if label != NO_LABEL]
    assert decode(predicted).split() == [value for _, value in example.looks]


def test_branches_see_the_prompt_and_themselves_backwards_only():
    mask = block_mask(np.array([[0, 0, 1, 1, 2]]))[0]
    assert mask.astype(int).tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 1, 1, 0],
        [1, 1, 0, 0, 1],
    ]


def test_batches_go_through_a_chunk_without_changing_it():
    chunk = draw_chunk(0, 0, 2000, recipe_at(1.0))
    groups = list(batches(chunk, Random(0), 2400))
    seen = sum(batch.size for group in groups for batch in group)
    assert 0.95 * len(chunk.tokens) < seen <= len(chunk.tokens)
    for batch in (batch for group in groups for batch in group):
        assert (batch.tokens[batch.labels >= 0] > 0).all()
        assert batch.mask.shape == (*batch.tokens.shape, batch.tokens.shape[1])


def test_batches_of_one_length_have_one_shape():
    groups = batches(draw_chunk(0, 0, 2000, recipe_at(1.0)), Random(0), 2400)
    shapes = {batch.tokens.shape for group in groups for batch in group}
    assert len({width for _, width in shapes}) == len(shapes)
