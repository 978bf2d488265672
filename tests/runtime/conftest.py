import pytest

from upstream import Upstream, served


@pytest.fixture
async def upstream():
    async with served(Upstream()) as played:
        yield played
