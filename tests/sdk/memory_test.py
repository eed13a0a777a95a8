"""Memory stays where it is over thousands of requests."""
import json

import pytest

import craton
import wire
from families import FAMILIES

pytestmark = pytest.mark.skipif(craton.sanitized(), reason="a sanitizer keeps freed memory for itself")

ROUND = 1500


@pytest.fixture(scope="module")
def bare():
    """Without the journal, whose memory has a test of its own."""
    with craton.serving("--model", "none", "--journal", "0") as server:
        yield server


def rounds(server, requests, count):
    """Sends `requests` over and over on one connection until `count` are answered."""
    with wire.Connection(server, timeout=60) as connection:
        for number in range(count):
            connection.send(requests[number % len(requests)])
            assert connection.read().status != 500


def growth_kib(server, requests, count=ROUND):
    """What a second round adds, once a first one has filled every cache and pool."""
    rounds(server, requests, count)
    before = server.memory_kib()
    rounds(server, requests, count)
    return server.memory_kib() - before


def test_listing_and_getting_models_takes_no_memory(bare):
    targets = ["/foundation-models", "/foundation-models?byProvider=Meta", "/inference-profiles",
               "/foundation-models/anthropic.claude-3-haiku-20240307-v1:0",
               "/inference-profiles/us.amazon.nova-micro-v1:0"]
    assert growth_kib(bare, [wire.request("GET", target) for target in targets]) < 1024


def test_filters_that_nobody_asked_before_take_no_memory(bare):
    """Lists are kept per Region and filter: a caller who invents filters must not fill the memory."""
    def invented(start):
        return [wire.request("GET", f"/foundation-models?byProvider=nobody{start + number}")
                for number in range(ROUND)]
    rounds(bare, invented(0), ROUND)
    before = bare.memory_kib()
    for begin in (ROUND, 2 * ROUND, 3 * ROUND):
        rounds(bare, invented(begin), ROUND)
    assert bare.memory_kib() - before < 2048


def test_regions_that_nobody_asked_before_take_no_memory(bare):
    def invented(start):
        return [wire.request("GET", "/foundation-models", headers=[
            f"Authorization: AWS4-HMAC-SHA256 Credential=A/20261123/made-up-{start + number}/bedrock/"
            "aws4_request, SignedHeaders=host, Signature=0"]) for number in range(300)]
    rounds(bare, invented(0), 300)
    before = bare.memory_kib()
    for begin in (300, 600, 900, 1200):  # 1200 lists are 80 MB
        rounds(bare, invented(begin), 300)
    assert bare.memory_kib() - before < 4096


def test_refusals_take_no_memory(bare):
    targets = ["/nothing", "/guardrails", "/foundation-models?byInferenceType=X", "/%zz"]
    assert growth_kib(bare, [wire.request("GET", target) for target in targets]) < 1024


def test_invocations_take_no_memory(smol):
    requests = [wire.request("POST", f"/model/{family.model}/invoke",
                             json.dumps(family.body("Hi", tokens=1))) for family in FAMILIES]
    assert growth_kib(smol, requests, 140) < 4096


def test_refused_bodies_take_no_memory(smol):
    requests = [wire.request("POST", f"/model/{family.model}/invoke", body)
                for family in FAMILIES for body in ("{", "[" * 5000, '{"x": 1}', "{}")]
    assert growth_kib(smol, requests) < 1024


def test_new_connections_take_no_memory(bare):
    def connect(count):
        for _ in range(count):
            assert wire.ask(bare, "GET", "/health").status == 200
    connect(ROUND)
    before = bare.memory_kib()
    connect(ROUND)
    assert bare.memory_kib() - before < 1024


def test_an_idle_server_is_small():
    with craton.serving("--model", "none") as server:
        assert server.get("/foundation-models") == 200
        assert server.memory_kib() < 32 * 1024


@pytest.mark.parametrize("size", [100_000, 400_000, 900_000])
def test_the_journal_keeps_to_its_bound(size):
    """64 MiB of requests and answers, whatever is asked and whichever thread answers."""
    large = wire.request("POST", "/model/anthropic.claude-v2/converse", json.dumps(
        {"messages": [{"role": "user", "content": [{"text": "x" * size}]}]}).encode())
    with craton.serving("--model", "none") as server:
        before = server.memory_kib()
        for _ in range(10):  # each on a connection of its own, which any of the I/O threads may get
            rounds(server, [large], 50_000_000 // size)
        assert server.memory_kib() - before < 80 * 1024
