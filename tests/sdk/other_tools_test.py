"""The tables of docs/script.md, "Coming from another tool": each rule is held against a request that it
is for, and one that it is not."""
import json
import re
import time

import botocore.exceptions
import pytest

import craton
import wire
from craton import refusal

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
NOVA = "amazon.nova-lite-v1:0"
SECTION = re.search(r"^## Coming from another tool$(.*)", (craton.SOURCE / "docs" / "script.md").read_text(
    encoding="utf-8"), re.S | re.M)[1]
# What has a rule in its second cell: {"`toolName: …`": "{match: …}"}
ROWS = dict(re.findall(r"^\| (.+?) \| `(\{.*\})` \|$", SECTION, re.M))

TOOL = {"toolConfig": {"tools": [{"toolSpec": {
    "name": "get_weather", "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}}}}]}}


@pytest.fixture(scope="module")
def server():
    with craton.serving("--model", "none") as server:
        yield server


def bind(server, row):
    """Of a row that is one rule, or all that a rules file has."""
    rules = row if row.startswith("{rules:") else f"rules:\n  - {row}"
    server.admin("POST", "bindings", {"pattern": "*", "rules": rules})


@pytest.fixture(autouse=True)
def clean(server):
    server.admin("POST", "reset")


def user(text):
    return {"role": "user", "content": [{"text": text}]}


def results(text, call="call_1"):
    return [user("Weather?"), {"role": "assistant", "content": [{"toolUse": {
        "toolUseId": call, "name": "get_weather", "input": {}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": call, "content": [{"text": text}]}}]}]


def ask(server, text="hi", model=HAIKU, headers=None, stream=False, **more):
    """The answer, or a stream's events."""
    client = craton.session().client(
        "bedrock-runtime", region_name="us-east-1", endpoint_url=server.url,
        config=craton.botocore.config.Config(retries={"total_max_attempts": 1}, proxies={}))
    client.meta.events.register(
        "before-call.bedrock-runtime", lambda params, **_: params["headers"].update(headers or {}))
    arguments = {"modelId": model, "messages": [user(text)], **more}
    return list(client.converse_stream(**arguments)["stream"]) if stream else client.converse(**arguments)


def text_of(answer):
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])


def answers(text, fits, misses=None):
    """The rule answers the first request with that text, and not the second."""
    def check(server):
        assert text_of(ask(server, **fits)) == text
        if misses is not None:
            refused = refusal(ask, server=server, **misses)
            assert refused.type == "ResourceNotFoundException" and "has no rule" in refused.message
    return check


def raises(*errors, most=None, stream=False):
    """The answer breaks, in boto3's words; within `most` seconds."""
    def check(server):
        began = time.monotonic()
        with pytest.raises(errors):
            ask(server, stream=stream)
        assert most is None or time.monotonic() - began < craton.patience(most)
    return check


def schema(server):
    fitting = {"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {
        "name": "a", "schema": '{"type":"object","properties":{"ok":{"type":"boolean"}},'
                               '"required":["ok"],"additionalProperties":false}'}}}}}
    assert json.loads(text_of(ask(server, model="us.anthropic.claude-sonnet-4-5-20250929-v1:0", **fitting))) == {"ok": True}
    refusal(ask, server=server)


def endpoint(server):
    assert text_of(ask(server)) == "Hi."
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [
        {"role": "user", "content": "hi"}]})
    assert wire.ask(server, "POST", f"/model/{HAIKU}/invoke", body=body).status == 404


def second(server):
    refusal(ask, server=server, text="plan")
    assert text_of(ask(server, "plan")) == "Second."
    refusal(ask, server=server, text="plan")


def states(server):
    assert [text_of(ask(server, "plan")) for _ in range(3)] == ["First.", "Second.", "First."]


def reasoning(server):
    first, then = ask(server)["output"]["message"]["content"]
    assert first["reasoningContent"]["reasoningText"]["text"] == "Two and two." and then["text"] == "Four."


def calls(server):
    call = ask(server, **TOOL)["output"]["message"]["content"][0]["toolUse"]
    assert (call["toolUseId"], call["name"], call["input"]) == ("call_1", "get_weather", {"city": "Seoul"})
    starts = [event["contentBlockStart"]["start"]["toolUse"] for event in ask(server, stream=True, **TOOL)
              if "contentBlockStart" in event]
    assert starts[0]["toolUseId"] == "call_1"


def tool(server):
    call = ask(server, **TOOL)["output"]["message"]["content"][0]["toolUse"]
    assert (call["name"], call["input"]) == ("get_weather", {"city": "Seoul"})
    refusal(ask, server=server)


def blocks(server):
    call, text = ask(server)["output"]["message"]["content"]
    assert call["toolUse"]["name"] == "f" and text == {"text": "Done."}


def ending(server):
    answer = ask(server)
    assert answer["stopReason"] == "max_tokens"
    assert (answer["usage"]["inputTokens"], answer["usage"]["outputTokens"]) == (7, 9)


def throttled(server):
    refused = refusal(ask, server=server)
    assert (refused.type, refused.status, refused.message) == ("ThrottlingException", 429, "Later.")
    assert refused.headers["x-amz-retry-after"] == "1000"


def once(server):
    refused = refusal(ask, server=server)
    assert (refused.type, refused.message) == ("ThrottlingException", "Later.")
    assert text_of(ask(server)) == "Hi."


def paced(server):
    began = time.monotonic()
    pieces = [event["contentBlockDelta"]["delta"]["text"] for event in ask(server, stream=True)
              if "contentBlockDelta" in event]
    assert pieces == ["a b c", " d e f"]
    assert time.monotonic() - began > 0.02


def slow(text):
    def check(server):
        began = time.monotonic()
        assert text_of(ask(server)) == text and time.monotonic() - began > 0.05
    return check


def sliced(server):
    events = ask(server, stream=True)
    assert "messageStart" in events[0] and "metadata" in events[-1]


def malformed(server):
    answer = ask(server)
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-craton-fault"] == "malformed"
    assert "output" not in answer, "boto3 takes what it cannot read for nothing"


def fails(server):
    assert refusal(ask, server=server).type == "InternalServerException"


BROKEN = (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError,
          botocore.exceptions.ResponseStreamingError)
STREAM_BROKEN = Exception
BOUGHT = {"text": "please buy now!"}
TURNS = [user("a"), {"role": "assistant", "content": [{"text": "b"}]}, user("c")]
CASES = {
    '`userMessage: "hello"`': answers("Hi.", {"text": "oh hello you"}, {"text": "Hello"}),
    "`userMessage: /^hel+o/i`": answers("Hi.", {"text": "HELLLO you"}, {"text": "oh hello"}),
    '`systemMessage: ["Alice", "pirate"]`': answers(
        "Arr.", {"system": [{"text": "You are a pirate."}, {"text": "I am Alice."}]}, {"system": [{"text": "Alice"}]}),
    "`systemMessage: /pirate/`": answers("Arr.", {"system": [{"text": "a pirate"}]}, {}),
    '`model: "anthropic.claude-3-haiku-…"`': answers("Hi.", {}, {"model": NOVA}),
    "`model: /claude-3-[hs]/`": answers("Hi.", {}, {"model": NOVA}),
    '`toolName: "get_weather"`': tool,
    '`toolCallId: "call_1"`': answers("It is 21.", {"messages": results("21"), **TOOL},
                                      {"messages": results("21", "call_2"), **TOOL}),
    '`toolResultContains: "approved"`': answers("Done.", {"messages": results("was approved"), **TOOL},
                                                {"messages": results("cancelled"), **TOOL}),
    "`hasToolResult: true`": answers("Done.", {"messages": results("21"), **TOOL}, {}),
    "`turnIndex: 1`": answers("Again.", {"messages": TURNS}, {}),
    "`sequenceIndex: 1`": second,
    '`responseFormat: "json_schema"`': schema,
    '`endpoint: "chat"`': endpoint,
    '`context: "checkout"`': answers("Hi.", {"headers": {"X-Context": "checkout"}}, {"headers": {"X-Context": "x"}}),
    "`predicate: (req) => req.temperature === 0`": answers(
        "Cold.", {"inferenceConfig": {"temperature": 0}}, {"inferenceConfig": {"temperature": 1}}),
    "`content`, `reasoning`": reasoning,
    "`toolCalls`, `id`": calls,
    "`blocks`": blocks,
    "`finishReason`, `usage`": ending,
    "a response that is a function": answers("In Seoul, you said weather in Seoul.", {"text": "weather in Seoul"}, {}),
    "`error`, `status: 429`, `retryAfter: 1`": throttled,
    "`latency`, `chunkSize`, `streamingProfile`": paced,
    "`truncateAfterChunks: 3`": raises(STREAM_BROKEN, stream=True),
    "`disconnectAfterMs: 50`": raises(STREAM_BROKEN, stream=True, most=5),
    "`chaos: {dropRate: 1}`": fails,
    "`chaos: {malformedRate: 1}`": malformed,
    "`chaos: {disconnectRate: 1}`": raises(*BROKEN),
    "a model's response": answers("Hi.", {}, {"model": NOVA}),
    "a response rule with `promptContains`": answers("spam", BOUGHT, {**BOUGHT, "model": NOVA}),
    "a fault of a model and an operation, with a count": once,
    "`urlPathPattern`": answers("Hi.", {}, {"model": NOVA}),
    "`headers: {x-team: {equalTo: search}}`": answers("Hi.", {"headers": {"X-Team": "search"}}, {}),
    "`headers: {x-team: {absent: true}}`": answers("Hi.", {}, {"headers": {"X-Team": "search"}}),
    "`bodyPatterns: [{matchesJsonPath: …}]`": answers("Hi.", {"text": "oh hello"}, {"text": "no"}),
    "a scenario's states": states,
    "`transformers: [response-template]`": answers(f"{HAIKU} was asked hi", {}),
    "`fixedDelayMilliseconds`": slow("Hi."),
    "`chunkedDribbleDelay`": sliced,
    "`fault: CONNECTION_RESET_BY_PEER`": raises(*BROKEN),
}


def test_every_row_has_a_case():
    assert list(ROWS) == list(CASES)


@pytest.mark.parametrize("row", list(CASES))
def test_a_rule_does_what_the_other_tool_s_did(server, row):
    bind(server, ROWS[row])
    CASES[row](server)
    assert server.get("/health") == 200
