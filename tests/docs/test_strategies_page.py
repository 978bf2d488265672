"""The pages of strategies, one per family, tell of every registered one what the registry and its own asks say."""

import inspect
import re
from itertools import count
from pathlib import Path

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion
from onedial.core.errors import ConfigError
from onedial.core.model import Model
from onedial.core.query import Query
from onedial.core.steps import drive
from onedial.core.usage import Price
from onedial.runtime.scripted import samples_of
from onedial.strategies.draw import Reading
from onedial.strategies.registry import SETTINGS, STRATEGIES, most_asks

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "strategies").glob("*.md"))
HEAD = "| name | settings, as they are unless set | requests at most | needs | in replay |"
MODEL = Model("m", Price(1.0, 4.0))
BOUNDS = {"1": lambda n: 1, "`n`": lambda n: n, "`n` + 1": lambda n: n + 1, "2 `n` - 1": lambda n: 2 * n - 1}
WHOLE = ("Pays", "Source", "Knobs", "Measured")


def asks_of(name, n, reading):
    """All that a strategy asks where no two answers agree, no text ends by itself and nothing is ever right."""
    asks, words = [], count()

    def answer(ask):
        asks.append(ask)
        cut = "stop" if ask.max_tokens is None else "length"
        sure = {"logprobs": (-1.0,), "confidences": (1.0,)} if ask.logprobs else {}
        return samples_of(ask, MODEL, [Completion(f"word{next(words)}", finish=cut, output_tokens=1, **sure) for _ in range(ask.n)])

    drive(STRATEGIES[name](Query.of("which ?"), Source("m"), n, reading), answer)
    return asks


def bound_of(name):
    """The least of the bounds that it keeps, each sample being a request of its own."""
    asked = {n: sum(ask.n for ask in asks_of(name, n, Reading(verify=lambda query, answer: 0.0))) for n in (1, 2, 5, 9)}
    assert all(total <= most_asks(name, n) for n, total in asked.items())
    return next(text for text, bound in BOUNDS.items() if all(total <= bound(n) for n, total in asked.items()))


def needs_of(name):
    """What a model must be able to do, and a reading must have."""
    asks, needs = asks_of(name, 5, Reading(verify=lambda query, answer: 0.0)), []
    if any(ask.in_steps or ask.continue_from or "continue" in ask.needs for ask in asks):
        needs.append("`continue`")
    if any(ask.logprobs for ask in asks):
        needs.append("`logprobs`")
    if any(ask.max_thinking_tokens for ask in asks):
        needs.append("`thinking_cap` or `continue`")
    try:
        asks_of(name, 5, Reading())
    except ConfigError:
        needs.append("a verifier or judge")
    return ", ".join(needs) or "–"


def replay_of(name):
    """How far independent samples that were recorded can answer what it asks."""
    held = [ask.independent and not ask.logprobs for ask in asks_of(name, 5, Reading(verify=lambda query, answer: 0.0))]
    return "yes" if all(held) else "to its first follow-up" if held[0] else "no"


def settings_of(name):
    """Its settings and their defaults, as its signature has them."""
    defaults = {key: parameter.default for key, parameter in inspect.signature(STRATEGIES[name]).parameters.items()}
    shown = ((key, defaults[key]) for key in SETTINGS.get(name, {}))
    return ", ".join(f"`{key}` {f'{value:.4g}' if isinstance(value, float) else value or 'none'}" for key, value in shown) or "–"


def row(name):
    return f"| `{name}` | {settings_of(name)} | {bound_of(name)} | {needs_of(name)} | {replay_of(name)} |"


def table(page):
    """The rows below the head, of a page that has one."""
    lines = page.read_text().splitlines()
    begin = lines.index(HEAD) + 2
    return lines[begin : lines.index("", begin)]


def names(rows):
    return [line.split("`")[1] for line in rows]


def sections():
    """What the pages say of each strategy, by name."""
    parts = (part for page in PAGES for part in re.split(r"^## ", page.read_text(), flags=re.MULTILINE)[1:])
    return {part.split("`")[1]: part for part in parts if part.startswith("`")}


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_registered_strategy_has_its_row_as_the_registry_has_it(name):
    assert [line for page in PAGES for line in table(page) if line.startswith(f"| `{name}` |")] == [row(name)]


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_registered_strategy_has_its_section_and_that_names_all_its_settings(name):
    section = sections()[name]
    assert [mark for mark in WHOLE if f"- **{mark}**" not in section] == []
    assert [key for key in SETTINGS.get(name, {}) if f"`{key}`" not in section] == []


def test_no_page_tells_of_a_strategy_that_is_not_registered():
    assert sorted(name for page in PAGES for name in names(table(page))) == sorted(STRATEGIES) == sorted(sections())


def test_the_entry_page_lists_the_strategies_of_every_page():
    listed = re.findall(r"^\| \[\w+\]\(strategies/(\w+)\.md\) \| (.*?) \|", (DOCS / "STRATEGIES.md").read_text(), re.MULTILINE)
    assert {page: re.findall(r"`(\w+)`", shown) for page, shown in listed} == {page.stem: names(table(page)) for page in PAGES}
