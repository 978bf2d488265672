import os
import signal

import pytest

from onedial.core.errors import ConfigError, TableError
from onedial.runtime import comparing
from onedial.runtime.comparing import Apart


@pytest.fixture
def apart():
    made = Apart("number")
    yield made
    made.close()


def test_it_compares_as_the_equality_does_errors_too(apart):
    assert (apart("0.75", "3/4"), apart("1", "2"), apart("line\nbreak", "2")) == (True, False, False)
    with pytest.raises(TableError, match="'Paris' was found; expected a number"):
        apart("1", "Paris")
    assert apart("2", "2") is True


def test_a_comparison_that_does_not_end_is_none_and_the_next_one_starts_anew(apart, monkeypatch):
    first = apart("1", "1")
    os.kill(apart._process.pid, signal.SIGSTOP)
    monkeypatch.setattr(apart, "_most_s", 0.05)
    stuck = apart("1", "1")
    monkeypatch.setattr(apart, "_most_s", 20.0)
    assert (first, stuck, apart("1", "1")) == (True, None, True)


def test_a_process_that_died_is_none_and_the_next_one_starts_anew(apart):
    assert apart("1", "1") is True
    apart._process.kill()
    assert (apart("1", "1"), apart("1", "1")) == (None, True)


def test_an_interpreter_that_cannot_start_is_no_verdict(apart, monkeypatch):
    monkeypatch.setattr(comparing.sys, "executable", "/nowhere/python")
    assert apart("1", "1") is None


def test_an_unknown_equality_is_refused_at_once():
    with pytest.raises(ConfigError, match="unknown equality 'same'"):
        Apart("same")
