"""What the gateway does with a request, whatever carries it: decide, answer or hand on, and remember why."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from onedial.apps.gateway.asking import Asked, asked
from onedial.apps.gateway.chat import question, topic
from onedial.apps.gateway.decisions import Decided, Decisions, told
from onedial.apps.gateway.keys import Doorkeeper, Key
from onedial.apps.gateway.relay import Relay, with_usage
from onedial.apps.gateway.trouble import Refused
from onedial.apps.gateway.watch import Watch
from onedial.apps.terminal import plain
from onedial.core.answer import Candidate
from onedial.core.arm import Arm, Source
from onedial.core.errors import BudgetExhausted, ConfigError
from onedial.core.objective import Objective
from onedial.core.outcome import Outcome
from onedial.core.query import Query
from onedial.core.usage import Usage
from onedial.engine.dial import Dial
from onedial.engine.fitted import Fit
from onedial.engine.promise import Promise
from onedial.engine.solve import Solved, unanswered
from onedial.runtime.driver import run
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.store import Store
from onedial.strategies.registry import steps_of

PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses of a model that say nothing about the request: another may answer it."""
PROMISES_KEPT = 1000
Answered = tuple[str, str, Usage, dict[str, Any]]
"""Model, text, usage and the `onedial` object."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A request under way at a model.

    Attributes:
        relay: It.
        source: The model and effort.
        skipped: Those that were to have it before and failed, each with why.
    """

    relay: Relay
    source: Source
    skipped: tuple[str, ...]


class Gateway:
    """Answers requests with a dial.

    Attributes:
        dial: The pool and the fit.
        default: What is aimed at where a request asks for nothing.
        door: Who may ask.
        decisions: What was decided lately.
        watch: What is counted.
    """

    def __init__(self, dial: Dial, default: Objective, door: Doorkeeper) -> None:
        self.dial, self.default, self.door = dial, default, door
        self.decisions, self.watch = Decisions(), Watch(dial.grant, door)
        self._promises: dict[Objective, Promise] = {}
        self._promised_by: Fit | None = None

    def asked(self, request: Mapping[str, Any], headers: Mapping[str, str]) -> Asked:
        """What a request asks for.

        Raises:
            Refused: 404 for a model that is not there.
            ConfigError: Anything else that cannot be done.
        """
        found = asked(request["model"], request.get("onedial"), headers, self.default)
        if found.arm is not None:
            try:
                self.dial.pool.model(found.arm.source.model).effort(found.arm.source.effort)
            except ConfigError as error:
                raise Refused(404, str(error), code="model_not_found") from None
        return found

    def promise(self, objective: Objective) -> Promise:
        """What is served for an objective; found once per fit.

        Raises:
            ConfigError: Nothing has been fitted.
            TargetUnreachable: It cannot be met.
        """
        fit = self.dial.fitted
        if fit is not self._promised_by:
            self._promises, self._promised_by = {}, fit
        if objective not in self._promises:
            if len(self._promises) >= PROMISES_KEPT:  # clients choose their goals
                del self._promises[next(iter(self._promises))]
            self._promises[objective] = self.dial.promise(objective)
        return self._promises[objective]

    def question(self, request: Mapping[str, Any]) -> Query | None:
        """The query of a plain question; None for a request that goes to one model as it stands."""
        return question(request, max(model.max_output_tokens for model in self.dial.pool.models.values()))

    def targets(self, request: Mapping[str, Any], query: Query | None, wish: Asked) -> tuple[Source, ...]:
        """The models that a request may go to as it stands, best first; none where it is a plain question, answered by what is best for it.

        Raises:
            ConfigError: It can only go to a model that takes any request, and there is none.
        """
        if wish.arm is not None:
            if wish.arm.strategy == "direct" and wish.arm.n == 1 and self._takes_all(wish.arm.source):
                return (wish.arm.source,)
            if query is None:
                raise ConfigError(f"{wish.arm} takes plain questions only: system text, one user turn, and no fields that tie its form.")
        return () if query is not None else self._routed(request, wish)

    def _takes_all(self, source: Source) -> bool:
        """Whether a request can go to it as it stands: to an endpoint, and not where the client itself keeps a cap on thought."""
        effort = self.dial.pool.model(source.model).effort(source.effort)
        return isinstance(self.dial.pool.client(source.model), OpenAIClient) and (effort is None or effort.native)

    def _routed(self, request: Mapping[str, Any], wish: Asked) -> tuple[Source, ...]:
        """The sources in the order in which one sample of them is worth most for this request."""
        assert wish.objective is not None
        objective = replace(wish.objective, commit="before")
        decision = self.dial.first_choice(topic(request), objective, self.promise(wish.objective))
        listed = [decision.arm.source] if decision.arm is not None else []
        listed += [one.arm.source for one in decision.outlooks if one.arm.n == 1]
        able = tuple(source for source in dict.fromkeys(listed) if self._takes_all(source))
        if not able:
            raise ConfigError(
                "this request has turns or fields that only an endpoint can take, and no model here is one. "
                "Ask a plain question, or configure endpoints in onedial.toml."
            )
        return able

    async def answer(self, name: str, query: Query, wish: Asked, key: Key) -> Answered:
        """Answer a plain question.

        Raises:
            OnedialError: It cannot be answered.
        """
        begun = time.perf_counter()
        if wish.arm is not None:
            return await self._pinned(name, query, wish.arm, key)
        assert wish.objective is not None
        promised = self.promise(wish.objective)
        solved = await self.dial.solve_for(query, wish.objective, promised, key.grant)
        overhead = 1e3 * max(0.0, time.perf_counter() - begun - solved.answer.spend.latency_s)
        self.watch.decided(1e-3 * overhead)
        return self._kept(name, key, solved, told(solved, promised, overhead))

    def _kept(self, name: str, key: Key, solved: Solved, said: dict[str, Any]) -> Answered:
        self.decisions.keep(name, Decided(key.name, said, solved.query, solved.chosen))
        return said["arm"] or "onedial", solved.answer.text or "", solved.answer.spend.usage, said

    async def _pinned(self, name: str, query: Query, arm: Arm, key: Key) -> Answered:
        answer = await run(steps_of(arm, query, self.dial.settings.reading), self.dial.pool, key.grant)
        if answer.text is None:
            raise unanswered(answer, f"{arm} brought no answer")
        usage, spend = answer.spend.usage, answer.spend
        said = {"arm": str(arm), "reason": "asked for by name", "stopped": answer.stopped, "calls": usage.calls}
        said |= {"bounded": usage.bounded, "cost_usd": spend.cost_usd}
        self.decisions.keep(name, Decided(key.name, said))
        return str(arm), answer.text, usage, said

    async def relay(self, name: str, sources: Sequence[Source], request: Mapping[str, Any], key: Key) -> Handed:
        """Hand a request on as it stands: to the first model, or before a byte has come to the next one where that one fails.

        Raises:
            BudgetExhausted: No model's worst case fits the key.
            Refused: The last one cannot be reached.
        """
        sent = {k: v for k, v in request.items() if k != "onedial"}
        sent, skipped = with_usage(sent) if sent.get("stream") else sent, list[str]()
        for source in sources[:-1]:
            try:
                relay = await self._opened(source, sent, key)
                if relay.status not in PASSING:
                    return self._handed(name, key, relay, source, skipped)
                await relay.whole()
                skipped.append(f"{source}: status {relay.status}")
            except (Refused, BudgetExhausted) as error:
                skipped.append(f"{source}: {error}")
        relay = await self._opened(sources[-1], sent, key)
        return self._handed(name, key, relay, sources[-1], skipped)

    async def _opened(self, source: Source, sent: Mapping[str, Any], key: Key) -> Relay:
        client = self.dial.pool.client(source.model)
        assert isinstance(client, OpenAIClient)
        return await Relay.open(client, source, sent, key.grant)

    def _handed(self, name: str, key: Key, relay: Relay, source: Source, skipped: Sequence[str]) -> Handed:
        said = {"arm": str(source), "reason": "handed on as it stands, to one model", "skipped": list(skipped)}
        self.decisions.keep(name, Decided(key.name, said))
        return Handed(relay, source, tuple(skipped))

    def decide(self, request: Mapping[str, Any], wish: Asked) -> dict[str, Any]:
        """What would be done first, without doing it."""
        if wish.arm is not None:
            return {"arm": str(wish.arm), "reason": "asked for by name"}
        assert wish.objective is not None
        promised = self.promise(wish.objective)
        decision = self.dial.first_choice(self.question(request) or topic(request), wish.objective, promised)
        return {
            "arm": None if decision.arm is None else str(decision.arm),
            "reason": decision.reason,
            "outlooks": plain(decision.outlooks),
            "promise": promised.sentence,
            "expected": {"quality": promised.quality, "cost_usd": promised.cost_usd},
        }

    def learn(self, one: Decided, score: float) -> None:
        """Store the score of an answer that was given, to be learned from at the next fit.

        Raises:
            Refused: 400 where there is nothing to learn from it.
        """
        query, chosen = one.query, one.chosen
        if query is None or chosen is None:
            raise Refused(400, "only answers that onedial chose can be scored; this one went to a model by name or as it stood.")
        with Store.open(self.dial.store_path) as store:
            store.add_queries([query])
            held = store.counts().get((query.id, chosen.source))
            store.add_outcomes([_outcome(query, chosen, score, 0 if held is None else held.next_index)])


def _outcome(query: Query, chosen: Candidate, score: float, index: int) -> Outcome:
    return Outcome(
        query_id=query.id,
        model=chosen.source.model,
        effort=chosen.source.effort,
        sample_index=index,
        score=score,
        answer=chosen.answer,
        input_tokens=None,
        output_tokens=chosen.output_tokens,
        cost_usd=None,
        latency_s=None,
        verifier_score=chosen.score,
        label_kind="feedback",
    )
