"""AWS as an engine: requests handed on, signed anew, and their answers back as they came. A second craton
that looks at who calls stands for AWS: what it answers proves the signatures."""
import json
import re
import urllib.error
import urllib.request

import botocore.exceptions
import pytest
import urllib3.exceptions

import craton
from craton import run_craton

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
PROFILE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
RULES = """
rules:
  - match: {prompt: {contains: drop}}
    answer: {text: one two three four five six, fault: {fault: drop, at: 3}}
  - match: {prompt: {contains: tool}, tool-result: false}
    answer: {tool-calls: [{name: weather, input: {city: Seoul}}]}
  - match: {prompt: {contains: throttle}}
    answers: [{fault: {fault: ThrottlingException, message: Slow down.}}]
    afterwards: repeat
  - answer: {text: "AWS says: {{last_user_text}}"}
  - answer: {embedding: [0.25, 2], scores: [0.5, 0.75], usage: {input-tokens: 5}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("aws")


@pytest.fixture(scope="module")
def keys(folder):
    made = {}
    for name, flags in (("operator", []), ("bearer", ["--bearer"]), ("session", ["--temporary"])):
        done = run_craton("keys", "create", name, "--keys", folder / "keys.json", "--output", "json", *flags)
        made[name] = json.loads(done.stdout)
    return made


@pytest.fixture(scope="module")
def aws(folder, keys):
    """What stands for AWS."""
    (folder / "rules.yaml").write_text(RULES)
    with craton.serving("--auth", "verify", "--keys", folder / "keys.json",
                        "--bind", f"*=script:{folder / 'rules.yaml'}") as server:
        yield server


def profiles(folder, url, keys):
    config = folder / "config"
    key, session = keys["operator"], keys["session"]
    config.write_text(
        f"[profile work]\nregion = us-east-1\nendpoint_url = {url}\n"
        f"aws_access_key_id = {key['accessKeyId']}\naws_secret_access_key = {key['secretAccessKey']}\n"
        f"[profile session]\nregion = us-east-1\nendpoint_url = {url}\n"
        f"aws_access_key_id = {session['accessKeyId']}\naws_secret_access_key = {session['secretAccessKey']}\n"
        f"aws_session_token = {session['sessionToken']}\n"
        f"[profile wrong]\nregion = us-east-1\nendpoint_url = {url}\n"
        f"aws_access_key_id = {key['accessKeyId']}\naws_secret_access_key = no\n"
        f"[profile gone]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:1\n"
        "aws_access_key_id = a\naws_secret_access_key = b\n")
    return str(config)


def in_front(folder, url, keys, *flags, **variables):
    return craton.serving(*flags, AWS_CONFIG_FILE=profiles(folder, url, keys), **variables)


@pytest.fixture(scope="module")
def front(folder, aws, keys):
    # AWS_ENDPOINT_URL, which a shell that was set up for this server has, would lead to itself.
    with in_front(folder, aws.url, keys, "--bind", "*=aws:work",
                  AWS_ENDPOINT_URL="http://127.0.0.1:1") as server:
        yield server


def converse(server, text, model=HAIKU, **arguments):
    return server.client("bedrock-runtime").converse(
        modelId=model, messages=[{"role": "user", "content": [{"text": text}]}], **arguments)


def text_of(answer):
    return answer["output"]["message"]["content"][0]["text"]


def stream_of(server, text, model=HAIKU):
    return server.client("bedrock-runtime").converse_stream(
        modelId=model, messages=[{"role": "user", "content": [{"text": text}]}])


TITAN, RERANK, SDXL = "amazon.titan-embed-text-v2:0", "amazon.rerank-v1:0", "stability.stable-diffusion-xl-v1"
# What has no conversation: a call, and what its answer must be.
NATIVE = [
    (TITAN, {"inputText": "granite", "dimensions": 256}, "application/json"),
    (RERANK, {"query": "granite", "documents": ["a", "b"]}, "application/json"),
    (SDXL, {"text_prompts": [{"text": "a boat"}], "seed": 5}, "application/json"),
    (SDXL, {"text_prompts": [{"text": "a boat"}], "seed": 5}, "image/png"),
]


def native(server, model, body, accept, fault=None):
    """The answer's bytes, what its headers tell of it, and who gave it."""
    request = urllib.request.Request(
        f"{server.url}/model/{model}/invoke", method="POST", data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Accept": accept, **({"x-craton-fault": fault} if fault else {})})
    with urllib.request.urlopen(request, timeout=craton.patience(20)) as answer:
        told = {name: answer.headers[name] for name in ("Content-Type", "Seed", "X-Amzn-Bedrock-Input-Token-Count")}
        return answer.read(), told, ", ".join(answer.headers.get_all("x-craton-engine"))


class TestHandedOn:
    def test_converse(self, front):
        answer = converse(front, "Hello")
        assert text_of(answer) == "AWS says: Hello"
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-craton-engine"] == "script, aws", "both servers say who answered"

    def test_streams(self, front):
        events = list(stream_of(front, "Hello")["stream"])
        assert "".join(event["contentBlockDelta"]["delta"]["text"] for event in events
                       if "contentBlockDelta" in event) == "AWS says: Hello"
        assert "metadata" in events[-1]

    def test_invoke_model_and_its_stream(self, front):
        body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50,
                           "messages": [{"role": "user", "content": "Hello"}]})
        runtime = front.client("bedrock-runtime")
        reply = json.loads(runtime.invoke_model(modelId=HAIKU, body=body)["body"].read())
        assert reply["content"][0]["text"] == "AWS says: Hello"
        chunks = runtime.invoke_model_with_response_stream(modelId=HAIKU, body=body)["body"]
        types = [json.loads(chunk["chunk"]["bytes"])["type"] for chunk in chunks]
        assert types[0] == "message_start" and types[-1] == "message_stop"

    def test_profiles_keep_their_geography(self, front):
        assert text_of(converse(front, "Hello", PROFILE)) == "AWS says: Hello"

    def test_the_control_plane_too(self, front, aws, folder, keys):
        direct = craton.run_craton("models", "--output", "json", "--profile", "work",
                                   AWS_CONFIG_FILE=profiles(folder, aws.url, keys))
        through = front.client("bedrock").list_foundation_models()["modelSummaries"]
        assert [model["modelId"] for model in through] == [
            model["modelId"] for model in json.loads(direct.stdout)]

    def test_refusals_are_those_of_aws(self, front):
        refused = craton.refusal(lambda: converse(front, "x", "no.such-model-v1:0"))
        assert (refused.status, refused.type) == (400, "ValidationException")
        refused = craton.refusal(lambda: converse(front, "throttle"))
        assert (refused.status, refused.type, refused.message) == (429, "ThrottlingException", "Slow down.")

    def test_a_stream_that_breaks_off_breaks_off(self, front):
        with pytest.raises((botocore.exceptions.HTTPClientError, urllib3.exceptions.ProtocolError)):
            list(stream_of(front, "drop")["stream"])

    @pytest.mark.parametrize("call", NATIVE, ids=lambda call: f"{call[0].split('.')[1][:9]}-{call[2][:5]}")
    def test_vectors_and_pictures(self, front, call):
        body, told, engine = native(front, *call)
        assert told["Content-Type"] == call[2] and (body[:4] == b"\x89PNG") == (call[2] == "image/png")
        assert engine in ("script, aws", "canvas, aws")

    def test_a_large_body(self, front):
        text = "granite " * 20_000
        assert text_of(converse(front, text))[10:40] == text[:30]


class TestCredentials:
    @pytest.mark.parametrize("bound", ["aws:session", "aws:work@us-east-1"])
    def test_of_other_kinds(self, folder, aws, keys, bound):
        with in_front(folder, aws.url, keys, "--bind", f"*={bound}") as server:
            assert text_of(converse(server, "Hello")) == "AWS says: Hello"

    def test_an_api_key(self, folder, aws, keys):
        config = folder / "bearer"
        config.write_text(f"[default]\nendpoint_url = {aws.url}\nregion = us-east-1\n")
        with craton.serving("--bind", "*=aws", AWS_CONFIG_FILE=str(config),
                            AWS_BEARER_TOKEN_BEDROCK=keys["bearer"]["bearerToken"]) as server:
            assert text_of(converse(server, "Hello")) == "AWS says: Hello"

    def test_wrong_ones_are_refused_by_aws(self, folder, aws, keys):
        with in_front(folder, aws.url, keys, "--bind", "*=aws:wrong") as server:
            with pytest.raises(botocore.exceptions.ClientError, match="InvalidSignatureException"):
                converse(server, "Hello")

    def test_none_keep_it_from_starting(self):
        done = run_craton("serve", "--port", "0", "--bind", "*=aws", AWS_REGION="us-east-1")
        assert done.returncode == 1 and "no credentials for AWS" in done.stderr
        done = run_craton("serve", "--port", "0", "--bind", "*=aws:nobody")
        assert done.returncode == 1 and "no profile 'nobody'" in done.stderr

    def test_nobody_there(self, folder, aws, keys):
        with in_front(folder, aws.url, keys, "--bind", "*=aws:gone") as server:
            refused = craton.refusal(lambda: converse(server, "Hello"))
            assert (refused.status, refused.type) == (503, "ServiceUnavailableException")

    def test_callers_are_let_in_by_this_server(self, folder, aws, keys):
        with in_front(folder, aws.url, keys, "--bind", "*=aws:work", "--auth", "verify",
                      "--keys", folder / "others.json") as server:
            with pytest.raises(botocore.exceptions.ClientError, match="UnrecognizedClientException"):
                converse(server, "Hello")


class TestInThisServersForm:
    """What is recorded, struck by a fault or asked for in another API passes through the engine."""

    def test_record_in_front_of_aws_then_replay_without_it(self, folder, aws, keys, tmp_path):
        def ask(server):
            whole = text_of(converse(server, "Hello"))
            streamed = [event for event in stream_of(server, "Hello again")["stream"]]
            body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50,
                               "messages": [{"role": "user", "content": "Natively"}]})
            native = json.loads(server.client("bedrock-runtime").invoke_model(
                modelId=HAIKU, body=body)["body"].read())
            tool = converse(server, "Use the tool", toolConfig={"tools": [{"toolSpec": {
                "name": "weather", "inputSchema": {"json": {"type": "object"}}}}]})
            return (whole, [list(event)[0] for event in streamed], native["content"][0]["text"],
                    tool["output"]["message"]["content"][0]["toolUse"]["input"])

        cassettes = tmp_path / "cassettes"
        with in_front(folder, aws.url, keys, "--bind", "*=aws:work", "--record", cassettes) as server:
            answer = converse(server, "Hello")
            assert answer["ResponseMetadata"]["HTTPHeaders"]["x-craton-engine"] == "aws"
            recorded = ask(server)
        assert recorded[0] == "AWS says: Hello" and recorded[2] == "AWS says: Natively"
        text = (cassettes / "recorded.jsonl").read_text()
        for secret in (keys["operator"]["accessKeyId"], keys["operator"]["secretAccessKey"]):
            assert secret not in text
        with craton.serving("--replay", cassettes) as server:
            assert ask(server) == recorded

    def test_vectors_and_pictures_are_recorded_and_replayed(self, folder, aws, front, keys, tmp_path):
        cassettes = tmp_path / "cassettes"
        with in_front(folder, aws.url, keys, "--bind", "*=aws:work", "--record", cassettes) as server:
            answers = [native(server, *call) for call in NATIVE]
            refused = craton.refusal(lambda: server.client("bedrock-runtime").invoke_model(
                modelId=TITAN, body='{"inputText":"throttle"}'))
        assert [answer[2] for answer in answers] == ["aws"] * 4
        assert (refused.status, refused.type, refused.message) == (429, "ThrottlingException", "Slow down.")
        direct = [native(front, *call)[:2] for call in NATIVE]
        assert [answer[:2] for answer in answers] == direct, "as what is handed on byte for byte"
        assert answers[0][1]["X-Amzn-Bedrock-Input-Token-Count"] == "5" and answers[3][1]["Seed"] == "5"
        text = (cassettes / "recorded.jsonl").read_text()
        for secret in (keys["operator"]["accessKeyId"], keys["operator"]["secretAccessKey"]):
            assert secret not in text
        with craton.serving("--replay", cassettes) as server:
            assert [native(server, *call)[:2] for call in NATIVE] == direct
            again = craton.refusal(lambda: server.client("bedrock-runtime").invoke_model(
                modelId=TITAN, body='{"inputText":"throttle"}'))
        assert again.message == refused.message, "a failure is an answer, too"

    def test_faults_of_vectors(self, front):
        body, _, engine = native(front, *NATIVE[0], fault="slow-start;for=50ms")
        assert json.loads(body)["embedding"][:3] == [0.25, 2, 0] and engine == "aws"
        with pytest.raises(urllib.error.HTTPError) as raised:
            native(front, *NATIVE[0], fault="ServiceUnavailableException")
        assert raised.value.code == 503

    def test_nobody_there_for_vectors(self, folder, aws, keys, tmp_path):
        with in_front(folder, aws.url, keys, "--bind", "*=aws:gone", "--record", tmp_path / "made") as server:
            refused = craton.refusal(lambda: server.client("bedrock-runtime").invoke_model(
                modelId=TITAN, body='{"inputText":"granite"}'))
            assert (refused.status, refused.type) == (503, "ServiceUnavailableException")

    def test_a_fault(self, front):
        request = urllib.request.Request(
            f"{front.url}/model/{HAIKU}/converse", method="POST",
            data=json.dumps({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}).encode(),
            headers={"Content-Type": "application/json", "x-craton-fault": "ModelTimeoutException"})
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request, timeout=craton.patience(20))
        assert raised.value.code == 408

    def test_openais_api_answered_by_aws(self, front):
        request = urllib.request.Request(
            f"{front.url}/openai/v1/chat/completions", method="POST",
            data=json.dumps({"model": "openai.gpt-oss-20b-1:0", "messages": [{"role": "user", "content": "Hi"}]}).encode(),
            headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=craton.patience(20)) as answer:
            assert json.load(answer)["choices"][0]["message"]["content"] == "AWS says: Hi"

    def test_tokens_are_counted_by_aws(self, front):
        counted = front.client("bedrock-runtime").count_tokens(
            modelId="anthropic.claude-sonnet-4-5-20250929-v1:0",
            input={"converse": {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}})
        assert counted["inputTokens"] > 0


def test_doctor_tells_where(folder, aws, keys, tmp_path):
    (tmp_path / "craton.yaml").write_text("model: aws:work\n")
    done = run_craton("doctor", cwd=tmp_path, AWS_CONFIG_FILE=profiles(folder, aws.url, keys))
    assert re.search(r"Amazon Bedrock in us-east-1", done.stdout), done.stdout
