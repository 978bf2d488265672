"""`onedial.toml`, read and checked. What to do without one is decided elsewhere.

Every error names the file and the key, as in `onedial.toml: models[0].timeout_s: ...`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, field
from msgspec.structs import fields as fields_of

from onedial.core.errors import ConfigError, unknown
from onedial.core.model import Effort, Model
from onedial.core.usage import Price
from onedial.runtime.composed import parse_method
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.prices import list_price
from onedial.verifiers.equal.registry import EQUALS
from onedial.verifiers.extract import EXTRACTORS
from onedial.verifiers.verifier import VERIFIERS

CAPABILITIES = ("n", "logprobs", "seed", "continue", "cache")
UNIT_TESTS = "unit_tests"
"""Verifier and grader that run a program: with the tests in its query, and with those that are the query's reference."""
SET_BY_ONEDIAL = ("model", "messages", "n", "max_tokens", "max_completion_tokens", "stream")

Word = Annotated[str, Meta(min_length=1)]
Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[float, Meta(ge=0)]


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


class PriceTable(msgspec.Struct):
    """USD per million tokens."""

    input: NotNegative
    output: NotNegative
    cached: NotNegative | None = None


class EffortTable(msgspec.Struct):
    """One setting of the thinking dial; `prompt` goes with kind `prompt`, `max_thinking_tokens` with kind `cap`."""

    kind: Literal["level", "cap", "prompt"] = "level"
    body: dict[str, Any] = field(default_factory=dict)
    prompt: Word | None = None
    max_thinking_tokens: Positive | None = None


class ModelTable(msgspec.Struct):
    """One entry of `[[models]]`."""

    name: Word
    url: Word
    model: Word | None = None
    api_key_env: Word | None = None
    price: PriceTable | None = None
    context_tokens: Positive = 8192
    max_output_tokens: Positive = 1024
    capabilities: list[str] = field(default_factory=list)
    thinking_end: Word | None = None
    timeout_s: Annotated[float, Meta(gt=0)] = 300.0
    retries: Annotated[int, Meta(ge=0)] = 3
    usage_counts_one_choice: bool | None = None
    efforts: dict[str, EffortTable] = field(default_factory=dict)


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
    """A key that may use the gateway: its secret is in the environment, and what it may spend in all."""

    name: Word
    env: Word
    cap_usd: Annotated[float, Meta(gt=0)] | None = None
    cap_tokens: Positive | None = None
    cap_calls: Positive | None = None


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
        _refuse_other("answers.verifier", "verifier", file.answers.verifier, verifiers)
        _refuse_other("answers.grader", "grader", file.answers.grader, graders)
        _refuse_unfit_schema(file.answers)
        _refuse_unfit_programs(file.answers)
        return _checked(file, path)
    except _Wrong as error:
        raise ConfigError(f"{path}: {error}") from None


class _Wrong(Exception):
    """A key and what is wrong with it; the file is added by `load_config`."""


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
                raise _Wrong(f"{name}: {unknown('key', key, known)}")
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
        raise _Wrong(f"{at.strip('`').removeprefix('$.') or 'the file'}: {said}.") from None


def _checked(file: FileTable, path: Path) -> Config:
    endpoints: dict[str, Endpoint] = {}
    for i, table in enumerate(file.models):
        if table.name in endpoints:
            raise _Wrong(f"models[{i}].name: {table.name!r} is the name of another model already. Give this one its own.")
        endpoints[table.name] = _endpoint(table, f"models[{i}]")
    _refuse_other("answers.extract", "extractor", file.answers.extract, EXTRACTORS)
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
    )


def _endpoint(table: ModelTable, at: str) -> Endpoint:
    _refuse_unfit_name(f"{at}.name", table.name)
    if not re.match(r"https?://[^/]", table.url):
        raise _Wrong(f"{at}.url: {table.url!r} is not an address; expected one like 'http://localhost:8000/v1'.")
    for capability in table.capabilities:
        _refuse_other(f"{at}.capabilities", "capability", capability, CAPABILITIES)
    for label, effort in table.efforts.items():
        _refuse_unfit_effort(f"{at}.efforts.{label}", label, effort)
    efforts = tuple(Effort(label, effort.kind, effort.max_thinking_tokens) for label, effort in table.efforts.items())
    price, capabilities = _price(table, at), frozenset(table.capabilities)
    return Endpoint(
        model=Model(table.name, price, efforts, table.context_tokens, table.max_output_tokens, capabilities),
        url=table.url,
        upstream=table.model or table.name,
        api_key_env=table.api_key_env,
        effort_bodies={label: effort.body for label, effort in table.efforts.items()},
        effort_prompts={label: effort.prompt for label, effort in table.efforts.items() if effort.prompt},
        thinking_end=table.thinking_end,
        timeout_s=table.timeout_s,
        retries=table.retries,
        usage_counts_one_choice=table.usage_counts_one_choice,
    )


def _price(table: ModelTable, at: str) -> Price:
    """The price as written, else the list price of the provider that the address belongs to."""
    if table.price is not None:
        return Price(table.price.input, table.price.output, table.price.cached)
    upstream = table.model or table.name
    listed = list_price(upstream, table.url, table.context_tokens)
    if listed is None:
        raise _Wrong(
            f"{at}.price: no list price is known for {upstream!r} at {table.url}. Write it in USD per million tokens, "
            "as in price = { input = 0.5, output = 1.5 }; for a machine of your own, what a million tokens cost you there."
        )
    return listed


def _refuse_other(at: str, noun: str, name: str, known: Any) -> None:
    if name not in known:
        raise _Wrong(f"{at}: {unknown(noun, name, known)}")


def _refuse_unfit_method(at: str, method: str) -> None:
    try:
        parse_method(method)
    except ConfigError as error:
        raise _Wrong(f"{at}: {error}") from None


def _refuse_unfit_schema(answers: AnswersTable) -> None:
    if (answers.verifier == "json_schema") != (answers.schema is not None):
        must = "needs" if answers.schema is None else "has no use for"
        raise _Wrong(f"answers.schema: the verifier {answers.verifier!r} {must} a JSON schema, as a table [answers.schema].")


def _refuse_unfit_programs(answers: AnswersTable) -> None:
    for key, name in (("verifier", answers.verifier), ("grader", answers.grader)):
        if name == UNIT_TESTS and answers.extract != "code":
            raise _Wrong(f'answers.{key}: {name!r} runs programs, and {answers.extract!r} answers are none. Write extract = "code".')


def _refuse_unfit_name(at: str, name: str) -> None:
    """Names and labels are parts of arm ids such as `small/think=2/vote=8`."""
    if not name or re.search(r"[/=+\s]", name):
        raise _Wrong(
            f"{at}: {name!r} is part of arm ids like 'small/think=2'; expected no '/', '=', '+' or white space. Write another one."
        )


def _refuse_unfit_effort(at: str, label: str, effort: EffortTable) -> None:
    _refuse_unfit_name(at, label)
    for key in SET_BY_ONEDIAL:
        if key in effort.body:
            raise _Wrong(f"{at}.body.{key}: {key!r} is set by onedial for every request, and priced before it is sent. Remove it.")
    for kind, key, value in (("prompt", "prompt", effort.prompt), ("cap", "max_thinking_tokens", effort.max_thinking_tokens)):
        if (effort.kind == kind) != (value is not None):
            must = "needs" if effort.kind == kind else "has no use for"
            raise _Wrong(f"{at}.{key}: an effort of kind {effort.kind!r} {must} {key!r}.")
