"""Any text becomes ids; known words become one id each."""

import math
from random import Random

import pytest

from onedial.lab import tokenizer
from onedial.lab.shape import SHAPES
from onedial.lab.tokenizer import ANSWER, EOS, SCORES, SPACE, SPECIALS, THINK, UNK, VOCABULARY, decode, encode


def best_segmentation(word: str) -> list[int]:
    """Segment one word as a Unigram tokenizer would: the highest sum of scores."""
    text = SPACE + word
    ids = {piece: index for index, piece in enumerate(VOCABULARY) if piece not in SPECIALS}
    best: list[tuple[float, list[int]]] = [(0.0, [])] + [(-math.inf, [])] * len(text)
    for end in range(1, len(text) + 1):
        for start in range(end):
            piece = text[start:end]
            if piece in ids:
                score = best[start][0] + SCORES[ids[piece]]
                if score > best[end][0]:
                    best[end] = (score, [*best[start][1], ids[piece]])
    return best[-1][1]


def test_the_vocabulary_has_no_duplicates_and_fits_the_models():
    assert len(set(VOCABULARY)) == len(VOCABULARY)
    assert all(shape.vocab == len(VOCABULARY) for shape in SHAPES.values())


def test_known_words_numbers_and_steps_are_single_tokens():
    text = "compute modulo 10 : start with 99 . #12 Z"
    assert len(encode(text)) == len(text.split())


def test_white_space_does_not_matter():
    assert encode("  start\n\twith 7 ") == encode("start with 7")
    assert encode("") == encode(" \n") == []


def test_special_tokens_are_found_anywhere():
    assert encode("7<think2>8<ans>9<eos>")[1::2] == [THINK[2], ANSWER, EOS]


def test_text_of_printable_ascii_survives_a_round_trip():
    for text in ("Hello, island! 123 x==y {a: 'b'}", "what is 250 + 7?", "~ | ^"):
        assert decode(encode(text)) == text


def test_foreign_characters_become_one_unknown_token_each_run():
    assert encode("na\u00efve")[-3:].count(UNK) == 1
    assert encode("\u4f60\u597d").count(UNK) == 1
    assert encode(SPACE).count(UNK) == 1


def test_the_ids_are_those_of_a_unigram_tokenizer():
    rng = Random(0)
    alphabet = [chr(code) for code in range(33, 127)]
    words = [VOCABULARY[i].removeprefix(SPACE) for i in range(len(SPECIALS) + 1, len(VOCABULARY))]
    mixed = ["".join(rng.choices(alphabet, k=rng.randint(1, 6))) for _ in range(200)]
    joined = ["".join(rng.choices(words, k=2)) for _ in range(300)]
    for word in words + mixed + joined:
        if not any(special in word for special in SPECIALS):
            assert encode(word) == best_segmentation(word), word


@pytest.mark.parametrize("name", ["PAD", "EOS", "UNK", "BOS", "ANSWER", "LOOK"])
def test_named_ids_point_at_special_tokens(name):
    assert VOCABULARY[getattr(tokenizer, name)] in SPECIALS
