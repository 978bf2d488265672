"""What is believed of a query whose right answers differ from each other: every answer stands by itself.

A patch, an essay or a sentence is right or wrong whatever the others are. What is
known of a sample is its source, its tokens and a verifier's score; what ties samples
together is the state of the query that all share (see `latents.at_nodes`). Samples
of one text are right or wrong together, and that two sources write the same is
evidence by how often right and wrong samples do (`Echo`). The answer is the one
likeliest to be right. Looks like `Belief` to whoever uses it.

S is the number of sources, C that of samples drawn, K that of distinct answers, T that of states.

Source: THEORY.md sections 1 and 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.outcome import Floats, Ints
from onedial.core.roc import Roc
from onedial.forecasts.latents import Latents, at_nodes, log_run
from onedial.policies.belief import Look, Outlooks
from onedial.policies.blocks import BLOCKS, LOOKS
from onedial.policies.evidence import surprise
from onedial.policies.lengths import Lengths
from onedial.policies.prior import MAX_DRAWS

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples drawn so far, in order; arrays are (C,).

    Attributes:
        source: Row of each one's source; -1 for one that is not forecast.
        length: Log tokens less the forecast; NaN where unknown.
        score: Verifier score; NaN for none.
        draws: (S,) samples of each source.
        answer: Which distinct answer each one gave; a sample without one stands alone.
    """

    source: Ints
    length: Floats
    score: Floats
    draws: Ints
    answer: Ints

    @classmethod
    def of(cls, tried: Sequence[Candidate], sources: Sequence[Source], output_tokens: Floats) -> Samples:
        """Note what candidates show."""
        column = {source: j for j, source in enumerate(sources)}
        at = np.array([column.get(c.source, -1) for c in tried], dtype=np.int64)
        tokens = [(c.output_tokens, j) for c, j in zip(tried, at, strict=True)]
        length = [np.nan if n is None or j < 0 else surprise(n, float(output_tokens[j])) for n, j in tokens]
        score = [np.nan if c.score is None else c.score for c in tried]
        codes: dict[object, int] = {}
        answer = [codes.setdefault(i if c.answer is None else c.answer, len(codes)) for i, c in enumerate(tried)]
        draws = np.bincount(at[at >= 0], minlength=len(sources))
        return cls(at, np.array(length), np.array(score), draws, np.array(answer, dtype=np.int64))


class FreePrior:
    """The forecast latents of one query, by state.

    Attributes:
        success: (S, T) chance that one sample is right.
        log_weights: (T,) log chance of each state.
        lengths: What tokens say; None for nothing.
        p_check: Chance that the verifier has an opinion on the query.
        roc: How often it accepts right and wrong samples.
        echo: How often two sources write the same.
    """

    def __init__(self, latents: Latents, row: int, roc: Roc) -> None:
        """Tabulate the latents of one row."""
        mean, weights = at_nodes(latents.mu[[row]], latents.sigma, latents.beyond[[row]], latents.guess)
        self.mean, self._kappa, self._pi0 = mean[0], latents.kappa[:, None], latents.pi0[:, None]
        self.success: Floats = (1.0 - self._pi0) * self.mean
        self.log_weights = np.log(np.maximum(weights[0], 1e-12))
        self.lengths = Lengths(latents.signal, 1, weights[0]) if latents.signal else None
        self.p_check, self.roc, self.echo = float(latents.p_check[row]), roc, latents.echo

    def all_wrong(self, draws: Ints, more: int) -> Floats:
        """(S, T) chance that `more` samples of each source are all wrong after `draws` wrong ones."""
        none = np.array(0)
        runs = [log_run(none, n[:, None], self.mean, self._kappa, self._pi0) for n in (draws, draws + more)]
        return np.asarray(np.exp(runs[1] - runs[0]))


class FreeBelief:
    """The posterior of one query. Immutable.

    Attributes:
        right: (C,) chance that each sample is right.
        quality: The highest of these; 0 without any.
        pick: Which sample that is; None without any.
        p_check: Chance that the verifier has an opinion.
    """

    def __init__(self, prior: FreePrior, samples: Samples) -> None:
        """Weigh every state, and every sample, against the evidence."""
        self.prior, self._draws = prior, samples.draws
        known = samples.source >= 0
        p = np.where(known[:, None], prior.success[samples.source], 0.0)
        if_right, if_wrong = p * self._likelihood(samples, known, 1), (1.0 - p) * self._likelihood(samples, known, 0)
        grouped = [
            self._together(samples, np.flatnonzero(samples.answer == k), if_right, if_wrong)
            for k in range(1 + max(samples.answer, default=-1))
        ]
        right, whole = (np.array([g[i] for g in grouped]).reshape(len(grouped), len(prior.log_weights)) for i in (0, 1))
        log = prior.log_weights + np.log(np.maximum(whole, 1e-300)).sum(axis=0)
        weight = np.exp(log - log.max())
        self._states = weight / weight.sum()
        self._given_state = right / np.maximum(whole, 1e-300)
        self.right: Floats = (self._given_state @ self._states)[samples.answer] if grouped else np.zeros(0)
        self.pick = int(self.right.argmax()) if grouped else None
        self.quality = float(self.right.max()) if grouped else 0.0
        self._lead = self._given_state[samples.answer[self.pick]] if self.pick is not None else np.zeros_like(self._states)
        judged = bool(np.isfinite(samples.score).any())
        self.p_check = float(judged) if grouped else prior.p_check

    def _together(self, samples: Samples, members: Ints, if_right: Floats, if_wrong: Floats) -> tuple[Floats, Floats]:
        """(T,) likelihood of samples of one answer if it is right, and in all; a source counts once."""
        first = members[np.unique(samples.source[members], return_index=True)[1]]
        echo = self.prior.echo
        right = if_right[first].prod(axis=0) * echo.right ** (len(first) - 1)
        return right, right + if_wrong[first].prod(axis=0) * echo.wrong ** (len(first) - 1)

    def _likelihood(self, samples: Samples, known: Flags, right: int) -> Floats:
        """(C, T) likelihood of what each sample shows if it is right, or wrong."""
        found = np.ones((len(samples.source), len(self.prior.log_weights)))
        timed = len(set(samples.source[known & np.isfinite(samples.length)].tolist()))
        weight = self.prior.lengths.weight(timed) if self.prior.lengths else 1.0
        for i in np.flatnonzero(known):
            if self.prior.lengths and np.isfinite(samples.length[i]):
                found[i] *= self.prior.lengths.density(int(samples.source[i]), right, float(samples.length[i]), weight)
            if np.isfinite(samples.score[i]):
                found[i] *= self.prior.roc.likelihood(samples.score[i] >= 0.5, bool(right))
        return found

    def outlooks(self) -> Outlooks:
        """Value every block of every source; without a verifier one more sample of a source is all that a block is worth."""
        joint, best = self._next()
        quality = np.where((self._draws > 0)[:, None], self.quality, best.sum(axis=1)[:, None])
        whole = np.maximum(joint.sum(axis=2), 1e-300)
        look = Look(whole / whole.sum(axis=1, keepdims=True), np.minimum(best / whole, 1.0), joint / whole[..., None], self._missed())
        return Outlooks(np.repeat(quality, len(BLOCKS), axis=1), self._cover(), (look,) * len(LOOKS))

    def at_nodes(self) -> tuple[Floats, Floats]:
        """Value of every block if the state were known: vote and cover, each (S, blocks, T)."""
        vote = np.repeat(self.prior.success[:, None, :], len(BLOCKS), axis=1)
        cover = np.stack([1.0 - self.prior.all_wrong(np.zeros_like(self._draws), size) for size in BLOCKS], axis=1)
        return vote, cover

    def _next(self) -> tuple[Floats, Floats]:
        """(S, outcomes, T) chance of what one more sample shows, by state, and (S, outcomes) of the best answer's being right besides.

        Outcomes are bins of its length, first where it repeats the answer in the lead, then where it does not.
        """
        lead, echo = self._lead, self.prior.echo
        right, wrong = self._bins()
        same_right, same_wrong = right * lead * echo.right, wrong * (1.0 - lead) * echo.wrong
        new_right, new_wrong = right - same_right, wrong - same_wrong
        apart = new_right + new_wrong
        joint = np.concatenate((same_right + same_wrong, apart), axis=1)
        stays = right * lead * (1.0 - echo.right) + wrong * lead
        options = [new_right.sum(axis=2), stays.sum(axis=2)]
        if len(self._given_state):
            options.append(np.einsum("sbt,kt->sbk", apart, self._given_state).max(axis=2) * (len(self._given_state) > 1))
        return joint, np.concatenate((same_right.sum(axis=2), np.max(options, axis=0)), axis=1)

    def _bins(self) -> tuple[Floats, Floats]:
        """(S, bins, T) chance of each length of one more sample with each state, if it is right, and if it is wrong."""
        p = self.prior.success
        right, wrong = (p * self._states)[:, None], ((1.0 - p) * self._states)[:, None]
        if self.prior.lengths is None:
            return right, wrong
        bins = self.prior.lengths.bins(1).transpose(0, 3, 1, 2)
        return bins[:, :, 1] * right, bins[:, :, 0] * wrong

    def _cover(self) -> Floats:
        """(S, blocks) expected chance that a right sample is then among those drawn."""
        none_yet = np.prod(1.0 - self._given_state, axis=0) * self._states
        draws = np.minimum(self._draws, MAX_DRAWS)
        return np.stack([1.0 - self.prior.all_wrong(draws, size) @ none_yet for size in BLOCKS], axis=1)

    def _missed(self) -> Floats:
        """(S, T) what is believed of the states if one more sample of each source is wrong like all before."""
        none_yet = np.prod(1.0 - self._given_state, axis=0) * self._states
        left = np.maximum((1.0 - self.prior.success) * none_yet, 1e-300)
        return np.asarray(left / left.sum(axis=1, keepdims=True))
