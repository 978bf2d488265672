"""A verifier for answers that must be JSON of a given form. Needs the optional package `jsonschema`; nothing stands in for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.verifiers.equal.structure import read_json
from onedial.verifiers.verifier import Verifier

_REFERENCES = {"$ref", "$dynamicRef", "$recursiveRef"}


def json_schema(schema: Mapping[str, Any]) -> Verifier:
    """Make the verifier that gives 1 to an answer which is JSON and fits the schema, and 0 to any other.

    A Markdown fence around the answer is taken off. The dialect is the one that `$schema` names, else 2020-12; `format` is not
    checked, and nothing is fetched: a `$ref` must lead to a place in the schema itself. None for nesting beyond following.

    Raises:
        ConfigError: `jsonschema` is not installed, the schema is not one, or a `$ref` in it leads nowhere.
    """
    return _FitsSchema(schema)


class _FitsSchema:
    """The verifier; made anew where it is sent to another process."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema, self._checker = schema, _checker(schema)

    def __call__(self, query: Query, answer: str) -> float | None:
        try:
            value = read_json(answer)
        except ValueError:
            return 0.0
        return _verdict(self._checker, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return json_schema, (self._schema,)


def _verdict(checker: Any, value: Any) -> float | None:
    try:
        return float(checker.is_valid(value))
    except RecursionError:
        return None


def _checker(schema: Mapping[str, Any]) -> Any:
    try:
        from jsonschema.exceptions import SchemaError
        from jsonschema.validators import Draft202012Validator, validator_for
        from referencing import Registry
    except ImportError:
        raise ConfigError(
            "verifier 'json_schema' needs the package jsonschema, which is not installed. Run: pip install 'onedial[schema]'"
        ) from None
    dialect = validator_for(schema, default=None if "$schema" in schema else Draft202012Validator)
    if dialect is None:
        raise ConfigError(
            f"the JSON schema is in an unknown dialect, {schema['$schema']!r}. Correct `$schema`, or leave it out for 2020-12."
        )
    try:
        dialect.check_schema(schema)
    except SchemaError as error:
        raise ConfigError(f"the JSON schema is not one: at {error.json_path}, {error.message}. Correct it.") from None
    _refuse_dead_ends(schema, dialect)
    return dialect(schema, registry=Registry())


def _refuse_dead_ends(schema: Mapping[str, Any], dialect: Any) -> None:
    """Follow every reference in the schema, wherever one may stand, so that none is found to lead nowhere only by an answer."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import specification_with

    root = specification_with(dialect.META_SCHEMA["$schema"]).create_resource(schema)
    left = [(root, Registry().resolver_with_root(root))]
    while left:
        resource, resolver = left.pop()
        for key in _REFERENCES & (resource.contents.keys() if isinstance(resource.contents, Mapping) else set()):
            try:
                resolver.lookup(resource.contents[key])
            except Unresolvable as error:
                raise ConfigError(f"the JSON schema refers to {error.ref!r}, which is not in it. Put it there, under `$defs`.") from None
        left += [(inner, resolver.in_subresource(inner)) for inner in resource.subresources()]
