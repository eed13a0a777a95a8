"""InvokeModelWithResponseStream: every family's pieces as boto3 reads them, and the whole's text."""
import json

import pytest

import craton
from families import FAMILIES

STREAMED = [family for family in FAMILIES if family.streams]
METRICS = "amazon-bedrock-invocationMetrics"


def pieces(client, model, body):
    answer = client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))
    assert answer["contentType"] == "application/json"
    return [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]


@pytest.mark.parametrize("family", STREAMED, ids=lambda family: family.name)
def test_the_pieces_are_the_whole(runtime, family):
    body = family.body("Count from one to ten.", tokens=24)
    whole = json.loads(runtime.invoke_model(modelId=family.model, body=json.dumps(body))["body"].read())
    streamed = pieces(runtime, family.model, family.streamed(body))
    assert "".join(family.piece_text(piece) for piece in streamed) == family.text(whole)


@pytest.mark.parametrize("family", STREAMED, ids=lambda family: family.name)
def test_the_last_piece_alone_has_the_metrics(runtime, family):
    body = family.streamed(family.body("Count from one to ten.", tokens=12))
    *before, last = pieces(runtime, family.model, body)
    assert not any(METRICS in piece for piece in before)
    metrics = last[METRICS]
    assert metrics["inputTokenCount"] > 0 and 0 < metrics["outputTokenCount"] <= 12
    assert 0 <= metrics["firstByteLatency"] <= metrics["invocationLatency"]


@pytest.mark.parametrize("model", ["ai21.j2-mid-v1", "ai21.j2-ultra-v1"])
def test_what_bedrock_does_not_stream_is_refused(runtime, model):
    refused = craton.refusal(runtime.invoke_model_with_response_stream, modelId=model,
                             body=json.dumps({"prompt": "Hi"}))
    assert (refused.status, refused.type) == (400, "ValidationException")
    assert refused.message == "The model is unsupported for streaming."


def test_a_bad_body_is_refused_before_the_stream_begins(runtime):
    refused = craton.refusal(runtime.invoke_model_with_response_stream,
                             modelId="anthropic.claude-3-haiku-20240307-v1:0", body="{}")
    assert refused.message.startswith("Malformed input request: #: required key [max_tokens] not found")


def test_a_prompt_that_does_not_fit_is_refused_before_the_stream_begins(runtime):
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 10,
            "messages": [{"role": "user", "content": "word " * 60_000}]}
    refused = craton.refusal(runtime.invoke_model_with_response_stream,
                             modelId="anthropic.claude-3-haiku-20240307-v1:0", body=json.dumps(body))
    assert refused.message == "Input is too long for requested model."


def test_the_headers_say_what_streams_and_who_answers(runtime):
    answer = runtime.invoke_model_with_response_stream(
        modelId="mistral.mistral-7b-instruct-v0:2", body=json.dumps({"prompt": "Hi", "max_tokens": 2}))
    list(answer["body"])
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-type"] == "application/vnd.amazon.eventstream"
    assert headers["x-amzn-bedrock-content-type"] == "application/json"
    assert headers["transfer-encoding"] == "chunked" and "content-length" not in headers
    assert headers["x-craton-engine"] == "llama"
