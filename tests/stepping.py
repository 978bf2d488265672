"""A world of texts that are written in steps, for searches: which step comes is known, and so is every ask."""

from onedial.core.arm import Source
from onedial.core.ask import Completion, Samples
from onedial.core.query import Query
from onedial.core.steps import drive
from onedial.core.usage import Usage
from onedial.strategies.draw import Reading
from onedial.verifiers.extract import number
from onedial.verifiers.process import Process

QUERY, SOURCE = Query("q", "2 + 2 ?"), Source("small", "0")
TOKENS = 20


def search(strategy, n, write, score=None, query=QUERY, verify=None, judge=None, **settings):
    """The answer, and every ask, of a search in a world in which `write(said, index, whole)` is what comes behind a text.

    Args:
        strategy: The search.
        n: Completions at most.
        write: Returns a step, or with `whole` all that is left, to which an answer ends.
        score: From a text so far to its score.
        query: What is asked.
        verify: From an answer to its score.
        judge: Of steps.
        settings: Of the strategy.
    """
    asks = []

    def reply(ask):
        asks.append(ask)
        indices = range(ask.first_index, ask.first_index + ask.n)
        came = tuple(completed(write(ask.continue_from, i, ask.max_tokens is None)) for i in indices)
        return Samples(came, Usage(1, 10, 0, len(came)), 1.0)

    process = Process(lambda query, text: score(text) if score else None, judge, TOKENS)
    reading = Reading(number, lambda query, answer: verify(answer) if verify else None, process=process)
    return drive(strategy(query, SOURCE, n, reading, **settings), reply), asks


def completed(text):
    """A completion as given, or of this text: it is whole where it has an answer, such as `= 4`."""
    if isinstance(text, Completion):
        return text
    return Completion(text, finish="stop" if "=" in text else "length", output_tokens=1)


def lettered(steps=3):
    """Texts of letters: every step is the letter of its index, and after so many of them the answer is how often `a` is in it."""

    def write(said, index, whole):
        done, letters = said.count("\n\n"), "ab"[index % 2]
        if not whole and done < steps:
            return f"{letters}\n\nx"
        rest = (letters + "\n\n") * (steps - done)
        return f"{rest}= {(said + rest).count('a')}"

    return write


def share_of(letter):
    """Scores a text by the share of its steps that are this letter."""
    return lambda text: text.count(letter) / max(1, text.count("\n\n"))
