"""What several rooms' tests share: a real engine, started once for all of them."""

import pytest

from engines.llama_cpp import served
from onedial.lab import weights


@pytest.fixture(scope="session")
def llama_cpp(tmp_path_factory):
    """A llama.cpp server for every embedded model."""
    for package in ("xllamacpp", "gguf"):
        pytest.importorskip(package, reason="the extra `llamacpp` is not installed")
    with served(list(weights.find()), tmp_path_factory.mktemp("llama_cpp")) as engine:
        yield engine
