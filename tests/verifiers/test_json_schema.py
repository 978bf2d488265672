import pickle
import sys

import pytest

from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.verifiers.json_schema import json_schema

QUERY = Query("q", "?")
SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/$defs/count"}}, "$defs": {"count": {"type": "integer"}}}


@pytest.fixture
def installed():
    pytest.importorskip("jsonschema", reason="the extra `schema` is not installed")


@pytest.mark.parametrize(("answer", "score"), [
    ('{"n": 3}', 1.0),
    ('```json\n{"n": 3, "more": true}\n```', 1.0),
    ('{"n": 3.5}', 0.0),
    ('{"n": true}', 0.0),
    ("{}", 0.0),
    ("{'n': 3}", 0.0),
    ('{"n": 3, "n": 4}', 0.0),
    ("n is 3", 0.0),
])  # fmt: skip
def test_only_json_that_fits_scores(installed, answer, score):
    assert json_schema(SCHEMA)(QUERY, answer) == score


@pytest.mark.parametrize(("schema", "told"), [
    ({"type": "strng"}, "the JSON schema is not one: at .*type"),
    ({"$schema": "http://example.com/mine"}, "unknown dialect, 'http://example.com/mine'"),
])  # fmt: skip
def test_what_is_no_schema_is_refused_at_once(installed, schema, told):
    with pytest.raises(ConfigError, match=told):
        json_schema(schema)


@pytest.mark.parametrize("ref", ["#/$defs/missing", "http://127.0.0.1:9/schema.json"])
def test_a_reference_out_of_the_schema_is_an_error_and_never_fetched(installed, ref):
    with pytest.raises(ConfigError, match="which is not in it"):
        json_schema({"$ref": ref})


@pytest.mark.parametrize("schema", [
    {"properties": {"n": {"items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/missing"}]}}}},
    {"$defs": {"a": {"$ref": "#/$defs/b"}}},
    {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {"$ref": "#/definitions/b"}}},
])  # fmt: skip
def test_a_reference_that_leads_nowhere_is_found_when_the_verifier_is_made_wherever_it_stands(installed, schema):
    with pytest.raises(ConfigError, match="which is not in it"):
        json_schema(schema)


def test_it_can_be_sent_to_another_process(installed):
    sent = pickle.loads(pickle.dumps(json_schema(SCHEMA)))
    assert (sent(QUERY, '{"n": 3}'), sent(QUERY, "{}")) == (1.0, 0.0)


def test_what_only_looks_like_a_reference_is_let_be(installed):
    assert json_schema({"const": {"$ref": "#/nowhere"}})(QUERY, '{"$ref": "#/nowhere"}') == 1.0


def test_an_anchor_and_an_id_can_be_referred_to(installed):
    schema = {"$defs": {"a": {"$anchor": "n", "type": "integer"}, "b": {"$id": "http://h/b", "$ref": "#/$defs/c", "$defs": {"c": {}}}}}
    assert json_schema(schema | {"$ref": "#n"})(QUERY, "1") == 1.0


def test_a_schema_that_leads_round_in_circles_has_no_opinion(installed):
    assert json_schema({"$ref": "#"})(QUERY, "1") is None


def test_without_its_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    monkeypatch.setitem(sys.modules, "jsonschema.exceptions", None)
    with pytest.raises(ConfigError, match=r"pip install 'onedial\[schema\]'"):
        json_schema(SCHEMA)
