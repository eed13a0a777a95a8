"""Recorded once, answered for ever: cassettes, by boto3."""
import json
import time

import pytest

import craton
from craton import refusal, run_craton

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
NOVA = "amazon.nova-lite-v1:0"
TOOLS = {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}}]}


def said(text):
    return [{"role": "user", "content": [{"text": text}]}]


def converse(server, text, model=HAIKU, **more):
    answer = server.client("bedrock-runtime").converse(
        modelId=model, messages=said(text), inferenceConfig={"maxTokens": 24, "temperature": 0}, **more)
    return answer["output"]["message"]["content"], answer["stopReason"], answer["usage"]


def stream(server, text, model=NOVA):
    """The events, without what is measured."""
    events = server.client("bedrock-runtime").converse_stream(
        modelId=model, messages=said(text), inferenceConfig={"maxTokens": 24, "temperature": 0})["stream"]
    told = []
    for event in events:
        event.get("metadata", {}).pop("metrics", None)
        told.append(event)
    return told


def invoke(server, text):
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 24, "temperature": 0,
            "messages": [{"role": "user", "content": text}]}
    answer = server.client("bedrock-runtime").invoke_model(modelId=HAIKU, body=json.dumps(body))
    told = json.loads(answer["body"].read())
    told.pop("id")
    return told, answer["ResponseMetadata"]["HTTPHeaders"]


@pytest.fixture(scope="module")
def cassettes(tmp_path_factory):
    return tmp_path_factory.mktemp("cassettes") / "made"


@pytest.fixture(scope="module")
def recorded(cassettes):
    """What a real model answered while it was recorded."""
    with craton.serving("--model", craton.SMOL, "--record", cassettes) as server:
        server.wait_ready()
        return {"converse": converse(server, "Name a rock."), "stream": stream(server, "Name a metal."),
                "invoke": invoke(server, "Name a gem.")[0],
                "tool": converse(server, "Weather in Paris?", toolConfig={**TOOLS, "toolChoice": {"any": {}}})}


@pytest.fixture(scope="module")
def replaying(cassettes, recorded):
    with craton.serving("--replay", cassettes) as server:
        yield server


def test_what_was_recorded_is_answered_the_same_without_a_model(replaying, recorded):
    assert converse(replaying, "Name a rock.") == recorded["converse"]
    assert stream(replaying, "Name a metal.") == recorded["stream"], "event for event"
    told, headers = invoke(replaying, "Name a gem.")
    assert told == recorded["invoke"]
    assert headers["x-craton-engine"] == "replay" and headers["x-craton-model"].startswith("smollm2")
    assert "replay: " in replaying.output() and "4 recorded answers" in replaying.output()


def test_a_call_of_a_tool_is_replayed_with_an_id_of_its_own(replaying, recorded):
    content, stop, usage = converse(replaying, "Weather in Paris?", toolConfig={**TOOLS, "toolChoice": {"any": {}}})
    assert (stop, usage) == recorded["tool"][1:]
    use, was = content[-1]["toolUse"], recorded["tool"][0][-1]["toolUse"]
    assert (use["name"], use["input"]) == (was["name"], was["input"]) and use["toolUseId"] != was["toolUseId"]


def test_another_form_of_call_gets_the_same_answer(replaying, recorded):
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 24, "temperature": 0,
            "messages": [{"role": "user", "content": "Name a rock."}]}
    answer = replaying.client("bedrock-runtime").invoke_model(modelId=HAIKU, body=json.dumps(body))
    assert json.loads(answer["body"].read())["content"][0]["text"] == recorded["converse"][0][0]["text"]


def test_what_is_not_recorded_is_refused_with_what_differs(replaying, recorded):
    missing = refusal(replaying.client("bedrock-runtime").converse, modelId=HAIKU, messages=said("Name a star."),
                      inferenceConfig={"maxTokens": 24, "temperature": 0})
    assert (missing.status, missing.type) == (404, "ResourceNotFoundException")
    assert "This request is not recorded in made. The nearest that is differs in messages[0].content[0].text: " in missing.message
    assert "asked." in missing.message


def test_what_is_ignored_does_not_matter(cassettes, recorded):
    with craton.serving("--replay", cassettes, "--replay-ignore", "inferenceConfig") as server:
        answer = server.client("bedrock-runtime").converse(modelId=HAIKU, messages=said("Name a rock."))
        assert answer["output"]["message"]["content"] == recorded["converse"][0]


def test_the_pace_is_the_recorded_one_where_asked(cassettes, recorded):
    def took(pace):
        with craton.serving("--replay", cassettes, "--replay-pace", pace) as server:
            began = time.monotonic()
            stream(server, "Name a metal.")
            return time.monotonic() - began
    slow = json.loads(run_craton("cassette", "list", cassettes, "--output", "json").stdout)
    line = next(row for row in slow if row["prompt"] == "Name a metal.")
    last = json.loads((cassettes / "recorded.jsonl").read_text().splitlines()[line["line"] - 1])["events"][-1]["at"]
    assert took(1) >= last / 1000 and last > 0


def test_what_is_missing_is_asked_and_recorded_where_wanted(tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules:\n  - {answers: [first, second]}\n")
    flags = ["--replay-or-record", tmp_path / "made", "--model", f"script:{rules}"]
    with craton.serving(*flags) as server:
        assert converse(server, "hi")[0] == [{"text": "first"}]
    with craton.serving(*flags) as server:
        assert converse(server, "hi")[0] == [{"text": "first"}], "it is there now"
        assert converse(server, "ho")[0] == [{"text": "first"}], "the rules' first, to another question"


def test_cassettes_are_listed_checked_and_thinned_out(cassettes, recorded, tmp_path):
    listed = run_craton("cassette", "list", cassettes)
    assert "? Name a rock." in listed.stdout and "4 recorded answer(s)" in listed.stdout
    assert "4 recorded answer(s) to 4 request(s)" in run_craton("cassette", "lint", cassettes).stdout
    lines = (cassettes / "recorded.jsonl").read_text()
    (tmp_path / "twice.jsonl").write_text(lines + lines)
    assert "4 recorded answer(s) gone, 4 left" in run_craton("cassette", "prune", tmp_path).stdout
    (tmp_path / "twice.jsonl").write_text(lines + lines[:100])
    broken = run_craton("cassette", "lint", tmp_path)
    assert broken.returncode == 1 and "twice.jsonl:5: " in broken.stderr
    refused = run_craton("serve", "--replay", tmp_path, "--port", "0")
    assert refused.returncode == 1 and "twice.jsonl:5: " in refused.stderr
    for secret in ("AWS4-HMAC", "Credential", "craton/"):
        assert secret not in lines
