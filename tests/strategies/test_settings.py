import pytest

from onedial.core.arm import Arm
from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.strategies.draw import Reading
from onedial.strategies.registry import SETTINGS, STRATEGIES, steps_of


def started(arm):
    return steps_of(Arm.parse(arm), Query("q", "2 + 2 ?"), Reading(verify=lambda query, answer: 0.5))


def test_a_setting_of_the_arm_reaches_its_strategy():
    assert next(started("small/certain=4/top=5")).top_logprobs == 5
    assert next(started("small/chains=9/ratio=9")).n == 1
    assert next(started("small/deepstop=16/warm=3")).n == 3


@pytest.mark.parametrize(("arm", "told"), [
    ("small/vote=4/keep=0.5", "unknown setting of 'vote' 'keep'"),
    ("small/deepconf=4/kep=0.5", "Did you mean 'keep'"),
    ("small/deepconf=4/keep=1.5", "setting 'keep' is '1.5'; expected a share above 0 and up to 1"),
    ("small/deepconf=4/keep=0", "a number above 0"),
    ("small/deepconf=4/keep=nan", "a number from 0"),
    ("small/deepconf=4/window=0", "a whole number from 1"),
    ("small/deepconf=4/top=-1", "a whole number from 0"),
    ("small/deepconf=4/measure=most", "one of mean, lowest, bottom, tail"),
    ("small/mix=4/others=@high", "models with commas between them"),
    ("small/mix=4/weights=1,x", "a number from 0"),
])  # fmt: skip
def test_a_setting_that_is_not_there_or_not_of_its_kind_is_an_error_that_says_what_is_expected(arm, told):
    with pytest.raises(ConfigError) as error:
        started(arm)
    assert told in str(error.value)


def test_settings_belong_to_registered_strategies():
    assert SETTINGS.keys() <= STRATEGIES.keys()
