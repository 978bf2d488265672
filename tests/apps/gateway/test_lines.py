"""How a stream is passed on: what has come whole at once, nothing in halves, and counted on the way."""

import pytest

from onedial.apps.gateway.relay import _Lines

SAID = b'data: {"choices": [{"delta": {"content": "the \\"usage\\" of it"}}]}\n\n'
USED = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\n'
END = b"data: [DONE]\n\n"


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_a_stream_is_the_same_however_it_is_cut(size):
    whole, reading = SAID + SAID + USED + END, _Lines(keep_usage=True)
    passed = b"".join(reading.feed(whole[i : i + size]) for i in range(0, len(whole), size)) + reading.rest()
    assert passed == whole
    assert reading.ended and reading.counts.completion_tokens == 2


def test_lines_that_come_together_are_passed_on_together():
    assert _Lines(keep_usage=False).feed(SAID + SAID + b"data: {") == SAID + SAID


def test_usage_is_counted_and_left_out_where_nobody_asked_for_it():
    reading = _Lines(keep_usage=False)
    assert reading.feed(SAID + USED + END).replace(b"\n", b"") == (SAID + END).replace(b"\n", b"")
    assert reading.counts.prompt_tokens == 3


def test_half_an_event_is_dropped_and_an_end_mark_without_an_end_of_line_is_an_end():
    broken, whole = _Lines(keep_usage=True), _Lines(keep_usage=True)
    broken.feed(SAID + SAID[:20])
    assert broken.rest() == b"" and not broken.ended
    whole.feed(SAID + END.strip())
    assert whole.rest() == END and whole.ended
