import pytest

from onedial.core.errors import ConfigError
from onedial.core.objective import Objective


def test_an_objective_has_one_goal():
    with pytest.raises(ConfigError, match="one of quality, within or budget; found 2"):
        Objective(quality=0.9, within=0.02)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"quality": 92}, r"quality target 92 is not in \(0, 1\]; 0.92 means 92 % right"),
        ({"within": 1.0}, r"within 1.0 is not in \[0, 1\)"),
        ({"budget_usd": 0.0}, "budget_usd is 0.0; expected a positive number"),
        ({"quality": 0.9, "max_calls": -1}, "max_calls is -1"),
        ({"quality": 0.9, "commit": "later"}, "expected 'before' or 'anytime'"),
    ],
)
def test_what_is_out_of_range_is_told_with_an_example(fields, said):
    with pytest.raises(ConfigError, match=said):
        Objective(**fields)
