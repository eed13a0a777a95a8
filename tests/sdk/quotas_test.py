"""Quotas: what SDKs make of them, that callers at once never exceed them, and how they are changed."""
import concurrent.futures
import json
import subprocess
import sys
import time
import urllib.error

import botocore.exceptions
import pytest

import craton
import wire
from craton import refusal

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
NOVA = "amazon.nova-lite-v1:0"
SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
RULES = 'rules: [{answer: {text: "one two three four five"}}]'
TEXT = "please wait before trying again."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quotas")
    (folder / "rules.yaml").write_text(RULES)
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with craton.serving("--bind", "*=script:rules.yaml", cwd=folder) as server:
        yield server


@pytest.fixture(scope="module")
def patient(folder):
    """A server that says when to come again."""
    with craton.serving("--bind", "*=script:rules.yaml", "--retry-after", "on", cwd=folder) as server:
        yield server


def limit_all(server, quota):
    return server.admin("PUT", "quotas", body={"quotas": {"*": quota}})


def asked(text="hi", model=HAIKU, most=9):
    return {"modelId": model, "messages": [{"role": "user", "content": [{"text": text}]}],
            "inferenceConfig": {"maxTokens": most}}


def left(server):
    return {(use["model"], use.get("scope")): {name: use[name] for name in use if "-per-" in name or name == "streams"}
            for row in server.admin("GET", "quotas")["quotas"] for use in row["left"]}


class TestWhatIsRefused:
    @pytest.mark.parametrize("quota, first, second, text", [
        ("1rpm", asked(), asked(), "Too many requests, " + TEXT),
        ("100tpm", asked(), asked(most=100), "Too many tokens, " + TEXT),
        ("100tpd", asked(), asked(most=100), "Too many tokens per day, " + TEXT),
    ], ids=["requests", "tokens", "tokens-a-day"])
    def test_is_told_in_bedrocks_words(self, server, quota, first, second, text):
        limit_all(server, quota)
        client = server.client("bedrock-runtime")
        client.converse(**first)
        refused = refusal(client.converse, **second)
        assert (refused.type, refused.status, refused.message) == ("ThrottlingException", 429, text)
        assert "x-amz-retry-after" not in refused.headers and "retry-after" not in refused.headers
        assert refused.headers["x-craton-quota"].startswith("*;")
        assert "quota=*" in server.wait_for_log("quota=*")

    def test_streams_at_once(self, server):
        limit_all(server, "1streams")
        client = server.client("bedrock-runtime")
        slow = craton.session().client("bedrock-runtime", region_name="us-east-1", endpoint_url=server.url)
        slow.meta.events.register("before-call.bedrock-runtime", lambda params, **_: params["headers"].update(
            {"x-craton-fault": "stall;at=2;for=1m"}))
        running = slow.converse_stream(**asked())
        refused = refusal(client.converse_stream, **asked())
        assert refused.message == "Too many concurrent streams, " + TEXT
        client.converse(**asked())
        running["stream"].close()
        until = time.monotonic() + craton.patience(10)
        while left(server)[HAIKU, "on-demand"]["streams"] != 1 and time.monotonic() < until:
            time.sleep(0.02)
        list(client.converse_stream(**asked())["stream"])

    def test_in_providers_own_forms(self, server):
        limit_all(server, "1rpm")
        body = json.dumps({"model": HAIKU, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]})
        assert wire.ask(server, "POST", "/anthropic/v1/messages", body=body).status == 200
        answer = wire.ask(server, "POST", "/anthropic/v1/messages", body=body)
        assert answer.status == 429 and 55 <= int(answer.headers["retry-after"]) <= 60
        assert json.loads(answer.body)["error"] == {"type": "rate_limit_error", "message": "Too many requests, " + TEXT}
        body = json.dumps({"model": "openai.gpt-oss-20b-1:0", "messages": [{"role": "user", "content": "x"}]})
        assert wire.ask(server, "POST", "/openai/v1/chat/completions", body=body).status == 200
        answer = wire.ask(server, "POST", "/openai/v1/chat/completions", body=body)
        assert answer.status == 429 and 55 <= int(answer.headers["retry-after"]) <= 60
        assert json.loads(answer.body)["error"]["code"] == "rate_limit_exceeded"


class TestWhatIsTaken:
    def test_is_settled_when_an_answer_is_over(self, server):
        limit_all(server, "1000tpm")
        client = server.client("bedrock-runtime")
        usage = client.converse(**asked(most=500))["usage"]
        assert left(server)[HAIKU, "on-demand"]["tokens-per-minute"] >= 1000 - usage["totalTokens"]
        limit_all(server, "1000tpd")
        for event in client.converse_stream(**asked(most=500))["stream"]:
            usage = event.get("metadata", {}).get("usage", usage)
        until = time.monotonic() + craton.patience(10)
        wanted = 1000 - usage["totalTokens"]
        while left(server)[HAIKU, None]["tokens-per-day"] != wanted and time.monotonic() < until:
            time.sleep(0.02)
        assert left(server)[HAIKU, None]["tokens-per-day"] == wanted

    def test_is_five_for_a_token_of_later_claudes(self, server):
        limit_all(server, "1000tpd")
        usage = server.client("bedrock-runtime").converse(**asked(model="us." + SONNET))["usage"]
        assert left(server)[SONNET, None]["tokens-per-day"] == \
            1000 - usage["inputTokens"] - 5 * usage["outputTokens"]

    def test_is_apart_by_way_and_region(self, server):
        limit_all(server, "1rpm")
        for region in ("us-east-1", "us-west-2"):
            client = server.client("bedrock-runtime", region)
            for model in (NOVA, "us." + NOVA):
                client.converse(**asked(model=model))
                refusal(client.converse, **asked(model=model))

    def test_counts_of_tokens_and_pictures(self, server):
        limit_all(server, "1rpm,1tpm")
        client = server.client("bedrock-runtime")
        for _ in range(3):
            client.count_tokens(modelId=SONNET, input={"converse": {"messages": asked()["messages"]}})
        assert left(server) == {}
        canvas = {"modelId": "amazon.nova-canvas-v1:0", "body": json.dumps({
            "taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a red house " * 20},
            "imageGenerationConfig": {"width": 320, "height": 320}})}
        client.invoke_model(**canvas)
        assert refusal(client.invoke_model, **canvas).message == "Too many requests, " + TEXT


class TestManyCallers:
    @pytest.mark.parametrize("quota, most, admitted", [("40rpm", 9, 40), ("1000tpm", 50, 1000)])
    def test_never_exceed(self, server, quota, most, admitted):
        """100 at once; what fills up again meanwhile is reckoned with."""
        limit_all(server, quota)
        client = craton.session().client(
            "bedrock-runtime", region_name="us-east-1", endpoint_url=server.url,
            config=craton.botocore.config.Config(retries={"total_max_attempts": 1}, proxies={},
                                                 max_pool_connections=100))
        began = time.monotonic()

        def call(_):
            try:
                return client.converse(**asked(most=most))["usage"]["totalTokens"]
            except client.exceptions.ThrottlingException:
                return None
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            answered = [tokens for tokens in pool.map(call, range(400)) if tokens is not None]
        refilled = admitted * (time.monotonic() - began) / 60
        used = len(answered) if quota.endswith("rpm") else sum(answered)
        assert admitted * 0.5 < used <= admitted + refilled + 1
        (row,) = server.admin("GET", "quotas")["quotas"]
        assert row["throttled"] == 400 - len(answered)


class TestWhatSdksDo:
    @pytest.mark.parametrize("mode, tries", [("legacy", 5), ("standard", 3), ("adaptive", 3)])
    def test_boto3_tries_as_at_bedrock(self, server, mode, tries):
        limit_all(server, "1rpm")
        client = craton.session().client(
            "bedrock-runtime", region_name="us-east-1", endpoint_url=server.url,
            config=craton.botocore.config.Config(retries={"mode": mode}, proxies={}))
        client.converse(**asked())
        sent = []
        client.meta.events.register("before-send.bedrock-runtime", lambda request, **_: sent.append(request) or None)
        with pytest.raises(client.exceptions.ThrottlingException):
            client.converse(**asked())
        assert len(sent) == tries

    def test_boto3_waits_as_it_is_told(self, patient):
        limit_all(patient, "15rpm")  # one in 4 s
        wait = 0
        while wait < 3000:  # the machine may be slow, and some of it be there again
            try:
                patient.client("bedrock-runtime").converse(**asked())
            except botocore.exceptions.ClientError as refused:
                wait = int(refused.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-retry-after"])
        began = time.monotonic()
        answer = patient.client("bedrock-runtime", attempts=3).converse(**asked())
        assert answer["ResponseMetadata"]["RetryAttempts"] == 1
        assert 1 < time.monotonic() - began < craton.patience(6)

    def test_javascript(self, server, patient):
        sys.path.insert(0, str(craton.SOURCE / "tests" / "clients"))
        import kits
        kit = kits.KITS["node"]
        folder = kits.folder_of(kit)
        if not (folder / "complete").exists():
            pytest.skip("the kit is not installed: tests/clients/kits.py node")

        def run(of, *modes):
            done = subprocess.run([*kit.command(folder, "node/quotas.mjs"), of.url, *modes], capture_output=True,
                                  text=True, env=craton.clean_environment(), timeout=craton.patience(120))
            assert done.returncode == 0, done.stderr[-3000:]
            return json.loads(done.stdout)
        limit_all(server, "1rpm")
        server.client("bedrock-runtime").converse(**asked())
        told = run(server, "standard", "adaptive")
        for mode in ("standard", "adaptive"):
            assert told[mode]["error"] == "ThrottlingException" and told[mode]["tries"] == 3
            assert told[mode]["message"] == "Too many requests, " + TEXT
        limit_all(patient, "1rpm")
        patient.client("bedrock-runtime").converse(**asked())
        told = run(patient, "standard")["standard"]
        assert told["tries"] == 3 and told["ms"] > 10_000, "5 s more than it would wait otherwise, twice"


class TestAdministration:
    def test_shows_changes_and_resets(self, folder):
        (folder / "craton.yaml").write_text(
            'quotas:\n  "us.amazon.*": 2rpm\n  "anthropic.*": {requests-per-minute: 3, streams: 4}\n')
        with craton.serving("--bind", "*=script:rules.yaml", "--quota", "cohere.*=5rpm,7tpd", cwd=folder) as server:
            def shown():
                return [{**row, "left": len(row["left"])} for row in server.admin("GET", "quotas")["quotas"]]
            start = [
                {"models": "cohere.*", "requests-per-minute": 5, "tokens-per-day": 7, "throttled": 0, "left": 0},
                {"models": "us.amazon.*", "requests-per-minute": 2, "throttled": 0, "left": 0},
                {"models": "anthropic.*", "requests-per-minute": 3, "streams": 4, "throttled": 0, "left": 0}]
            assert shown() == start
            client = server.client("bedrock-runtime")
            for _ in range(2):
                client.converse(**asked(model="us." + NOVA))
            refusal(client.converse, **asked(model="us." + NOVA))
            assert shown()[1] == {**start[1], "throttled": 1, "left": 1}
            metrics = wire.ask(server, "GET", "/metrics").body.decode()
            assert ('craton_throttled_requests_total{quota="us.amazon.*",limit="requests-per-minute",'
                    f'gen_ai_request_model="{NOVA}"}} 1\n') in metrics
            assert server.admin("DELETE", "quotas") == {"quotas": []}
            client.converse(**asked(model="us." + NOVA))
            server.admin("POST", "reset")
            assert shown() == start
        (folder / "craton.yaml").unlink()

    @pytest.mark.parametrize("body", [
        None, [], {}, {"quotas": []}, {"quotas": {"a": 5}}, {"quotas": {"a": {}}}, {"quotas": {"": "1rpm"}},
        {"quotas": {"a": "1rps"}}, {"quotas": {"a": {"rpm": 1}}}, {"quotas": {"a": {"streams": 0}}},
        {"quotas": {"a": {"streams": "1"}}}, {"quotas": {}, "more": 1}])
    def test_refuses_what_is_no_quota(self, server, body):
        limit_all(server, "9rpm")
        with pytest.raises(urllib.error.HTTPError) as refused:
            server.admin("PUT", "quotas", body=body)
        assert refused.value.code == 400
        assert server.admin("GET", "quotas")["quotas"][0]["requests-per-minute"] == 9

    @pytest.mark.parametrize("arguments, told", [
        (("--quota", "anthropic.*"), "expected PATTERN=QUOTA"),
        (("--quota", "a=10"), "expected a number and its unit: 10rpm, 20000tpm"),
        (("--retry-after", "yes"), "expected auto, on or off, found 'yes'")])
    def test_wrong_flags(self, arguments, told):
        done = craton.run_craton("serve", *arguments)
        assert done.returncode == 1 and told in done.stderr

    @pytest.mark.parametrize("text, told", [
        ("quotas: 5\n", "quotas: expected lines of the form"),
        ('quotas: {"a*": 10rps}\n', "expected a number and its unit"),
        ('quotas: {"a*": {rpm: 10}}\n', "expected one of requests-per-minute, tokens-per-minute, tokens-per-day, streams, found 'rpm'"),
        ('quotas: {"a*": {streams: many}}\n', "streams: expected a whole number"),
        ('quotas: {"a*": {}}\n', "expected limits"),
        ('quotas: {"a b": 1rpm}\n', "expected a pattern of model ids")])
    def test_wrong_files(self, tmp_path, text, told):
        (tmp_path / "craton.yaml").write_text(text)
        done = craton.run_craton("serve", cwd=tmp_path)
        assert done.returncode == 1 and told in done.stderr and "craton.yaml:1" in done.stderr

    def test_keys_have_their_own_beside_it(self, folder, tmp_path):
        keys = tmp_path / "keys.json"
        done = craton.run_craton("keys", "create", "ci", "--keys", keys, "--requests-per-minute", "1",
                                 "--tokens-per-day", "100000", "--output", "json")
        key = json.loads(done.stdout)
        listed = craton.run_craton("keys", "list", "--keys", keys).stdout
        assert "1rpm,100000tpd" in listed
        with craton.serving("--bind", "*=script:rules.yaml", "--auth", "verify", "--keys", keys, "--retry-after", "on",
                            "--quota", "*=100rpm", cwd=folder) as server:
            client = craton.boto3.client(
                "bedrock-runtime", region_name="us-east-1", endpoint_url=server.url,
                aws_access_key_id=key["accessKeyId"], aws_secret_access_key=key["secretAccessKey"],
                config=craton.botocore.config.Config(retries={"total_max_attempts": 1}, proxies={}))
            client.converse(**asked())
            refused = refusal(client.converse, **asked())
            assert refused.headers["x-craton-quota"] == "key:ci;requests-per-minute;asked=1;left=0"
            assert 50_000 < int(refused.headers["x-amz-retry-after"]) <= 60_000
            assert left(server)[HAIKU, "on-demand"]["requests-per-minute"] == 99, "the refused one took none"
            metrics = wire.ask(server, "GET", "/metrics").body.decode()
            assert 'craton_throttled_requests_total{quota="key:ci",limit="requests-per-minute",' in metrics
