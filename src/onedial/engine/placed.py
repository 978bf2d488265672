"""Sources that joined after the fit: placed beside the known ones from a few probes, and kept next to the fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from onedial.core.arm import Source
from onedial.core.errors import ConfigError, TableError
from onedial.core.outcome import known_mean
from onedial.engine.fitted import Fit
from onedial.engine.recorded import Recorded
from onedial.forecasts.onboard import Placed, Placement, Probes, place
from onedial.runtime.whole import whole_file

MIN_PROBES = 8


def place_sources(fit: Fit, sources: Sequence[Source], unseen: Recorded) -> tuple[Placed, ...]:
    """Place sources by their outcomes on queries that the fit has not seen.

    Args:
        fit: What is known.
        sources: New ones.
        unseen: Outcomes of them on held-out queries.

    Raises:
        ConfigError: The fit knows a source already.
        TableError: Too few probes of one.
    """
    return tuple(_placed(fit, source, unseen) for source in sources)


def _placed(fit: Fit, source: Source, unseen: Recorded) -> Placed:
    if source in fit.forecast.sources:
        raise ConfigError(f"{source} is known to the fit already; place models that joined after it.")
    panel = unseen.panel
    draws = np.isfinite(panel.score[:, panel.sources.index(source)]).sum(axis=1) if source in panel.sources else np.zeros(0)
    rows = np.flatnonzero(draws)
    if rows.size < MIN_PROBES:
        raise TableError(
            f"{rows.size} held-out queries have a graded outcome of {source}; placing it needs {MIN_PROBES}. "
            f"Run `onedial collect --models {source.model}`."
        )
    own = panel.only((source,)).rows(rows)
    probes = Probes(
        np.nansum(own.score[:, 0], axis=1),
        draws[rows].astype(float),
        known_mean(own.output_tokens[:, 0], axis=1, otherwise=np.nan),
        own.input_tokens[:, 0],
    )
    return Placed(source, place(fit.forecast.latents(own.queries), probes), int(rows.size), int(draws[rows].max()))


def save_placed(path: Path, fit: Fit, placed: Sequence[Placed]) -> None:
    """Write to `path`, whole or not at all."""
    rows = [{"model": p.source.model, "effort": p.source.effort, "n": p.n, "depth": p.depth, **_plain(p.placement)} for p in placed]
    with whole_file(path) as partial:
        partial.write_text(json.dumps({"fit": fit.digest, "placed": rows}, indent=1), encoding="utf-8")


def load_placed(path: Path, fit: Fit) -> tuple[Placed, ...]:
    """Read what `save_placed` wrote; nothing where there is no such file, or where it belongs to another fit.

    Raises:
        ConfigError: The file is not one of these.
    """
    if not path.exists():
        return ()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_read(row) for row in found["placed"]) if found["fit"] == fit.digest else ()
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} does not hold placed models. Move it away, and run `onedial place` again.") from error


def _plain(placement: Placement) -> dict[str, Any]:
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(placement).items()}


def _read(row: dict[str, Any]) -> Placed:
    arrays: dict[str, Any] = {name: np.array(row[name], dtype=float) for name in ("mix", "line")}
    rest = {name: row[name] for name in ("base", "tokens_ratio", "input_ratio", "kappa", "pi0", "guess")}
    return Placed(Source(row["model"], row["effort"]), Placement(**arrays, **rest), row["n"], row["depth"])
