"""Whoever decodes leaves the setting of the process as it was."""

from contextlib import ExitStack

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from onedial.core.cores import one_core


def threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_the_limit_ends_with_the_last_one_inside_in_whatever_order():
    with threadpool_limits(2, "blas"):
        before = threads()
        first, second = ExitStack(), ExitStack()
        first.enter_context(one_core())
        second.enter_context(one_core())
        assert threads() == {1}
        first.close()
        assert threads() == {1}
        second.close()
        assert threads() == before
