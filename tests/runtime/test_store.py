import os
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.runtime.store import VERSION, Held, Store

QUERIES = [Query("b", "1+1?", "Be brief.", "2", "sums"), Query("a", "say\nhi \u2603", reference=None)]


def outcome(index=0, effort="low", query="a", model="m", score=1.0, **fields):
    return Outcome(query, model, effort, index, score, "2", **fields)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "deep" / "outcomes.db") as opened:
        opened.add_queries(QUERIES)
        yield opened


def reopened(store):
    store.close()
    return Store.open(store.path)


FULL = Outcome("b", "m", "high", 3, 0.5, None, 10, 20, 1.5e-7, 0.25, 4, 5, 0.75, 0.125, "checker")
BARE = Outcome("a", "m", None, 0, None, None)


def test_what_is_added_is_there_again_in_a_new_process_with_nothing_turned_into_zero(store):
    assert store.add_outcomes([FULL, BARE]) == 2
    with reopened(store) as again:
        assert again.queries() == QUERIES
        assert again.outcomes() == [BARE, FULL]


def test_the_same_again_is_ignored_and_never_doubled(store):
    assert store.add_outcomes([FULL, BARE, BARE]) == 2
    assert store.add_outcomes([BARE, outcome(), FULL]) == 1
    assert store.add_queries(QUERIES) == 0
    assert len(store.outcomes()) == 3


def test_a_query_without_text_is_kept_as_one(store):
    textless = [Query.without_text("c"), Query.without_text("d", "4", "sums")]
    assert store.add_queries(textless) == 2
    with reopened(store) as again:
        assert again.queries() == [*QUERIES, *textless]


def test_a_table_is_added_whole_or_not_at_all(store):
    store.add_outcomes([BARE])
    with pytest.raises(TableError, match="another score"):
        store.add_table([Query("c", "new")], [outcome(query="c"), replace(BARE, score=1.0)])
    assert (store.queries(), store.outcomes()) == (QUERIES, [BARE])
    assert store.add_table([Query("c", "new"), *QUERIES], [outcome(query="c"), BARE]) == (1, 1)


def test_another_outcome_under_a_stored_key_is_refused_and_the_batch_with_it(store):
    store.add_outcomes([BARE])
    with pytest.raises(TableError, match=r"query_id 'a', model 'm', effort '', sample_index 0 .* another score.*not overwritten"):
        store.add_outcomes([outcome(7), replace(BARE, score=1.0)])
    assert store.outcomes() == [BARE]


def test_another_query_under_a_stored_id_is_refused(store):
    with pytest.raises(TableError, match=r"query_id 'b' .* another reference"):
        store.add_queries([Query("c", "new"), replace(QUERIES[0], reference="3")])
    assert store.queries() == QUERIES


def test_an_outcome_without_its_query_is_refused(store):
    with pytest.raises(TableError, match="query that is not stored"):
        store.add_outcomes([outcome(), outcome(query="nobody")])
    assert store.outcomes() == []


@pytest.mark.parametrize("bad", [outcome(score=1.5), outcome(-1), outcome(effort="")])
def test_what_no_outcome_can_be_is_refused(store, bad):
    with pytest.raises(TableError):
        store.add_outcomes([bad])
    assert store.outcomes() == []


def test_counts_tell_samples_and_the_next_index_even_with_gaps(store):
    store.add_outcomes([outcome(0), outcome(5), outcome(1, None), outcome(2, "low", "b")])
    assert store.counts() == {
        ("a", Source("m", "low")): Held(2, 6),
        ("a", Source("m", None)): Held(1, 2),
        ("b", Source("m", "low")): Held(1, 3),
    }


KEYS = st.tuples(st.sampled_from("ab"), st.sampled_from(["m", "n"]), st.sampled_from([None, "low"]), st.integers(0, 3))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(KEYS, max_size=8), max_size=6))
def test_any_batches_of_the_same_outcomes_leave_each_once(tmp_path_factory, batches):
    with Store.open(tmp_path_factory.mktemp("s") / "o.db") as store:
        store.add_queries(QUERIES)
        for batch in batches:
            store.add_outcomes(Outcome(*key, score=0.5, answer="x") for key in batch)
        stored = [(o.query_id, o.model, o.effort, o.sample_index) for o in store.outcomes()]
        assert len(stored) == len(set(stored)) and set(stored) == {key for batch in batches for key in batch}


def test_threads_of_one_process_may_add_at_the_same_time(store):
    adders = [threading.Thread(target=store.add_outcomes, args=([outcome(i) for i in range(k, k + 20)],)) for k in range(0, 80, 10)]
    for thread in adders:
        thread.start()
    for thread in adders:
        thread.join()
    assert [o.sample_index for o in store.outcomes()] == list(range(90))


def test_a_reader_in_another_connection_sees_what_was_acknowledged_while_writing_goes_on(store):
    store.add_outcomes([outcome()])
    with Store.open(store.path) as reader:
        store.add_outcomes([outcome(1)])
        assert len(reader.outcomes()) == 2


def test_a_file_that_is_no_store_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, and long enough to be read as a header of one " * 20)
    before = path.read_bytes()
    with pytest.raises(TableError, match="is not an outcome store"):
        Store.open(path)
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(TableError, match="another program"):
        Store.open(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["other.db"]


def test_a_store_of_a_newer_version_says_so(store):
    store.close()
    with sqlite3.connect(store.path) as raw:
        raw.execute(f"PRAGMA user_version = {VERSION + 1}")
    raw.close()
    with pytest.raises(TableError, match=f"version {VERSION + 1}; this onedial reads up to {VERSION}. Upgrade"):
        Store.open(store.path)


def test_a_path_that_cannot_hold_a_file_is_an_error(tmp_path):
    with pytest.raises(TableError, match="cannot be opened"):
        Store.open(tmp_path)


ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
WRITE_UNTIL_KILLED = """
import sys
from onedial.core.outcome import Outcome
from onedial.runtime.store import Store

store = Store.open(sys.argv[1])
index = 0
while True:
    store.add_outcomes([Outcome("a", "m", None, index + i, 1.0, "x") for i in range(5)])
    index += 5
    print(index, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill_and_batches_are_whole(store):
    store.close()
    writer = subprocess.Popen([sys.executable, "-c", WRITE_UNTIL_KILLED, store.path], stdout=subprocess.PIPE, text=True, env=ENV)
    try:
        for _ in range(12):
            acknowledged = int(writer.stdout.readline())
    finally:
        writer.kill()
        acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])
        writer.wait()
        writer.stdout.close()
    with Store.open(store.path) as again:
        stored = [o.sample_index for o in again.outcomes()]
    assert stored == list(range(len(stored))) and len(stored) % 5 == 0
    assert len(stored) >= acknowledged
