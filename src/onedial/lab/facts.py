"""Questions over given facts, several hops deep: look up, then look up again."""

from __future__ import annotations

import re
from random import Random

from onedial.lab.tasks import Example, other, pick, stepped

PEOPLE = tuple("ABCDEFGHIJKLMNOPQRSTUVWX")
RELATIONS = ("friend", "boss", "teacher", "sister", "neighbor", "doctor")
_WORDINGS = (
    "facts : {facts} start with {start} . {hops} . who is it ?",
    "we know : {facts} begin at {start} and follow {hops} . who do you get ?",
    "facts : {facts} from {start} , {hops} : who ?",
)
_RELATION = "|".join(RELATIONS)
_FACT = re.compile(rf"([A-X]) ({_RELATION}) ([A-X]) ,")
_START = re.compile(r"(?:start with|begin at|from) ([A-X])\b")
_HOP = re.compile(rf"#\d+ ({_RELATION})")


class Facts:
    """Name the person that up to six relations lead to.

    The longest thoughts name each step's relation and then quote the fact.
    """

    name = "facts"
    difficulties = range(1, 7)

    def generate(self, rng: Random, difficulty: int) -> Example:
        """Make a question of `difficulty` hops among distracting facts."""
        people = rng.sample(PEOPLE, difficulty + 1)
        hops = [RELATIONS[pick(rng, 0, 5)] for _ in range(difficulty)]
        known = dict(zip(zip(people[:-1], hops, strict=True), people[1:], strict=True))
        for person, hop in zip(people[:-1], hops, strict=True):
            if rng.random() < 0.7:
                known[person, other(rng, RELATIONS, hop)] = other(rng, PEOPLE, person)
        for _ in range(pick(rng, 3, 5)):
            person = PEOPLE[pick(rng, 0, 23)]
            known.setdefault((person, RELATIONS[pick(rng, 0, 5)]), other(rng, PEOPLE, person))
        facts = list(known.items())
        rng.shuffle(facts)
        looks = [(f"{person} {hop}", found) for (person, hop), found in facts]
        walked = " ".join(f"#{i} {hop} {people[i - 1]} {hop} {people[i]}" for i, hop in enumerate(hops, 1))
        named = sorted(set(known.values()) - {people[-1]})
        wrong = named[pick(rng, 0, len(named) - 1)] if named else other(rng, PEOPLE, people[-1])
        found = people[1:]
        return Example(
            family=self.name,
            difficulty=difficulty,
            prompt=_WORDINGS[pick(rng, 0, 2)].format(
                facts=" ".join(f"{key} {value} ," for key, value in looks),
                start=people[0],
                hops=" ".join(f"#{i} {hop}" for i, hop in enumerate(hops, 1)),
            ),
            answer=found[-1],
            thoughts=("", stepped(found, 2), stepped(found, 1), walked),
            wrong=wrong,
            wrong_thought=stepped([*found[:-1], wrong], 1),
            looks=tuple(rng.sample(looks, len(looks))),
        )

    def owns(self, prompt: str) -> bool:
        """Say whether `prompt` is one of this family's questions."""
        return prompt.startswith(("facts :", "we know :"))

    def check(self, prompt: str, answer: str) -> bool:
        """Follow the hops in `prompt` and compare."""
        return self.states(prompt)[-1:] == [answer.strip()]

    def states(self, prompt: str) -> list[str]:
        """Who is found after every hop in `prompt`; empty where they lead nowhere."""
        prompt = prompt.split(" attempt : ")[0]
        start = _START.search(prompt)
        known = {(person, hop): found for person, hop, found in _FACT.findall(prompt)}
        walked = [start[1]] if start else []
        for hop in _HOP.findall(prompt) if start else ():
            if (walked[-1], hop) not in known:
                return []
            walked.append(known[walked[-1], hop])
        return walked[1:]

    def verify(self, prompt: str, answer: str) -> bool | None:
        """Return None: a bare name carries no evidence."""
        return None

    def examine(self, example: Example, proposal: str) -> tuple[str, str, str, str]:
        """Follow the hops again."""
        return example.thoughts
