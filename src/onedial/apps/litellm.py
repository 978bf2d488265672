"""`onedial import litellm-config FILE`: a LiteLLM proxy's configuration file to an `onedial.toml`."""

from __future__ import annotations

from pathlib import Path

from onedial.apps.terminal import counted, screen, warn, write_json

NAMED = "litellm-config"
"""What stands in the place of a source, before the file."""


def take_litellm(file: Path, out: Path | None, *, force: bool, json: bool) -> None:
    """Write an `onedial.toml`, and say what could not be carried over on standard error.

    Raises:
        ConfigError: The file cannot be read, nothing of it can be carried over, or the target exists already.
    """
    from onedial.apps.workspace import CONFIG
    from onedial.runtime.config_text import config_text, refuse_taken, write_config
    from onedial.runtime.litellm_config import read_litellm

    out = out or CONFIG
    refuse_taken(out, force=force)
    carried = read_litellm(file)
    heading = [f"Carried over from {file.name}. What models can do is not in such a file: look with `onedial doctor`."]
    write_config(
        out, config_text(carried.entries, [*heading, "Not carried over, or changed:" if carried.left_out else "", *carried.left_out])
    )
    unpriced = [entry.name for entry in carried.entries if not entry.priced]
    if json:
        models = [entry.name for entry in carried.entries]
        write_json({"file": out, "models": models, "prices_to_fill_in": unpriced, "left_out": carried.left_out})
        return
    for sentence in carried.left_out:
        warn(sentence)
    screen().print(f"Wrote {counted(len(carried.entries), 'model')} to {out}.", soft_wrap=True)
    ask_for_prices(out, unpriced)


def ask_for_prices(out: Path, unpriced: list[str]) -> None:
    """Say which prices have to be filled in before the file is accepted, else what to do next."""
    if unpriced:
        warn(f"No price is known of {', '.join(unpriced)}. Fill in the lines marked FILL IN of {out}: it is not accepted before.")
    screen().print("Next: onedial doctor")
