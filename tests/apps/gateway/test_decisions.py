"""Asking what would be done, why it was done, and telling how it went."""

import json

import pytest

from onedial.runtime.store import Store
from requests_to import get, post, said

ASK = {"model": "onedial", "messages": [{"role": "user", "content": "modulo 10 , begin at 7 and do #1 plus 5 . what do you get ?"}]}


def test_a_decision_can_be_had_without_spending(lab):
    gateway, url = lab
    found = json.loads(post(url, ASK, "/v1/decide")[1])
    assert found["arm"].startswith("tiny/") and found["reason"] and found["expected"]["cost_usd"] > 0
    assert gateway.dial.grant.usage.calls == 0


def test_why_is_remembered_and_a_score_is_learned_from(lab):
    gateway, url = lab
    _, data, headers = post(url, ASK)
    name = headers["x-request-id"]
    assert get(url, f"/v1/decisions/{name}")["onedial"]["drawn"] == json.loads(data)["onedial"]["drawn"]
    status, data, _ = post(url, {"id": name, "score": 0.5}, "/v1/feedback")
    assert status == 200 and json.loads(data)["stored"]
    with Store.open(gateway.dial.store_path) as store:
        [told] = [o for o in store.outcomes() if o.label_kind == "feedback"]
        assert told.score == 0.5 and told.query_id in {q.id for q in store.queries()}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"id": "nobody", "score": 1.0}, 404, "no request"),
        ({"id": "x", "score": 2.0}, 400, "from 0 to 1"),
        ({"id": "x"}, 400, "not understood"),
    ],
)
def test_feedback_that_fits_nothing_is_refused(lab, body, status, words):
    found, data, _ = post(lab[1], body, "/v1/feedback")
    assert found == status and words in said(data)["message"]


def test_it_says_whether_it_is_alive_and_ready(lab):
    assert get(lab[1], "/healthz")["status"] == "ok"
    assert get(lab[1], "/readyz")["promise"]
