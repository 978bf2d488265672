import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedial.core.arm import Arm, Source
from onedial.core.errors import ConfigError

NAMES = st.text("abcdefgh-.0123456789", min_size=1, max_size=8)
MODELS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@given(MODELS, st.none() | NAMES, st.sampled_from(["direct", "vote", "best", "cap"]), st.integers(1, 64))
def test_an_arm_is_read_back_from_its_id(model, effort, strategy, n):
    arm = Arm(Source(model, effort), strategy, 1 if strategy == "direct" else n)
    assert Arm.parse(str(arm)) == arm


def test_a_direct_arm_has_the_shortest_id():
    assert str(Arm(Source("small", "2"))) == "small/think=2" and str(Arm(Source("small"))) == "small"


def test_a_model_may_have_slashes_in_its_name():
    assert Arm.parse("host/org/small/think=low/vote=8") == Arm(Source("host/org/small", "low"), "vote", 8)
    assert Arm.parse("org/small").source == Source("org/small")
    assert Arm.parse("small (n=1)/vote=8") == Arm(Source("small (n=1)"), "vote", 8)


@pytest.mark.parametrize("text", ["small/think=2/vote", "small/=2", "small/think="])
def test_a_segment_that_is_no_pair_is_named(text):
    with pytest.raises(ConfigError, match="is not key=value, as in 'small/think=2/vote=8'"):
        Arm.parse(text)


def test_an_arm_without_a_sample_is_refused():
    with pytest.raises(ConfigError, match="n=0 samples; expected at least 1"):
        Arm(Source("small"), "vote", 0)
