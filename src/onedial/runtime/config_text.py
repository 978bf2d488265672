"""`onedial.toml`, written: entries of `[[models]]` as text with comments. Reading is in `config`; nothing is asked or guessed here."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from onedial.core.errors import ConfigError
from onedial.core.usage import Price
from onedial.runtime.endpoint import CONCURRENCY
from onedial.runtime.prices import list_price
from onedial.runtime.whole import whole_file

FILL_IN = "# price = { input = , output = } # FILL IN, in USD per million tokens, and remove the first #: no list price is known here"
ASSUMED_CONTEXT, ASSUMED_OUTPUT = 8192, 1024
"""What `onedial.toml` takes where nothing is written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model to be written; what is None or empty is left to the defaults of the file.

    Attributes:
        name: As arm ids will call it; see `free_name`.
        url: Base address.
        upstream: The model's name there.
        api_key_env: Environment variable that holds the key.
        price: As it was told; None takes the list price where one is known, and else a line to be filled in.
        context_tokens: As it was told.
        max_output_tokens: Upper bound of output tokens per sample.
        capabilities: Those shown or told.
        family: To be named; None where it is guessed from the address, or not known.
        efforts: Thinking levels that the family has.
        usage_counts_one_choice: As it was shown.
        timeout_s: Seconds for one attempt.
        retries: Further attempts.
        remarks: A comment line each, above the entry.
    """

    name: str
    url: str
    upstream: str
    api_key_env: str | None = None
    price: Price | None = None
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    capabilities: tuple[str, ...] = ()
    family: str | None = None
    efforts: tuple[str, ...] = ()
    usage_counts_one_choice: bool | None = None
    timeout_s: float | None = None
    retries: int | None = None
    remarks: tuple[str, ...] = ()

    @property
    def listed(self) -> Price | None:
        """The list price that holds where none is written; None if it is not known."""
        return list_price(self.upstream, self.url, self.context_tokens or ASSUMED_CONTEXT)

    @property
    def priced(self) -> bool:
        """Whether its price is known, so that the entry is accepted as it stands."""
        return self.price is not None or self.listed is not None


def free_name(wanted: str, taken: Collection[str]) -> str:
    """A name that arm ids can hold and no other model has, as near to the one wanted as may be.

    >>> free_name("Qwen/Qwen3-8B", []), free_name("small", ["small", "small-2"])
    ('Qwen-Qwen3-8B', 'small-3')
    """
    base = re.sub(r"[/=+\s]+", "-", wanted).strip("-") or "model"
    further = (f"{base}-{i}" for i in range(2, len(taken) + 3))
    return base if base not in taken else next(name for name in further if name not in taken)


def config_text(entries: Iterable[Entry], heading: Iterable[str]) -> str:
    """A whole file.

    Args:
        entries: The models, in the order wanted.
        heading: Comment lines at the top.
    """
    return "\n".join([*map(_comment, heading), "", *(_entry(entry) for entry in entries)])


def refuse_taken(path: Path, *, force: bool) -> None:
    """See whether a file may be written.

    Raises:
        ConfigError: There is one and it is not to be replaced, or there is no folder for it.
    """
    if path.exists() and not force:
        raise ConfigError(f"{path} exists already, and nothing was asked or written. Replace it with --force, or name another with --out.")
    if not path.parent.is_dir() or path.is_dir():
        raise ConfigError(f"{path} cannot be written: expected a file in a folder that exists. Name another with --out.")


def write_config(path: Path, text: str) -> None:
    """Write the file whole, or leave what was there."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _entry(entry: Entry) -> str:
    lines = [*map(_comment, entry.remarks), "[[models]]", *_address(entry), _price(entry), *_bounds(entry)]
    lines.append(f"capabilities = {_quoted(list(entry.capabilities))}")
    if entry.usage_counts_one_choice:
        lines.append("usage_counts_one_choice = true # its usage counts one of several choices")
    if entry.family:
        lines.append(f"family = {_quoted(entry.family)}")
    return "\n".join([*lines, *(f"[models.efforts.{_quoted(label)}]" for label in entry.efforts), ""])


def _address(entry: Entry) -> list[str]:
    lines = [f"name = {_quoted(entry.name)}", f"url = {_quoted(entry.url)}"]
    if entry.upstream != entry.name:
        lines.append(f"model = {_quoted(entry.upstream)}")
    if entry.api_key_env:
        lines.append(f"api_key_env = {_quoted(entry.api_key_env)}")
    if entry.timeout_s is not None:
        lines.append(f"timeout_s = {entry.timeout_s!r}")
    if entry.retries is not None:
        lines.append(f"retries = {entry.retries}")
    return [*lines, f"# concurrency = {CONCURRENCY} # requests under way at a time; lower it to what your account or server takes"]


def _price(entry: Entry) -> str:
    if entry.price is not None:
        return f"price = {_table(entry.price)} # USD per million tokens"
    listed = entry.listed
    return FILL_IN if listed is None else f"# price = {_table(listed)} # the list price, taken as long as none is written"


def _table(price: Price) -> str:
    cached = "" if price.cached_usd_per_mtok is None else f", cached = {price.cached_usd_per_mtok!r}"
    return f"{{ input = {price.input_usd_per_mtok!r}, output = {price.output_usd_per_mtok!r}{cached} }}"


def _bounds(entry: Entry) -> list[str]:
    context, output = entry.context_tokens, entry.max_output_tokens
    assumed = f"# context_tokens = {ASSUMED_CONTEXT} # not told, so this is assumed; correct it to what the model takes"
    usual = f"# max_output_tokens = {ASSUMED_OUTPUT} # per sample, thought included; every ask is held to it and reserved at it"
    return [
        assumed if context is None else f"context_tokens = {context}",
        usual if output is None else f"max_output_tokens = {output} # per sample, thought included",
    ]


def _comment(line: str) -> str:
    """A comment, whatever an endpoint or a file has put into it."""
    return ("# " + " ".join("".join(c if c.isprintable() else " " for c in line).split())).rstrip()


def _quoted(value: str | list[str]) -> str:
    """A TOML string, or an array of them: the escapes of JSON are TOML's too, but for DEL."""
    return json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f")
