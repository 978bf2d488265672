"""The page of claims names what is registered, with a picture each."""

import re
from pathlib import Path

from onedial.evals.claims.registry import CLAIMS

PAGE = Path(__file__).parents[2] / "docs" / "CLAIMS.md"


def test_every_registered_claim_has_its_row_its_section_and_its_picture():
    text = PAGE.read_text()
    assert re.findall(r"^\| \[([\w-]+)\]", text, re.MULTILINE) == list(CLAIMS)
    assert re.findall(r"^!\[.*\]\(images/claims/([\w-]+)\.png\)", text, re.MULTILINE) == list(CLAIMS)
