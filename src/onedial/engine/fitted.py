"""What fitting leaves behind: a forecast, a ladder of policies with what each was seen to reach, and the reference arm.

Stored as one npz file with a JSON header and a version; never a pickle.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from onedial.core.arm import Arm, Source
from onedial.core.errors import ConfigError
from onedial.core.outcome import Floats
from onedial.forecasts.forecast import Forecast
from onedial.forecasts.latents import Echo
from onedial.forecasts.learners.reader import Reader
from onedial.forecasts.token_signal import TokenSignal
from onedial.runtime.whole import whole_file

VERSION = 5


@dataclass(frozen=True, slots=True)
class Rungs:
    """What every rung of the joint ladder, worths first and then arms, reached on some queries, beside the reference arm.

    Attributes:
        quality: (n_rungs, n_queries).
        cost_usd: (n_rungs, n_queries).
        reference_quality: (n_queries,) quality of the reference arm.
        reference_cost_usd: (n_queries,) its cost.
    """

    quality: Floats
    cost_usd: Floats
    reference_quality: Floats
    reference_cost_usd: Floats


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted policy for every worth, frozen.

    Attributes:
        forecast: From text to latents.
        worths: (n_worths,) USD per unit of quality, rising: the first rungs.
        arms: Fixed arms on the training hull: the rungs after those.
        max_draws: (n_sources,) samples of each source at most.
        reference: The fixed arm of the highest quality on the training queries.
        train: What was reached on the training queries, their own outcomes unseen by their forecasts.
        proof: What was reached on held-out queries that nothing was chosen on; certificates come from these.
        label_kind: What the scores are.
        seed: Of the split and the forest.
    """

    forecast: Forecast
    worths: Floats
    arms: tuple[Arm, ...]
    max_draws: tuple[int, ...]
    reference: Arm
    train: Rungs
    proof: Rungs
    label_kind: str
    seed: int

    @property
    def digest(self) -> str:
        """Identifies the frozen policies: any change of forecast or ladder changes it."""
        found = blake2b(digest_size=8)
        arrays, header = _packed(self)
        for name in sorted(arrays):
            if not name.startswith(("train.", "proof.")):
                found.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
        found.update(json.dumps([header["sources"], header["reference"], header["arms"], self.max_draws]).encode())
        return found.hexdigest()

    def policy_hash(self, rung: int) -> str:
        """Identifies one rung."""
        return f"{self.digest}-{rung}"

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all."""
        arrays, header = _packed(self)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8), **arrays)

    @classmethod
    def load(cls, path: Path) -> Fit:
        """Read what `save` wrote.

        Raises:
            ConfigError: There is no such file, it is not a fit, or it is of a version not known here.
        """
        if not path.exists():
            raise ConfigError(
                f"nothing has been fitted yet: {path} does not exist. Run `onedial demo`, or `onedial collect` and `onedial fit`."
            )
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            header = json.loads(arrays.pop("header").tobytes())
        except (ValueError, KeyError, TypeError, OSError, EOFError, BadZipFile) as error:
            raise ConfigError(f"{path} is not a fit of onedial. Move it away, and run `onedial fit`.") from error
        if header.get("version") != VERSION:
            raise ConfigError(f"{path} is of version {header.get('version')}; expected {VERSION}. Run `onedial fit` again.")
        return _unpacked(arrays, header)


def _packed(fit: Fit) -> tuple[dict[str, Any], dict[str, Any]]:
    forecast = fit.forecast
    arrays: dict[str, Any] = {"worths": fit.worths, "line": forecast.line, "kappa": forecast.kappa, "pi0": forecast.pi0}
    arrays |= {"guess": forecast.guess, "input_ratio": forecast.input_ratio, "tokens_ratio": forecast.tokens_ratio}
    arrays["charged"] = forecast.charged
    arrays |= {f"reader.{name}": value for name, value in forecast.reader.arrays().items()}
    arrays |= {f"signal.{name}": np.asarray(value) for name, value in asdict(forecast.signal).items()}
    arrays |= {f"train.{name}": value for name, value in asdict(fit.train).items()}
    arrays |= {f"proof.{name}": value for name, value in asdict(fit.proof).items()}
    header = {
        "version": VERSION,
        "sources": [[s.model, s.effort] for s in forecast.sources],
        "sigma": forecast.sigma,
        "trap": forecast.trap,
        "learner": forecast.learner,
        "free_form": forecast.free_form,
        "echo": [forecast.echo.right, forecast.echo.wrong],
        "p_accept_right": forecast.p_accept_right,
        "p_accept_wrong": forecast.p_accept_wrong,
        "arms": [str(arm) for arm in fit.arms],
        "max_draws": fit.max_draws,
        "reference": str(fit.reference),
        "label_kind": fit.label_kind,
        "seed": fit.seed,
    }
    return arrays, header


def _unpacked(arrays: dict[str, Any], header: dict[str, Any]) -> Fit:
    def part(kind: Any, prefix: str) -> Any:
        return kind(**{f.name: arrays[f"{prefix}.{f.name}"] for f in fields(kind)})

    plain = ("line", "kappa", "pi0", "guess", "input_ratio", "tokens_ratio", "charged")
    forecast = Forecast(
        sources=tuple(Source(model, effort) for model, effort in header["sources"]),
        reader=Reader.from_arrays({name.removeprefix("reader."): value for name, value in arrays.items() if name.startswith("reader.")}),
        learner=header["learner"],
        signal=part(TokenSignal, "signal"),
        free_form=header["free_form"],
        echo=Echo(*header["echo"]),
        sigma=header["sigma"],
        trap=header["trap"],
        p_accept_right=header["p_accept_right"],
        p_accept_wrong=header["p_accept_wrong"],
        **{name: arrays[name] for name in plain},
    )
    return Fit(
        forecast=forecast,
        worths=arrays["worths"],
        arms=tuple(Arm.parse(arm) for arm in header["arms"]),
        max_draws=tuple(header["max_draws"]),
        reference=Arm.parse(header["reference"]),
        train=part(Rungs, "train"),
        proof=part(Rungs, "proof"),
        label_kind=header["label_kind"],
        seed=header["seed"],
    )
