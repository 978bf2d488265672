"""The page of strategies names what is registered, and nothing else."""

import re
from pathlib import Path

from onedial.strategies.registry import STRATEGIES

PAGE = Path(__file__).parents[2] / "docs" / "STRATEGIES.md"


def test_every_registered_strategy_has_its_row():
    assert sorted(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)) == sorted(STRATEGIES)
