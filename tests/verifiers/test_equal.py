import sys
import threading

import pytest

from onedial.core.errors import ConfigError, TableError
from onedial.verifiers.equal.registry import EQUALS, named_equal


def same(name, answer, reference):
    return EQUALS[name](answer, reference)


@pytest.mark.parametrize(("name", "answer", "reference"), [
    ("exact", "Paris", "Paris"),
    ("text", "  the  PARIS.", "Paris"),
    ("text", "“Don't!”", "dont"),
    ("text", "U.S.A.", "USA"),
    ("text", "well-known", "well known"),
    ("text", "−5", "-5"),
    ("text", "e\u0301t\u00e9", "\u00e9te\u0301"),
    ("number", "1,234,567.0", "1234567"),
    ("number", "+7.", "7"),
    ("number", ".5", "1/2"),
    ("number", "-3/4", "−0.75"),
    ("number", "1 1/2", "1.5"),
    ("number", "12.5 %", "0.125"),
    ("number", "1.2e-3", "0.0012"),
    ("number", "1.2 × 10^{-3}", "0.0012"),
    ("number", "1.2 * 10^(3)", "1,200"),
    ("number", "0.333333", "1/3"),
    ("number", "-0", "0"),
    ("choice", "(c)", "C"),
    ("choice", "**C**.", "C) Paris"),
    ("choice", "C: Rome", "c"),
    ("json", '{"b": [1, {"x": null}], "a": 2}', '{"a": 2.0, "b": [1e0, {"x": null}]}'),
    ("json", '```json\n{"a": 1}\n```', '{"a":1}'),
    ("json", "0.1", "1e-1"),
    ("json", "1e999999", "1e999999"),
])  # fmt: skip
def test_what_says_the_same_is_the_same(name, answer, reference):
    assert same(name, answer, reference) is True


@pytest.mark.parametrize(("name", "answer", "reference"), [
    ("exact", "paris", "Paris"),
    ("text", "-5", "5"),
    ("text", "(-.5)", "5"),
    ("text", "3.5", "35"),
    ("text", "5%", "5"),
    ("text", "C#", "C"),
    ("text", "vitamin", "vitamin a"),
    ("text", "!", "?"),
    ("text", "a", "the"),
    ("text", "x²", "x2"),
    ("number", "25", "25%"),
    ("number", "1,2", "12"),
    ("number", "0.33333", "1/3"),
    ("number", "12345678", "12345679"),
    ("number", "0.0000001", "0"),
    ("number", "1/0", "0"),
    ("number", "nan", "0"),
    ("number", "4 apples", "4"),
    ("number", "9" * 5000, "9"),
    ("number", "1e999999999", "9"),
    ("number", "٣", "3"),
    ("choice", "B", "C"),
    ("choice", "Paris", "P"),
    ("choice", "C or D", "C"),
    ("json", "true", "1"),
    ("json", "[1, 2]", "[2, 1]"),
    ("json", '"1"', "1"),
    ("json", '{"a": 1, "a": 1}', '{"a": 1}'),
    ("json", "NaN", "1"),
    ("json", "{'a': 1}", '{"a": 1}'),
    ("json", "[" * 100_000, "1"),
    ("json", "1" * 5000, "1"),
    ("json", '{"a": 1} and more', '{"a": 1}'),
])  # fmt: skip
def test_what_says_something_else_is_not(name, answer, reference):
    assert same(name, answer, reference) is False


@pytest.mark.parametrize(("name", "reference", "told"), [
    ("text", " ", "expected text"),
    ("number", "Paris", "'Paris' was found; expected a number"),
    ("number", "1/0", "expected a number"),
    ("choice", "Paris", "expected the letter of a choice"),
    ("json", "{", "expected JSON"),
])  # fmt: skip
def test_a_reference_that_could_never_be_matched_is_an_error_and_no_zero(name, reference, told):
    with pytest.raises(TableError, match=told):
        same(name, "1", reference)


@pytest.mark.parametrize("name", ["exact", "text", "number", "choice", "json"])
def test_equality_holds_both_ways_and_of_each_with_itself(name):
    written = {"exact": "a b", "text": "The cat", "number": "1.5e3", "choice": "B", "json": '{"a": [1]}'}[name]
    other = {"exact": "a b", "text": "cat!", "number": "1,500", "choice": "(b)", "json": '{"a":[1.0]}'}[name]
    assert same(name, written, written) and same(name, written, other) and same(name, other, written)


def test_an_unknown_equality_is_guessed_at():
    with pytest.raises(ConfigError, match=r"unknown equality 'nummber'.*Did you mean 'number'"):
        named_equal("nummber")


def test_mathematics_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "math_verify", None)
    with pytest.raises(ConfigError, match=r"pip install 'onedial\[math\]'"):
        named_equal("math")
    with pytest.raises(ConfigError, match=r"pip install 'onedial\[math\]'"):
        same("math", "1", "1")


@pytest.fixture(scope="module")
def mathematics():
    pytest.importorskip("math_verify", reason="the extra `math` is not installed")
    return named_equal("math")


@pytest.mark.parametrize(("answer", "reference", "equal"), [
    (r"\frac12", "0.5", True),
    (r"so \boxed{2x+2}", "2(x+1)", True),
    (r"\{2,1\}", "{1, 2}", True),
    ("$3$", "4", False),
    ("", "3", False),
])  # fmt: skip
def test_expressions_are_compared_as_expressions(mathematics, answer, reference, equal):
    assert mathematics(answer, reference) is equal


def test_an_expression_that_takes_too_long_is_undecided(mathematics, monkeypatch):
    monkeypatch.setattr("onedial.verifiers.equal.symbolic._MOST_SECONDS", 1)
    assert mathematics("10000000!", "3") is None


def test_expressions_are_compared_on_any_thread(mathematics):
    found = []
    thread = threading.Thread(target=lambda: found.append(mathematics("1/2", "0.5")))
    thread.start()
    thread.join()
    assert found == [True]


def test_a_reference_without_an_expression_is_an_error(mathematics):
    with pytest.raises(TableError, match="expected an expression"):
        mathematics("1", "")
