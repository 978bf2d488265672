"""Put a dial together: from `onedial.toml` where there is one, else from the embedded models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onedial.core.errors import ConfigError, TableError, unknown
from onedial.core.query import Query
from onedial.engine.dial import Dial
from onedial.engine.settings import Grader, Settings
from onedial.runtime.client import Client
from onedial.runtime.comparing import Apart
from onedial.runtime.composed import Composed
from onedial.runtime.config import UNIT_TESTS, Config, ServeTable, load_config
from onedial.runtime.pool import Pool
from onedial.runtime.sandbox import refuse_unfit_tests, run_tests
from onedial.runtime.sandbox_client import SandboxClient
from onedial.strategies.draw import Reading
from onedial.verifiers.equal.registry import EQUALS, Equal, named_equal
from onedial.verifiers.extract import Extractor, named_extractor, words
from onedial.verifiers.json_schema import json_schema
from onedial.verifiers.judges.unit_tests import unit_tests
from onedial.verifiers.verifier import VERIFIERS, Verifier

CONFIG = Path("onedial.toml")
DATA = Path("onedial-data")
GRADERS = {"reference": "reference", "lab": "exact", UNIT_TESTS: "unit-tests", **{name: f"{name}-match" for name in EQUALS}}
"""Graders by name, with what their scores are called in a certificate."""


def load(config: Path | str | None = None, data: Path | str | None = None, seed: int = 0) -> Dial:
    """Open a dial.

    Args:
        config: A configuration file; by default `onedial.toml` here if it exists, else the embedded models.
        data: Folder of outcomes and fit; by default what the configuration says, else `onedial-data/lab`.
        seed: Of splits and coins, and of the embedded models' samples.

    Raises:
        ConfigError: The configuration is missing or wrong.
    """
    path = Path(config) if config is not None else CONFIG
    if config is not None and not path.exists():
        raise ConfigError(f"there is no configuration file {path}. Write one, or leave it out to use the embedded models.")
    return configured(path, data, seed) if path.exists() else embedded(data, seed)


def _read(path: Path) -> Config | None:
    """The configuration, with every verifier and grader there is; None if there is no such file."""
    return load_config(path, verifiers=(*VERIFIERS, "json_schema", UNIT_TESTS, "lab"), graders=tuple(GRADERS))


def serve_table(config: Path | None) -> ServeTable:
    """What the configuration says of the gateway; nothing where there is no file."""
    found = _read(config or CONFIG)
    return ServeTable() if found is None or found.serve is None else found.serve


def embedded(data: Path | str | None = None, seed: int = 0, methods: Sequence[str] = ()) -> Dial:
    """A dial on the embedded models, graded by their exact checker, perhaps with methods that are run over them."""
    from onedial.lab.client import LabClient
    from onedial.lab.stepwise import lab_process

    settings = Settings(Reading(words, verifier("lab"), process=lab_process()), grader("lab"), GRADERS["lab"], seed=seed)
    return Dial(with_methods(LabClient(seed=seed), methods, settings.reading), Path(data or DATA / "lab"), settings)


def configured(path: Path, data: Path | str | None = None, seed: int = 0) -> Dial:
    """A dial on the endpoints of a configuration file; one that lists none has the embedded models.

    Raises:
        ConfigError: The file is wrong.
    """
    from onedial.runtime.openai import OpenAIClient
    from onedial.runtime.reward import RewardClient

    config = _read(path)
    assert config is not None
    folder = Path(data) if data is not None else config.store_path.parent
    if not config.models:
        return embedded(folder, seed, config.methods)
    extract = named_extractor(config.extract)
    settings = Settings(
        reading_of(config),
        grader(config.grader, extract),
        GRADERS[config.grader],
        seed=seed,
        samples=config.samples,
        store=config.store_path.name,
        check_reference=_refuse_unfit_tests if config.grader == UNIT_TESTS else None,
    )
    scorers = [RewardClient(config.rewards)] if config.rewards else []
    return Dial(with_methods(OpenAIClient(config.models), config.methods, settings.reading, scorers), folder, settings)


def with_methods(client: Client, methods: Sequence[str], reading: Reading, scorers: Sequence[Client] = ()) -> Pool:
    """The client's models, every method run over each of them, those that give scores, and the sandbox where answers are judged by it."""
    clients = [client, *scorers, *([] if reading.judge is None else [SandboxClient()])]
    return Pool([*clients, Composed(Pool(clients), methods, reading, list(client.models))] if methods else clients)


def reading_of(config: Config) -> Reading:
    """How a configuration says that answers are read and verified; a grader that is an equality also says which votes are for the same.

    Raises:
        ConfigError: The extractor or the verifier cannot be made.
    """
    extract = named_extractor(config.extract)
    equal = None if config.grader == "math" else EQUALS.get(config.grader)  # mathematics takes seconds, for which no vote waits
    if config.verifier == UNIT_TESTS:
        return Reading(extract, judge=unit_tests(), equal=equal)
    return Reading(extract, verifier(config.verifier, config.schema), equal=equal)


def verifier(name: str, schema: Mapping[str, Any] | None = None) -> Verifier:
    """Look a verifier up: those built in, with the schema where one is given, and the exact checker of the embedded models' questions.

    Raises:
        ConfigError: None has this name, or it cannot be made.
    """
    if name == "json_schema" and schema is not None:
        return json_schema(schema)
    if name == "lab":
        from onedial.lab.checker import lab_checker

        return lab_checker
    if name not in VERIFIERS:
        raise ConfigError(unknown("verifier", name, (*VERIFIERS, "json_schema", "lab")))
    return VERIFIERS[name]


def grader(name: str, extract: Extractor = words) -> Grader:
    """Look a grader up: equality with the reference, of some kind, or the exact checker of the embedded models' questions.

    Args:
        name: Key of `GRADERS`. `reference` compares what `extract` reads out of the reference; a key of `EQUALS` the reference as written.
        extract: Reads answers.

    Raises:
        ConfigError: None has this name, or a package that it needs is not installed.
    """
    if name == "lab":
        return _checked_exactly
    if name == UNIT_TESTS:
        return _passes
    if name in EQUALS:
        return _matched(Apart(name) if name == "math" else named_equal(name))
    if name not in GRADERS:
        raise ConfigError(unknown("grader", name, GRADERS))

    def equals_reference(query: Query, answer: str | None) -> float | None:
        return None if query.reference is None else float(answer is not None and answer == extract(query.reference))

    return equals_reference


def _matched(equal: Equal) -> Grader:
    def matches_reference(query: Query, answer: str | None) -> float | None:
        if query.reference is None:
            return None
        try:
            same = answer is not None and equal(answer, query.reference)
        except TableError as error:
            raise TableError(f"query {query.id!r}: {error}") from None
        return None if same is None else float(same)

    return matches_reference


def _passes(query: Query, answer: str | None) -> float | None:
    """Whether a program passes the tests that are the query's reference; blocks for as long as it may run."""
    if query.reference is None:
        return None
    return float(answer is not None and run_tests(answer, query.reference).verdict == "passed")


def _refuse_unfit_tests(query: Query) -> None:
    try:
        refuse_unfit_tests(query.reference or "")
    except TableError as error:
        raise TableError(f"query {query.id!r}: {error}") from None


def _checked_exactly(query: Query, answer: str | None) -> float | None:
    """No score for a question that is none of the lab's."""
    from onedial.lab.checker import grade
    from onedial.lab.families import family_of

    return None if family_of(query.prompt) is None else grade(query.prompt, answer)
