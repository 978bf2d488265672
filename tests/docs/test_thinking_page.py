"""The page of thinking budgets tells what the table of families holds."""

from pathlib import Path

from onedial.runtime.families import FAMILIES

PAGE = Path(__file__).parents[2] / "docs" / "THINKING.md"


def row(family):
    most = f" to {family.most_cap:,}" if family.most_cap else " or more" if family.cap else ""
    cap = f"`{'.'.join(family.cap)}`, {family.least_cap:,}{most}" if family.cap else "–"
    return f"| `{family.name}` | {', '.join(family.levels)} | {cap} | {', '.join(family.hosts) or 'to be named'} |"


def test_every_family_has_its_row_as_the_table_has_it():
    lines = PAGE.read_text().splitlines()
    begin = lines.index("| family | levels | hard cap, in tokens | guessed at |") + 2
    assert lines[begin : begin + len(FAMILIES) + 1] == [*map(row, FAMILIES), ""]
