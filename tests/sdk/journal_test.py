"""The journal: what a program sent, and what it got, as /_craton/requests tells."""
import json
import time
import urllib.error

import botocore.exceptions
import pytest

import craton

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
RULES = """
rules:
  - match: {prompt: {contains: fault}}
    answer: {text: never, fault: ThrottlingException}
  - answer: {text: "You said: {{last_user_text}}"}
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(RULES)
    return path


@pytest.fixture
def server(rules):
    with craton.serving("--bind", f"*=script:{rules}") as running:
        yield running


def listed(server, query="", count=None):
    """The listing; a request is in it when its answer is over, which a caller may be ahead of."""
    end = time.monotonic() + craton.patience(10)
    while True:
        requests = server.admin("GET", "requests" + query)["requests"]
        if count is None or len(requests) >= count or time.monotonic() > end:
            return requests
        time.sleep(0.01)


def ask(server, text, **arguments):
    return server.client("bedrock-runtime").converse(
        modelId=HAIKU, messages=[{"role": "user", "content": [{"text": text}]}], **arguments)


def test_a_request_and_its_answer(server):
    answer = ask(server, "Hello", inferenceConfig={"maxTokens": 7})
    request_id = answer["ResponseMetadata"]["RequestId"]
    (told,) = listed(server, count=1)
    assert told["id"] == request_id and told["operation"] == "Converse" and told["status"] == 200
    assert told["modelId"] == HAIKU and told["engine"] == "script" and told["outputTokens"] > 0
    whole = server.admin("GET", f"requests/{request_id}")
    assert whole["request"]["body"]["inferenceConfig"] == {"maxTokens": 7}
    assert whole["response"]["body"]["output"]["message"]["content"] == [{"text": "You said: Hello"}]
    fields = {name.lower(): value for name, value in whole["request"]["headers"]}
    assert fields["authorization"] == "(left out)" and "Boto3" in fields["user-agent"]


def test_a_stream_has_its_events_and_their_times(server):
    stream = server.client("bedrock-runtime").converse_stream(
        modelId=HAIKU, messages=[{"role": "user", "content": [{"text": "Hello"}]}])["stream"]
    kinds = [next(iter(event)) for event in stream]
    (told,) = listed(server, count=1)
    assert told["streamed"]
    events = server.admin("GET", f"requests/{told['id']}")["response"]["events"]
    assert [event["type"] for event in events] == kinds
    assert sorted(event["ms"] for event in events) == [event["ms"] for event in events]
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50,
                       "messages": [{"role": "user", "content": "Hello"}]})
    list(server.client("bedrock-runtime").invoke_model_with_response_stream(
        modelId=HAIKU, body=body)["body"])
    newest = listed(server, count=2)[0]
    events = server.admin("GET", f"requests/{newest['id']}")["response"]["events"]
    assert events[0]["content"]["type"] == "message_start", "chunks are decoded"


def test_failures_and_faults(server):
    with pytest.raises(botocore.exceptions.ClientError):
        ask(server, "fault")
    with pytest.raises(botocore.exceptions.ClientError):
        server.client("bedrock-runtime").converse(modelId="no.such-v1:0", messages=[
            {"role": "user", "content": [{"text": "Hi"}]}])
    unknown, struck = listed(server, count=2)
    assert struck["error"] == "ThrottlingException" and struck["faults"] == ["ThrottlingException"]
    assert unknown["error"] == "ValidationException" and unknown["status"] == 400


def test_filters(server):
    ask(server, "one")
    server.client("bedrock").list_foundation_models()
    ask(server, "two")
    assert len(listed(server, count=3)) == 3
    assert [told["operation"] for told in listed(server, "?operation=ListFoundationModels")] == [
        "ListFoundationModels"]
    assert len(listed(server, "?model=haiku&limit=1")) == 1
    assert len(listed(server, "?engine=script")) == 2
    assert listed(server, "?status=404") == [] and listed(server, "?since=2999-01-01T00:00:00Z") == []
    assert len(listed(server, "?since=2020-01-01T00:00:00Z")) == 3


@pytest.mark.parametrize("query, complaint", [
    ("?status=many", "status: expected a whole number"), ("?since=now", "since: expected a time"),
    ("?modle=x", "no parameter 'modle'"), ("?limit=-1", "limit")])
def test_a_wrong_parameter_is_named(server, query, complaint):
    with pytest.raises(urllib.error.HTTPError) as raised:
        server.admin("GET", "requests" + query)
    assert raised.value.code == 400 and complaint in json.load(raised.value)["message"]


def test_reset_and_delete_forget(server):
    for method, path in (("DELETE", "requests"), ("POST", "reset")):
        ask(server, "one")
        assert listed(server, count=1)
        server.admin(method, path)
        assert listed(server) == []
    with pytest.raises(urllib.error.HTTPError) as raised:
        server.admin("GET", "requests/none")
    assert raised.value.code == 404


def test_other_origins_see_nothing(server):
    with pytest.raises(urllib.error.HTTPError) as raised:
        server.admin("GET", "requests", Origin="https://elsewhere.example")
    assert raised.value.code == 403


def test_it_is_bounded(rules):
    with craton.serving("--bind", f"*=script:{rules}", "--journal", "3") as server:
        for number in range(5):
            ask(server, f"number {number}")
        ask(server, "large " + "x" * 2_000_000)
        requests = listed(server, count=3)
        assert len(requests) == 3
        whole = server.admin("GET", f"requests/{requests[0]['id']}")
        assert whole["request"]["cutAt"] == 1024 * 1024
        assert isinstance(whole["request"]["body"], str), "cut JSON is text"
    with craton.serving("--bind", f"*=script:{rules}", "--journal", "0") as server:
        ask(server, "one")
        assert listed(server) == []
