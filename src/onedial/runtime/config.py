"""`onedial.toml`, read and checked. What to do without one is decided elsewhere.

Every error names the file and the key, as in `onedial.toml: models[0].timeout_s: ...`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, field
from msgspec.structs import fields as fields_of

from onedial.core.errors import ConfigError, unknown
from onedial.runtime.composed import parse_method
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.model_table import ModelTable, Positive, Word, Wrong, endpoint_of, refuse_other
from onedial.runtime.reward_table import RewardTable, reward_of
from onedial.runtime.reward_wire import RewardEndpoint
from onedial.verifiers.equal.registry import EQUALS
from onedial.verifiers.extract import EXTRACTORS
from onedial.verifiers.verifier import VERIFIERS

UNIT_TESTS = "unit_tests"
"""Verifier and grader that run a program: with the tests in its query, and with those that are the query's reference."""


@dataclass(frozen=True, slots=True)
class Config:
    """A checked configuration.

    Attributes:
        models: Endpoints in the order written; empty if the file lists none.
        extract: Key of `EXTRACTORS`.
        verifier: Key of `VERIFIERS`, `json_schema`, `unit_tests`, or another that the caller allows.
        schema: The JSON schema of the verifier `json_schema`; None with any other.
        grader: How outcomes are scored: `reference`, a key of `EQUALS`, `unit_tests`, or another that the caller allows.
        store_path: The outcome store; a relative path is taken from the folder of the file.
        samples: Samples to collect per (query, source).
        methods: Strategies to run over every model, such as `revise=3`: each makes one more model to choose.
        serve: The gateway's default goal and its keys.
        rewards: Reward models, which judges may ask.
    """

    models: tuple[Endpoint, ...]
    extract: str
    verifier: str
    schema: Mapping[str, Any] | None
    grader: str
    store_path: Path
    samples: int
    methods: tuple[str, ...] = ()
    serve: ServeTable | None = None
    rewards: tuple[RewardEndpoint, ...] = ()


class AnswersTable(msgspec.Struct):
    """How answers are read, verified and graded."""

    extract: str = "words"
    verifier: str = "none"
    schema: dict[str, Any] | None = None
    grader: str = "reference"


class StoreTable(msgspec.Struct):
    """Where outcomes are kept."""

    path: Word = "onedial-data/outcomes.db"


class GridTable(msgspec.Struct):
    """What is collected."""

    samples: Positive = 4
    methods: list[Word] = field(default_factory=list)


class KeyTable(msgspec.Struct):
    """A key that may use the gateway: its secret is in the environment, and what it may spend, in all or per period, and ask."""

    name: Word
    env: Word
    cap_usd: Annotated[float, Meta(gt=0)] | None = None
    cap_tokens: Positive | None = None
    cap_calls: Positive | None = None
    per: Literal["hour", "day", "month"] | None = None
    requests_per_minute: Positive | None = None


class ServeTable(msgspec.Struct):
    """What the gateway does where a request asks for nothing, and who may ask."""

    quality: Annotated[float, Meta(gt=0, le=1)] | None = None
    within: Annotated[float, Meta(ge=0, lt=1)] | None = None
    cost: Annotated[float, Meta(gt=0)] | None = None
    keys: list[KeyTable] = field(default_factory=list)


class FileTable(msgspec.Struct):
    """The whole file."""

    models: list[ModelTable] = field(default_factory=list)
    answers: AnswersTable = field(default_factory=AnswersTable)
    store: StoreTable = field(default_factory=StoreTable)
    grid: GridTable = field(default_factory=GridTable)
    serve: ServeTable = field(default_factory=ServeTable)
    rewards: list[RewardTable] = field(default_factory=list)


def load_config(
    path: Path | str,
    verifiers: Collection[str] = (*VERIFIERS, "json_schema", UNIT_TESTS),
    graders: Collection[str] = ("reference", *EQUALS, UNIT_TESTS),
) -> Config | None:
    """Read a configuration file; None if there is no such file.

    Args:
        path: The file.
        verifiers: Names that `answers.verifier` may have.
        graders: Names that `answers.grader` may have.

    Raises:
        ConfigError: It is not TOML, a key is unknown, a value is of the wrong kind, a name is used twice, or a price is not known.
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}.") from error
    try:
        _refuse_unknown("", raw, FileTable)
        file = _converted(raw)
        refuse_other("answers.verifier", "verifier", file.answers.verifier, verifiers)
        refuse_other("answers.grader", "grader", file.answers.grader, graders)
        _refuse_unfit_schema(file.answers)
        _refuse_unfit_programs(file.answers)
        return _checked(file, path)
    except Wrong as error:
        raise ConfigError(f"{path}: {error}") from None


def _refuse_unknown(where: str, found: Any, kind: Any) -> None:
    """Look for keys that no table has, wherever tables are nested."""
    args = get_args(kind)
    if get_origin(kind) is list and isinstance(found, list):
        for i, entry in enumerate(found):
            _refuse_unknown(f"{where}[{i}]", entry, args[0])
    elif get_origin(kind) is dict and isinstance(found, dict):
        for key, entry in found.items():
            _refuse_unknown(f"{where}.{key}", entry, args[1])
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(found, dict):
        known = {one.name: one.type for one in fields_of(kind)}
        for key, entry in found.items():
            name = f"{where}.{key}".lstrip(".")
            if key not in known:
                raise Wrong(f"{name}: {unknown('key', key, known)}")
            _refuse_unknown(name, entry, known[key])
    else:
        for option in args:
            if isinstance(option, type) and issubclass(option, msgspec.Struct):
                _refuse_unknown(where, found, option)


def _converted(raw: dict[str, Any]) -> FileTable:
    try:
        return msgspec.convert(raw, FileTable)
    except msgspec.ValidationError as error:
        said, _, at = str(error).partition(" - at ")
        said = said.replace("`", "").replace("Expected", "expected").replace(", got", ", found").replace("Object missing", "missing")
        raise Wrong(f"{at.strip('`').removeprefix('$.') or 'the file'}: {said}.") from None


def _checked(file: FileTable, path: Path) -> Config:
    endpoints: dict[str, Endpoint] = {}
    for i, table in enumerate(file.models):
        _refuse_taken(f"models[{i}].name", table.name, endpoints)
        endpoints[table.name] = endpoint_of(table, f"models[{i}]")
    _refuse_unfit_keys(file.serve.keys)
    rewards: dict[str, RewardEndpoint] = {}
    for i, entry in enumerate(file.rewards):
        _refuse_taken(f"rewards[{i}].name", entry.name, {*endpoints, *rewards})
        rewards[entry.name] = reward_of(entry, f"rewards[{i}]")
    refuse_other("answers.extract", "extractor", file.answers.extract, EXTRACTORS)
    for i, method in enumerate(file.grid.methods):
        _refuse_unfit_method(f"grid.methods[{i}]", method)
    return Config(
        models=tuple(endpoints.values()),
        extract=file.answers.extract,
        verifier=file.answers.verifier,
        schema=file.answers.schema,
        grader=file.answers.grader,
        store_path=path.parent / file.store.path,
        samples=file.grid.samples,
        methods=tuple(file.grid.methods),
        serve=file.serve,
        rewards=tuple(rewards.values()),
    )


def _refuse_taken(at: str, name: str, taken: Collection[str]) -> None:
    if name in taken:
        raise Wrong(f"{at}: {name!r} is the name of another model already. Give this one its own.")


def _refuse_unfit_method(at: str, method: str) -> None:
    try:
        parse_method(method)
    except ConfigError as error:
        raise Wrong(f"{at}: {error}") from None


def _refuse_unfit_keys(keys: list[KeyTable]) -> None:
    for i, key in enumerate(keys):
        if key.name in [other.name for other in keys[:i]]:
            raise Wrong(f"serve.keys[{i}].name: {key.name!r} is the name of another key already. Use another.")
        if key.per is not None and (key.cap_usd, key.cap_tokens, key.cap_calls) == (None, None, None):
            raise Wrong(f"serve.keys[{i}].per: {key.per!r} is a period of no cap. Add cap_usd, cap_tokens or cap_calls, or leave it out.")


def _refuse_unfit_schema(answers: AnswersTable) -> None:
    if (answers.verifier == "json_schema") != (answers.schema is not None):
        must = "needs" if answers.schema is None else "has no use for"
        raise Wrong(f"answers.schema: the verifier {answers.verifier!r} {must} a JSON schema, as a table [answers.schema].")


def _refuse_unfit_programs(answers: AnswersTable) -> None:
    for key, name in (("verifier", answers.verifier), ("grader", answers.grader)):
        if name == UNIT_TESTS and answers.extract != "code":
            raise Wrong(f'answers.{key}: {name!r} runs programs, and {answers.extract!r} answers are none. Write extract = "code".')
