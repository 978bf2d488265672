"""The client against a real llama.cpp server, which reports the tokens of one choice only."""

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.errors import QueryError
from onedial.core.model import Effort, Model
from onedial.core.query import Message
from onedial.core.usage import Price
from onedial.lab import weights
from onedial.lab.export import export_gguf
from onedial.lab.mix import queries
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.probe import probe_choices

PROMPT = queries(1, seed=1, split="test")[0].example.prompt


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Where the smallest embedded model is served."""
    xllamacpp = pytest.importorskip("xllamacpp", reason="the extra `llamacpp` is not installed")
    params = xllamacpp.CommonParams()
    params.model.path = str(export_gguf(next(iter(weights.find())), tmp_path_factory.mktemp("gguf") / "model.gguf"))
    params.n_ctx, params.n_parallel, params.port, params.warmup, params.verbosity = 1024, 4, 0, False, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    yield server.listening_address + "/v1"
    del server


@pytest.fixture
async def client_of(url):
    clients = []

    def make(*capabilities):
        efforts = tuple(Effort(str(level)) for level in range(4))
        bodies = {effort.label: {"chat_template_kwargs": {"budget": effort.label}} for effort in efforts}
        model = Model("m", Price(1, 1), efforts, max_output_tokens=40, capabilities=frozenset(capabilities))
        clients.append(OpenAIClient([Endpoint(model, url, "m", effort_bodies=bodies, thinking_end="<ans>")]))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


def ask(n, effort="3", text=PROMPT):
    return Sample("q", Source("m", effort), (Message("user", text),), n)


@pytest.mark.parametrize("capabilities", [(), ("n",), ("n", "logprobs")])
async def test_it_counts_one_choice_and_the_probe_finds_out(client_of, capabilities):
    probed = await probe_choices(client_of(*capabilities), "m")
    assert probed.returns_n and probed.counts_one_choice


async def test_several_choices_in_one_reply_are_counted_by_what_it_proves(client_of):
    reply = await client_of("n", "logprobs").sample(ask(4))
    assert (reply.usage.calls, reply.usage.bounded) == (1, False)
    assert reply.usage.output_tokens == sum(c.output_tokens for c in reply.completions)
    assert not any("<ans>" in c.text + c.thinking for c in reply.completions)


async def test_without_proof_the_first_reply_is_billed_no_lower_than_the_truth_and_later_ones_at_it(client_of):
    client = client_of("n")
    first, second = await client.sample(ask(4)), await client.sample(ask(4))
    assert first.usage.bounded and first.usage.output_tokens == 4 * 40
    assert (second.usage.calls, second.usage.bounded) == (4, False)


async def test_an_effort_changes_how_much_is_thought(client_of):
    client = client_of()
    none, much = await client.sample(ask(4, "0")), await client.sample(ask(4, "3"))
    assert none.usage.output_tokens < much.usage.output_tokens


async def test_a_prompt_that_does_not_fit_is_an_error_of_the_query(client_of):
    with pytest.raises(QueryError, match="does not fit this model"):
        await client_of().sample(ask(1, "0", f"{PROMPT} " * 200))
