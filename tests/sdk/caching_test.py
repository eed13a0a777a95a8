"""Prompt caching as boto3 sees it: what is marked is computed once and told apart."""
import json
from concurrent import futures

import pytest

import craton

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
RULES = " ".join(f"Rule {i}: be kind to number {i}." for i in range(60))
POINT = {"cachePoint": {"type": "default"}}


@pytest.fixture(scope="module")
def caching():
    with craton.serving("--model", craton.SMOL) as server:
        yield server.wait_ready().client("bedrock-runtime")


def usage(client, name, question, *marks):
    answer = client.converse(modelId=SONNET, system=[{"text": f"Your name is {name}. {RULES}"}, *marks],
                             messages=[{"role": "user", "content": [{"text": question}]}],
                             inferenceConfig={"maxTokens": 4, "temperature": 0})
    return answer["usage"]


def test_what_is_marked_is_written_once_and_then_read(caching):
    first = usage(caching, "Ada", "Who are you?", POINT)
    assert first["cacheReadInputTokens"] < 20 < 400 < first["cacheWriteInputTokens"]
    again = usage(caching, "Ada", "What is your name, please?", POINT)
    assert again["cacheReadInputTokens"] == first["cacheReadInputTokens"] + first["cacheWriteInputTokens"]
    assert again["cacheWriteInputTokens"] == 0
    assert 5 < again["inputTokens"] < 40
    for told in (first, again):
        assert told["totalTokens"] == (told["inputTokens"] + told["outputTokens"]
                                       + told["cacheReadInputTokens"] + told["cacheWriteInputTokens"])


def test_without_a_mark_all_is_input(caching):
    marked = usage(caching, "Bob", "Who are you?", POINT)
    unmarked = usage(caching, "Bob", "Who are you?")
    assert unmarked["inputTokens"] == marked["totalTokens"] - marked["outputTokens"]
    assert not unmarked.get("cacheReadInputTokens") and not unmarked.get("cacheWriteInputTokens")


def test_claudes_own_form_counts_alike(caching):
    def ask(question):
        body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 4, "temperature": 0,
                "system": [{"type": "text", "text": "Your name is Eve. " + RULES,
                            "cache_control": {"type": "ephemeral"}}],
                "messages": [{"role": "user", "content": question}]}
        answer = caching.invoke_model(modelId=SONNET, body=json.dumps(body))
        return json.loads(answer["body"].read())["usage"], answer["ResponseMetadata"]["HTTPHeaders"]

    first, _ = ask("Who are you?")
    again, headers = ask("What is your name?")
    assert again["cache_read_input_tokens"] == (first["cache_read_input_tokens"]
                                                + first["cache_creation_input_tokens"]) > 400
    assert again["cache_creation_input_tokens"] == 0
    assert headers["x-amzn-bedrock-cache-read-input-token-count"] == str(again["cache_read_input_tokens"])
    assert headers["x-amzn-bedrock-input-token-count"] == str(again["input_tokens"])


def test_many_at_once_compute_their_beginning_once(caching):
    with futures.ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda i: usage(caching, "Zoe", f"Question {i}?", POINT), range(8)))
    written = [one["cacheWriteInputTokens"] for one in told]
    assert sum(written) < 2 * max(written), "one computed it; the others read it"
