"""Faults on demand: which exceptions SDKs raise, how often they try, and what broken streams give."""
import json
import subprocess
import sys
import time
import urllib.error

import botocore.eventstream
import botocore.exceptions
import pytest
import urllib3.exceptions

import craton
import wire
from craton import refusal

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
RULES = """
rules:
  - match: {prompt: call}
    answer: {tool-calls: [{name: f, input: {city: Seoul, days: 3}}]}
  - answer: {text: "one two three four five", reasoning: hm}
"""

# The exceptions of the service model, the status of each, and how often boto3 asks in all.
EXCEPTIONS = [
    ("ThrottlingException", 429, 3), ("ServiceUnavailableException", 503, 3),
    ("InternalServerException", 500, 3), ("ModelNotReadyException", 429, 3),
    ("ModelTimeoutException", 408, 1), ("ModelErrorException", 424, 1),
    ("ModelStreamErrorException", 424, 1), ("ValidationException", 400, 1),
    ("AccessDeniedException", 403, 1), ("ResourceNotFoundException", 404, 1),
    ("ServiceQuotaExceededException", 400, 1), ("ConflictException", 400, 1),
    ("ResourceInUseException", 400, 1), ("TooManyTagsException", 400, 1),
]
IN_STREAM = ["ThrottlingException", "ServiceUnavailableException", "InternalServerException",
             "ModelStreamErrorException", "ValidationException", "ModelTimeoutException"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    (folder / "rules.yaml").write_text(RULES)
    with craton.serving("--bind", "*=script:rules.yaml", cwd=folder) as server:
        yield server


@pytest.fixture(autouse=True)
def clean(server):
    server.admin("POST", "reset")
    yield
    assert server.get("/health") == 200


def injecting(server, fault, attempts=1, **config):
    """A client whose every request asks for `fault`."""
    client = craton.session().client(
        "bedrock-runtime", region_name="us-east-1", endpoint_url=server.url,
        config=craton.botocore.config.Config(retries={"total_max_attempts": attempts}, proxies={}, **config))
    client.meta.events.register(
        "before-call.bedrock-runtime", lambda params, **_: params["headers"].update({"x-craton-fault": fault}))
    return client


def asked(text="hi", **more):
    return {"modelId": HAIKU, "messages": [{"role": "user", "content": [{"text": text}]}], **more}


NATIVE = {"modelId": HAIKU, "body": json.dumps({
    "anthropic_version": "bedrock-2023-05-31", "max_tokens": 50,
    "messages": [{"role": "user", "content": "hi"}]})}
TOOLS = {"toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]}}


def streamed(client, **more):
    return client.converse_stream(**asked(**more))


class TestExceptionsBeforeTheAnswer:
    @pytest.mark.parametrize("name, status, tries", EXCEPTIONS, ids=[row[0] for row in EXCEPTIONS])
    def test_are_raised_and_tried_again_as_the_sdk_does(self, server, name, status, tries):
        server.admin("POST", "faults", {"fault": name})
        for call, arguments in (("converse", asked()), ("invoke_model", NATIVE),
                                ("converse_stream", asked())):
            refused = refusal(getattr(server.client("bedrock-runtime"), call), **arguments)
            assert (refused.type, refused.status) == (name, status)
            assert refused.headers["x-craton-fault"] == name
        server.admin("POST", "reset")
        server.admin("POST", "faults", {"fault": name, "retry-after": "1ms"})
        patient = server.client("bedrock-runtime", attempts=3)
        with pytest.raises(patient.exceptions.from_code(name)):
            patient.converse(**asked())
        assert server.admin("GET", "faults")["faults"][0]["struck"] == tries
        assert f"fault={name}" in server.log()

    def test_end_with_their_count(self, server):
        server.admin("POST", "faults",
              {"fault": "ThrottlingException", "count": 2, "retry-after": "1ms"})
        answer = server.client("bedrock-runtime", attempts=3).converse(**asked())
        assert answer["ResponseMetadata"]["RetryAttempts"] == 2

    def test_say_when_to_come_again(self, server):
        refused = refusal(injecting(server, "ThrottlingException;retry-after=1.5s").converse, **asked())
        assert refused.headers["x-amz-retry-after"] == "1500"
        assert refused.message.startswith("Too many requests")

    def test_come_in_the_form_of_providers_own_apis(self, server):
        body = json.dumps({"model": HAIKU, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]})
        answer = wire.ask(server, "POST", "/anthropic/v1/messages", body=body,
                          headers=["x-craton-fault: ThrottlingException;message=later"])
        assert answer.status == 429 and answer.headers["x-craton-fault"] == "ThrottlingException"
        assert json.loads(answer.body)["error"] == {"type": "rate_limit_error", "message": "later"}


class TestWhom:
    def test_they_match_and_after_and_draw(self, server):
        server.admin("POST", "faults", {
            "fault": "ValidationException", "match": {"prompt": {"contains": "bad"}}, "after": 1})
        client = server.client("bedrock-runtime")
        client.converse(**asked("good"))
        client.converse(**asked("bad"))
        refusal(client.converse, **asked("so bad"))
        server.admin("DELETE", "faults")
        client.converse(**asked("bad"))

    def test_a_seed_draws_the_same_again(self, server):
        def drawn():
            server.admin("POST", "reset")
            server.admin("POST", "faults",
                  {"fault": "ModelErrorException", "probability": 0.5, "seed": 3})
            return [wire.ask(server, "POST", f"/model/{HAIKU}/converse",
                             body=json.dumps({"messages": asked()["messages"]})).status for _ in range(20)]
        first = drawn()
        assert first == drawn() and 4 < first.count(424) < 16


class TestStreams:
    @pytest.mark.parametrize("name", IN_STREAM)
    def test_exceptions_come_at_their_event(self, server, name):
        client = injecting(server, f"{name};at=3")
        answer = streamed(client)
        assert answer["ResponseMetadata"]["HTTPHeaders"]["x-craton-fault"] == name
        events = []
        with pytest.raises(botocore.exceptions.EventStreamError) as raised:
            for event in answer["stream"]:
                events.append(*event)
        assert events[0] == "messageStart" and len(events) == 2
        # ConverseStream declares no time-out.
        told = "ModelStreamErrorException" if name == "ModelTimeoutException" else name
        assert raised.value.response["Error"]["Code"] == told[0].lower() + told[1:]
        chunks = 0
        with pytest.raises(botocore.exceptions.EventStreamError) as raised:
            for _ in client.invoke_model_with_response_stream(**NATIVE)["body"]:
                chunks += 1
        assert chunks == 2 and raised.value.response["Error"]["Code"] == name[0].lower() + name[1:]

    def test_stall(self, server):
        arrived = []
        for _ in streamed(injecting(server, "stall;at=4;for=400ms"))["stream"]:
            arrived.append(time.monotonic())
        assert arrived[3] - arrived[2] >= 0.35 and len(arrived) > 8
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            list(streamed(injecting(server, "stall;at=4", read_timeout=1))["stream"])

    def test_drop(self, server):
        with pytest.raises(urllib3.exceptions.ProtocolError):
            list(streamed(injecting(server, "drop;at=3"))["stream"])
        with pytest.raises((botocore.exceptions.HTTPClientError, botocore.exceptions.ResponseStreamingError,
                            urllib3.exceptions.ProtocolError)):
            injecting(server, "drop").converse(**asked())

    def test_cut_ends_as_if_all_were_well(self, server):
        names = [name for event in streamed(injecting(server, "cut;at=4"))["stream"] for name in event]
        assert len(names) == 3 and "messageStop" not in names

    def test_bad_crc(self, server):
        with pytest.raises(botocore.eventstream.ChecksumMismatch):
            list(streamed(injecting(server, "bad-crc;at=2"))["stream"])

    def test_no_metadata(self, server):
        client = injecting(server, "no-metadata")
        assert [name for event in streamed(client)["stream"] for name in event][-1] == "messageStop"
        last = [event["chunk"]["bytes"] for event in client.invoke_model_with_response_stream(**NATIVE)["body"]][-1]
        assert json.loads(last) == {"type": "message_stop"}

    def test_sliced_and_late_streams_are_whole(self, server):
        whole = [next(iter(event)) for event in streamed(server.client("bedrock-runtime"))["stream"]]
        for fault in ("sliced", "sliced;bytes=1", "jitter;for=5ms", "sliced;bytes=50;for=1ms"):
            events = [next(iter(event)) for event in streamed(injecting(server, fault))["stream"]]
            assert events == whole, fault

    def test_several_faults_at_once(self, server):
        began = time.monotonic()
        answer = streamed(injecting(server, "slow-start;for=300ms, cut;at=3, sliced"))
        assert len(list(answer["stream"])) == 2 and time.monotonic() - began >= 0.3


class TestAnswers:
    def test_slow_start(self, server):
        began = time.monotonic()
        injecting(server, "slow-start;for=300ms").converse(**asked())
        assert time.monotonic() - began >= 0.3

    def test_empty_answer(self, server):
        client = injecting(server, "empty-answer")
        answer = client.converse(**asked())
        assert answer["output"]["message"]["content"] == [] and answer["usage"]["outputTokens"] == 0
        names = [name for event in streamed(client)["stream"] for name in event]
        assert names == ["messageStart", "messageStop", "metadata"]

    def test_truncated_tool_input(self, server):
        client = injecting(server, "truncated-tool-input")
        events = list(streamed(client, text="call", **TOOLS)["stream"])
        pieces = [event["contentBlockDelta"]["delta"]["toolUse"]["input"] for event in events
                  if "contentBlockDelta" in event and "toolUse" in event["contentBlockDelta"]["delta"]]
        with pytest.raises(json.JSONDecodeError):
            json.loads("".join(pieces))
        stops = [event["messageStop"]["stopReason"] for event in events if "messageStop" in event]
        assert "".join(pieces).startswith('{"city"') and stops == ["max_tokens"]


class TestJavaScript:
    """The same by HTTP/2; where the clients of tests/clients are installed."""

    def test_types_tries_and_events(self, server):
        sys.path.insert(0, str(craton.SOURCE / "tests" / "clients"))
        import kits
        kit = kits.KITS["node"]
        folder = kits.folder_of(kit)
        if not (folder / "complete").exists():
            pytest.skip("the kit is not installed: tests/clients/kits.py node")
        exceptions = {f"{name};retry-after=1ms": (name, status, tries) for name, status, tries in EXCEPTIONS[:10]}
        broken = ["ThrottlingException;at=3", "drop;at=3", "cut;at=3", "bad-crc;at=3", "sliced;bytes=3", "malformed"]
        command = kit.command(folder, "node/faults.mjs")
        done = subprocess.run([*command, server.url, *exceptions, *broken], capture_output=True, text=True,
                              env=craton.clean_environment(), timeout=craton.patience(120))
        assert done.returncode == 0, done.stderr[-3000:]
        told = json.loads(done.stdout)
        for fault, (name, status, tries) in exceptions.items():
            assert told[fault]["whole"] == {"error": name, "tries": tries, "status": status}, fault
            assert told[fault]["stream"] == {"error": name, "tries": tries, "status": status}, fault
        assert told["ThrottlingException;at=3"]["stream"]["error"] == "ThrottlingException"
        assert told["ThrottlingException;at=3"]["events"] == 2
        assert "error" in told["drop;at=3"]["stream"] and "error" in told["drop;at=3"]["whole"]
        assert told["cut;at=3"]["stream"] == {"events": 2}, "taken for whole"
        assert "error" in told["bad-crc;at=3"]["stream"]
        assert told["sliced;bytes=3"]["stream"]["events"] > 8
        assert "error" in told["malformed"]["whole"] and told["malformed"]["stream"]["events"] > 8


class TestSettings:
    def test_flags_and_files(self, tmp_path):
        (tmp_path / "rules.yaml").write_text(
            "faults:\n- fault: ModelErrorException\n  match: {prompt: file}\n")
        flags = ("--fault", "ThrottlingException;match.prompt=flag;count=1", "--fault", "slow-start;for=1ms",
                 "--bind", "*=script:rules.yaml", "--model", "none")
        with craton.serving(*flags, cwd=tmp_path) as server:
            client = server.client("bedrock-runtime")
            assert refusal(client.converse, **asked("flag")).type == "ThrottlingException"
            assert refusal(client.converse, **asked("file")).type == "ModelErrorException"
            assert refusal(client.converse, **asked("flag")).type == "ModelNotReadyException"
            server.admin("POST", "reset")
            assert refusal(client.converse, **asked("flag")).type == "ThrottlingException"
        done = craton.run_craton("serve", "--fault", "stal;at=3")
        assert done.returncode == 1 and "there is no fault 'stal'; did you mean 'stall'?" in done.stderr
        done = craton.run_craton("serve", "--fault", "AccessDeniedException;at=3")
        assert done.returncode == 1 and "does not come within a stream" in done.stderr

    @pytest.mark.parametrize("fault", ["nothing", "stall;at=0", "stall;bytes=3", "stall;match.promt=x", "{", ";"])
    def test_wrong_headers_are_refused(self, server, fault):
        refused = refusal(injecting(server, fault).converse, **asked())
        assert refused.type == "ValidationException" and "x-craton-fault" in refused.message

    def test_a_model_s_answers_are_struck_too(self, smol):
        client = injecting(smol, "ThrottlingException;at=2")
        answer = client.converse_stream(**asked(), inferenceConfig={"maxTokens": 8})
        assert answer["ResponseMetadata"]["HTTPHeaders"]["x-craton-engine"] == "llama"
        with pytest.raises(botocore.exceptions.EventStreamError):
            list(answer["stream"])


class TestAdministration:
    @pytest.mark.parametrize("headers", [
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"},
        {"Host": "evil.example"}])
    def test_is_closed_to_pages_of_other_origins(self, server, headers):
        with pytest.raises(urllib.error.HTTPError) as refused:
            server.admin("POST", "faults", {"fault": "drop"}, **headers)
        assert refused.value.code == 403
        assert server.admin("GET", "faults") == {"faults": []}

    @pytest.mark.parametrize("body", [{}, [], {"fault": "x"}, {"fault": "stall", "at": "soon"}, 5])
    def test_refuses_what_is_no_fault(self, server, body):
        with pytest.raises(urllib.error.HTTPError) as refused:
            server.admin("POST", "faults", body)
        assert refused.value.code == 400 and json.load(refused.value)["message"]

    def test_knows_its_paths(self, server):
        assert server.get("/_craton/nothing") == 404
