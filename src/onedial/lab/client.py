"""The model client of the embedded models: real language models, in this process.

It turns asks into jobs and what was written into priced replies. Decoding is
done in `decoder.py`, in the threads of `worker.py`, one per model.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from onedial.core.ask import Completion, Failure, Sample, Samples
from onedial.core.errors import ConfigError, QueryError, unknown
from onedial.core.model import Effort, Model
from onedial.core.usage import Usage
from onedial.lab import weights
from onedial.lab.batch import Job, Written
from onedial.lab.decoder import PREFIX_BYTES, Decoder
from onedial.lab.dice import stream
from onedial.lab.llama import Llama
from onedial.lab.price import price_of
from onedial.lab.sampling import mode_after
from onedial.lab.shape import Shape
from onedial.lab.tasks import LEVELS
from onedial.lab.tokenizer import ANSWER, EOS, SPACE, THINK, VOCABULARY, decode, encode
from onedial.lab.worker import Worker

MAX_OUTPUT_TOKENS = 128
ANSWER_ROOM = 6
"""Tokens kept for `<ans>`, up to four words and `<eos>`; thoughts that would use them are cut."""
_SHORTEST = 3
"""`<ans>`, one word, `<eos>`."""

EFFORTS = tuple(Effort(str(level)) for level in range(LEVELS))


class LabClient:
    """Serves the embedded models.

    Attributes:
        models: The models by name, smallest first.
    """

    def __init__(
        self,
        models: Iterable[str] | None = None,
        seed: int = 0,
        folder: Path | None = None,
        prefix_bytes: int = PREFIX_BYTES,
    ) -> None:
        """Look up the weights; they are read when a model is first asked.

        Args:
            models: Names of the models to serve; None is all there are.
            seed: Makes another world of samples; equal asks under equal seeds get equal samples.
            folder: Where the weights files are; None is those of the package.
            prefix_bytes: Memory per model for the prompts read lately; zero turns that off, and no token is ever cached.

        Raises:
            ConfigError: A name is not known, or there are no usable weights.
        """
        found = weights.find(folder)
        names = list(found) if models is None else list(models)
        for name in names:
            if name not in found:
                raise ConfigError(unknown("embedded model", name, found))
        self._paths = {name: path for name, path in found.items() if name in names}
        self._seed, self._prefix_bytes = seed, prefix_bytes
        self.models: Mapping[str, Model] = {name: model_of(name, weights.read_shape(path)) for name, path in self._paths.items()}
        self._workers = {name: Worker(name, partial(self._decoder, name)) for name in self._paths}

    def input_tokens(self, ask: Sample) -> int:
        """Count the prompt tokens of an ask, exactly."""
        return len(self._prompt(ask))

    async def sample(self, ask: Sample) -> Samples | Failure:
        """Carry out one ask, together with all that are in flight.

        Raises:
            QueryError: The prompt is empty, or leaves no room for an answer.
            ConfigError: The model, its effort or a setting is not one of this client's.
            ModelError: The client was closed meanwhile.
        """
        begun = time.perf_counter()
        job = self._job(ask)
        await asyncio.wrap_future(self._workers[ask.source.model].submit(job))
        written = [one for one in job.written if one is not None]
        usage = Usage(
            calls=1,
            input_tokens=len(job.prompt),
            cached_tokens=job.cached,
            output_tokens=sum(len(one.tokens) for one in written),
            thinking_tokens=sum(one.thought for one in written),
        )
        return Samples(
            completions=tuple(completion(one, continued=bool(ask.continue_from)) for one in written),
            usage=usage,
            cost_usd=self.models[ask.source.model].price.cost_usd(usage),
            latency_s=time.perf_counter() - begun,
            applied_effort=ask.source.effort,
        )

    async def aclose(self) -> None:
        """End the threads; asks in flight fail."""
        await asyncio.gather(*(asyncio.to_thread(worker.close) for worker in self._workers.values()))

    def _decoder(self, name: str) -> Decoder:
        return Decoder(Llama(weights.load(self._paths[name])), self._prefix_bytes)

    def _prompt(self, ask: Sample) -> tuple[int, ...]:
        """Encode system text, then the rest, then the budget token, then the text to continue."""
        name = ask.source.model
        if name not in self.models:
            raise ConfigError(unknown("model", name, self.models))
        effort = self.models[name].effort(ask.source.effort)
        if effort is None:
            labels = ", ".join(effort.label for effort in EFFORTS)
            raise ConfigError(f"model {name!r} was asked without an effort; expected one of {labels}, as in '{name}/think=1'.")
        ordered = sorted(ask.messages, key=lambda message: message.role != "system")
        question = encode(" ".join(message.content for message in ordered))
        return (*question, THINK[int(effort.label)], *encode(ask.continue_from))

    def _job(self, ask: Sample) -> Job:
        prompt, name = self._prompt(ask), ask.source.model
        model, temperature = self.models[name], 1.0 if ask.temperature is None else ask.temperature
        if temperature < 0:
            raise ConfigError(f"temperature {temperature} is negative; expected 0 (the likeliest token) or more.")
        begun = encode(ask.continue_from)
        if len(prompt) == 1 + len(begun):
            raise QueryError(f"query {ask.query_id!r} has no token in it; expected some text to answer.")
        room = model.context_tokens - len(prompt)
        if room < _SHORTEST:
            raise QueryError(
                f"query {ask.query_id!r} takes {len(prompt)} tokens of model {name!r}, whose context is {model.context_tokens}; "
                f"an answer needs {_SHORTEST}. Shorten it to {model.context_tokens - _SHORTEST} tokens."
            )
        limit = min(room, model.max_output_tokens, ask.max_tokens or model.max_output_tokens)
        if limit < _SHORTEST - 1:
            raise QueryError(f"max_tokens is {limit}; `<ans>` and an answer need {_SHORTEST - 1}. Allow at least that many.")
        cap = limit if ask.max_thinking_tokens is None else ask.max_thinking_tokens
        cut = ask.in_steps and ask.max_tokens is not None
        if cut and limit <= ANSWER_ROOM:
            raise QueryError(f"a step of {limit} tokens leaves no thought beside an answer's {ANSWER_ROOM}. Allow at least one more.")
        return Job(
            prompt=prompt,
            n=ask.n,
            key=stream(self._seed, ask.query_id, name, ask.source.effort, prompt),
            limit=limit,
            deadline=max(int(cut), min(cap, limit - ANSWER_ROOM)),
            cut=cut,
            mode=mode_after(begun),
            first=ask.first_index,
            temperature=temperature,
            logprobs=ask.logprobs,
            top=ask.top_logprobs,
        )


def model_of(name: str, shape: Shape) -> Model:
    """Describe an embedded model of this shape."""
    return Model(
        name=name,
        price=price_of(shape),
        efforts=EFFORTS,
        context_tokens=shape.context,
        max_output_tokens=MAX_OUTPUT_TOKENS,
        capabilities=frozenset({"n", "logprobs", "seed", "continue", "thinking_cap", "cache"}),
    )


def completion(written: Written, continued: bool = False) -> Completion:
    """Turn tokens into thought and answer; what continues a text begins with a space where its first word does."""
    tokens = written.tokens
    stopped, opened = tokens[-1] == EOS, ANSWER in tokens
    lead = " " if continued and VOCABULARY[tokens[0]].startswith(SPACE) else ""
    text = decode(list(tokens[written.thought + opened : -1 if stopped else None]))
    return Completion(
        text=text if opened or not text else lead + text,
        thinking=lead * (written.thought > 0) + decode(list(tokens[: written.thought])),
        finish="stop" if stopped else "length",
        output_tokens=len(tokens),
        thinking_tokens=written.thought,
        logprobs=written.logprobs or None,
        confidences=written.confidences or None,
    )
