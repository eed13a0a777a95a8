"""Models that other servers answer for: craton in front of OpenAI-compatible servers, one and many.

The servers are scripted (upstream_server.py), llama.cpp's own llama-server where bench/engine has built it, and
craton itself.
"""
import base64
import concurrent.futures
import contextlib
import glob
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.request

import botocore.exceptions
import pytest

import craton
import families
from upstream_server import Handler, MODEL, Upstream

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"
TITAN_EMBED = "amazon.titan-embed-text-v2:0"
RERANK = "cohere.rerank-v3-5:0"
WEATHER = {"tools": [{"toolSpec": {"name": name, "description": "d", "inputSchema": {
    "json": {"type": "object", "properties": {"city": {"type": "string"}}}}}} for name in ("weather", "clock")]}


@contextlib.contextmanager
def craton_before(*upstreams, **settings):
    """craton serve with one model, which `upstreams` answer; as craton.yaml, and `settings` of the model."""
    import tempfile
    told = {"upstream": "[" + ", ".join(getattr(one, "url", one) for one in upstreams) + "]", **settings}
    lines = "".join(f"    {name.replace('_', '-')}: {value}\n" for name, value in told.items())
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "craton.yaml").write_text(
            f"model: cluster\nmodels:\n  cluster:\n{lines}bind:\n  '*': cluster\n")
        with craton.serving(cwd=folder) as server:
            yield server


def message(text):
    return [{"role": "user", "content": [{"text": text}]}]


def converse(server, text, model=HAIKU, attempts=1, **more):
    return server.client("bedrock-runtime", attempts=attempts).converse(
        modelId=model, messages=message(text), **more)


def said(answer):
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])


def refused(server, text, model=HAIKU, **more):
    """Type and text of the refusal."""
    refusal = craton.refusal(server.client("bedrock-runtime").converse, modelId=model, messages=message(text), **more)
    return refusal.type, refusal.message


def streamed(server, text, model=HAIKU, **more):
    """The text that came, and the type of the exception that ended it, if one did."""
    stream = server.client("bedrock-runtime").converse_stream(
        modelId=model, messages=message(text), **more)["stream"]
    came = ""
    try:
        for event in stream:
            came += event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
    except botocore.exceptions.EventStreamError as error:
        return came, error.response["Error"]["Code"]
    return came, None


def replica_metrics(server, name):
    with urllib.request.urlopen(server.url + "/metrics", timeout=craton.patience(10)) as answer:
        page = answer.read().decode()
    return {url: float(value) for url, value in
            re.findall(rf'^craton_replica_{name}\{{.*replica="([^"]*)"\}} (\S+)$', page, re.M)}


def wait_until(condition, limit=10):
    deadline = time.monotonic() + craton.patience(limit)
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def bound(upstream):
    with craton_before(upstream, idle_limit=2) as server:
        yield server.wait_ready()


@pytest.fixture
def fresh(upstream, bound):
    """The same, when the replica is not resting, and nothing was asked yet."""
    wait_until(lambda: replica_metrics(bound, "ready") == {upstream.url: 1.0} or probe(bound))
    upstream.requests.clear()
    upstream.gate.clear()
    return bound


def probe(server):
    """A request that goes well ends a trial."""
    with contextlib.suppress(botocore.exceptions.ClientError):
        converse(server, "hello", inferenceConfig={"maxTokens": 1})
    return False


# --- What is answered

def test_an_answer_is_the_servers_own(fresh):
    answer = converse(fresh, "one two")
    assert said(answer) == "onetwo"
    assert answer["stopReason"] == "end_turn"
    assert (answer["usage"]["inputTokens"], answer["usage"]["outputTokens"]) == (12, 2)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["x-craton-engine"], headers["x-craton-model"]) == ("upstream", MODEL)


def test_a_stream_passes_token_by_token(fresh, upstream):
    stream = fresh.client("bedrock-runtime").converse_stream(modelId=HAIKU, messages=message("slow"))["stream"]
    texts = []
    for event in stream:
        text = event.get("contentBlockDelta", {}).get("delta", {}).get("text")
        if text:
            texts.append(text)
            upstream.gate.set()  # only now is the second sent
    assert texts == ["first", " second"]


def test_a_reader_that_is_slow_slows_the_server(fresh):
    """200 MB of answer do not gather in craton."""
    before = fresh.memory_kib()
    with socket.create_connection(("127.0.0.1", fresh.port)) as connection:
        body = json.dumps({"messages": message("long 2000000")}).encode()
        connection.sendall(b"POST /model/%s/converse-stream HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
                           % (HAIKU.encode(), len(body), body))
        connection.recv(1000)
        time.sleep(3)
        assert fresh.memory_kib() - before < 40_000
    assert said(converse(fresh, "hello")) == "hello"


def test_everything_that_is_asked_is_asked_upstream(fresh, upstream):
    png = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
    fresh.client("bedrock-runtime").converse(
        modelId=SONNET, system=[{"text": "Be brief."}],
        messages=[
            {"role": "user", "content": [{"text": "weather?"}, {"image": {"format": "png", "source": {"bytes": png}}}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "weather",
                                                           "input": {"city": "Rome"}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "sun"}],
                                                         "status": "error"}}]}],
        inferenceConfig={"maxTokens": 77, "temperature": 0.5, "stopSequences": ["END"]},
        toolConfig={**WEATHER, "toolChoice": {"any": {}}}, additionalModelRequestFields={"top_k": 5})
    body = upstream.bodies()[0]
    assert body["model"] == MODEL and body["stream"] and body["stream_options"] == {"include_usage": True}
    assert (body["max_tokens"], body["temperature"], body["stop"], body["top_k"]) == (77, 0.5, ["END"], 5)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["weather", "clock"]
    assert body["tool_choice"] == "required"
    system, asked, called, result = body["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert asked["content"][1]["image_url"]["url"] == "data:image/png;base64," + base64.b64encode(png).decode()
    assert called["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Rome"}'}
    assert result == {"role": "tool", "tool_call_id": "t1", "content": "Error: sun"}


def test_seeds_and_top_p_and_formats_are_asked_upstream(fresh, upstream):
    body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5, "top_p": 0.5, "seed": 7,
            "response_format": {"type": "json_schema", "json_schema": {
                "name": "x", "schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}}}
    fresh.client("bedrock-runtime").invoke_model(modelId="qwen.qwen3-32b-v1:0", body=json.dumps(body))
    sent = upstream.bodies()[0]
    assert (sent["top_p"], sent["seed"]) == (0.5, 7)
    assert sent["response_format"]["json_schema"]["schema"] == body["response_format"]["json_schema"]["schema"]


def test_calls_of_tools(fresh):
    answer = converse(fresh, "call", SONNET, toolConfig=WEATHER)
    blocks = answer["output"]["message"]["content"]
    assert blocks[0] == {"text": "Let me see."}
    assert [(b["toolUse"]["name"], b["toolUse"]["input"]) for b in blocks[1:]] == [
        ("weather", {"city": "Rome"}), ("clock", {})]
    assert answer["stopReason"] == "tool_use"


def test_thoughts_where_they_are_wanted(fresh, upstream):
    answer = converse(fresh, "thought", SONNET, inferenceConfig={"maxTokens": 4000}, additionalModelRequestFields={
        "thinking": {"type": "enabled", "budget_tokens": 2000}})
    assert answer["output"]["message"]["content"][0]["reasoningContent"]["reasoningText"]["text"] == "Hm."
    assert upstream.bodies()[0]["chat_template_kwargs"]["enable_thinking"] is True
    assert said(converse(fresh, "thought", SONNET)) == "Yes."


def test_which_stop_sequence_it_was(fresh):
    answer = converse(fresh, "stopped END", inferenceConfig={"stopSequences": ["END"]},
                      additionalModelResponseFieldPaths=["/stop_sequence"])
    assert answer["stopReason"] == "stop_sequence"
    assert answer["additionalModelResponseFields"] == {"stop_sequence": "END"}


def test_a_server_that_does_not_stream(fresh):
    assert streamed(fresh, "whole") == ("whole", None)


def test_usage_that_a_server_does_not_tell_is_estimated_and_logged(fresh):
    assert converse(fresh, "no-usage")["usage"]["outputTokens"] == 2
    fresh.wait_for_log("usage_estimated")


def test_more_tokens_than_fit_are_as_many_as_fit(fresh, upstream):
    answer = converse(fresh, "greedy", SONNET, inferenceConfig={"maxTokens": 8000})
    assert said(answer) == "3996" and answer["stopReason"] == "model_context_window_exceeded"
    assert len(upstream.bodies()) == 2


def test_tokens_are_counted_by_the_servers_tokenizer(fresh, upstream):
    counted = fresh.client("bedrock-runtime").count_tokens(
        modelId=SONNET.removeprefix("us."), input={"converse": {"messages": message("hi")}})
    assert counted["inputTokens"] == 11
    assert upstream.bodies("/tokenize")[0]["messages"] == [{"role": "user", "content": "hi"}]


def test_an_estimate_of_tokens_says_that_it_is_one():
    with Upstream(owner="somebody") as plain, craton_before(plain) as server:
        counted = server.wait_ready().client("bedrock-runtime").count_tokens(
            modelId=SONNET.removeprefix("us."), input={"converse": {"messages": message("12345678")}})
        assert counted["inputTokens"] == 6
        assert counted["ResponseMetadata"]["HTTPHeaders"]["x-craton-stand-in"] == "tokens estimated"


def test_embeddings_and_ranks(fresh, upstream):
    runtime = fresh.client("bedrock-runtime")
    answer = runtime.invoke_model(modelId="cohere.embed-english-v3", body=json.dumps(
        {"texts": ["four", "sevenly"], "input_type": "search_document"}))
    vectors = json.loads(answer["body"].read())["embeddings"]
    assert len(vectors) == 2 and upstream.bodies("/v1/embeddings")[0]["input"] == ["four", "sevenly"]
    ranked = runtime.invoke_model(modelId=RERANK, body=json.dumps(
        {"api_version": 2, "query": "sun", "documents": ["rain", "the sun", "fog"]}))
    results = json.loads(ranked["body"].read())["results"]
    assert results[0]["index"] == 1 and abs(results[0]["relevance_score"] - 0.9) < 1e-3
    upstream.answers["/v1/rerank"] = Handler.missing
    ranked = runtime.invoke_model(modelId=RERANK, body=json.dumps(
        {"api_version": 2, "query": "sun", "documents": ["rain", "the sun"]}))
    assert len(json.loads(ranked["body"].read())["results"]) == 2, "by vectors"


# --- What goes wrong

@pytest.mark.parametrize("status, error", [
    (400, "ValidationException"), (401, "ModelErrorException"), (404, "ModelErrorException"),
    (422, "ValidationException"), (429, "ThrottlingException"), (500, "ModelErrorException"),
    (502, "ModelErrorException"), (503, "ServiceUnavailableException"), (504, "ModelTimeoutException")])
def test_a_refusal_is_awss(fresh, status, error):
    assert refused(fresh, f"status {status}")[0] == error


def test_a_refusal_says_why(fresh):
    assert "because" in refused(fresh, "status 400")[1]


def test_a_prompt_that_is_too_long_is_refused_as_bedrock_does(fresh):
    kind, text = refused(fresh, "too-long")
    assert kind == "ValidationException" and "too long" in text


@pytest.mark.parametrize("behaviour, error", [
    ("stall", "ModelTimeoutException"), ("reset", "ModelErrorException"), ("html", "ModelErrorException"),
    ("no-sse", "ModelErrorException"), ("no-http", "ModelErrorException"),
    ("endless-event", "ModelErrorException"), ("length-short", "ModelErrorException"),
    ("broken-json", "ModelErrorException"), ("no-end", "ModelErrorException"),
    ("error-later", "ModelErrorException"), ("stall-later", "ModelTimeoutException"),
    ("reset-later", "ModelErrorException")])
def test_whatever_a_server_does_the_caller_gets_the_right_exception_in_time(fresh, upstream, behaviour, error):
    began = time.monotonic()
    assert refused(fresh, behaviour)[0] == error
    assert time.monotonic() - began < craton.patience(8), "the idle limit is two seconds"
    assert len(upstream.bodies()) == 1, "what may be running is not begun again"
    assert replica_metrics(fresh, "ready") == {upstream.url: 0.0}, "it rests"
    assert replica_metrics(fresh, "outstanding") == {upstream.url: 0.0}


@pytest.mark.parametrize("behaviour, error", [
    ("stall-later", "modelStreamErrorException"), ("reset-later", "modelStreamErrorException"),
    ("broken-json", "modelStreamErrorException"), ("no-end", "modelStreamErrorException"),
    ("error-later", "modelStreamErrorException")])
def test_a_stream_that_breaks_ends_with_an_exception(fresh, behaviour, error):
    assert streamed(fresh, behaviour) == ("first", error)


def test_a_stream_whose_length_is_a_lie(fresh):
    assert streamed(fresh, "length-long") == ("lie", None), "its end had come"


def test_a_caller_that_leaves_ends_the_servers_work(fresh, upstream):
    connection = socket.create_connection(("127.0.0.1", fresh.port))
    body = json.dumps({"messages": message("stall-later")}).encode()
    connection.sendall(b"POST /model/%s/converse-stream HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
                       % (HAIKU.encode(), len(body), body))
    connection.recv(1000)
    wait_until(lambda: replica_metrics(fresh, "outstanding") == {upstream.url: 1.0})
    connection.close()
    wait_until(lambda: replica_metrics(fresh, "outstanding") == {upstream.url: 0.0}, 1.5)
    assert replica_metrics(fresh, "ready") == {upstream.url: 1.0}, "that was not its fault"


def test_an_answer_ends_at_the_answers_limit():
    with Upstream() as slow, craton.serving("--model", "upstream:" + slow.url + "/v1/", "--answer-limit", "1") as server:
        server.wait_ready()
        assert refused(server, "stall")[0] == "ModelTimeoutException"


def test_nothing_leaks(upstream):
    with craton_before(upstream, idle_limit=1) as server:
        server.wait_ready()
        converse(server, "hello")
        count = lambda: len(os.listdir(f"/proc/{server.process.pid}/fd"))
        before = count()
        for behaviour in ("reset", "html", "no-sse", "broken-json", "reset-later", "length-long", "stall") * 2:
            wait_until(lambda: replica_metrics(server, "ready") == {upstream.url: 1.0} or probe(server))
            with contextlib.suppress(botocore.exceptions.ClientError):
                converse(server, behaviour)
        wait_until(lambda: count() <= before + 3)


# --- Many replicas

def test_a_replica_that_is_gone_is_passed_over(upstream):
    with Upstream() as gone:
        dead = gone.url
    with craton_before(upstream, dead) as server:
        server.wait_ready()
        for i in range(20):
            assert said(converse(server, f"hello{i}")) == f"hello{i}"
        wait_until(lambda: replica_metrics(server, "ready") == {upstream.url: 1.0, dead: 0.0})


def test_a_replica_that_is_full_is_passed_over():
    with Upstream() as full, Upstream() as free, craton_before(full, free) as server:
        server.wait_ready()
        full.answers["/v1/chat/completions"] = lambda handler, _: handler.send(503, "", Retry_After="1")
        for i in range(10):
            assert said(converse(server, f"hello{i}")) == f"hello{i}"
        assert len(free.bodies()) == 10


def test_a_conversation_stays_with_its_replica_and_many_spread():
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Upstream()) for _ in range(3)]
        front = stack.enter_context(craton_before(*servers)).wait_ready()
        for _ in range(6):
            converse(front, "the same")
        assert sorted(len(one.bodies()) for one in servers) == [0, 0, 6]
        for i in range(60):
            converse(front, f"another {i}")
        assert min(len(one.bodies()) for one in servers) > 5


def test_when_all_are_gone_the_service_is_unavailable_until_one_is_back():
    with Upstream() as first:
        port = first.port
        server = craton.Server("--model", "upstream:" + first.url)
        server.wait_ready()
        first.stop()
        assert refused(server, "hello")[0] == "ServiceUnavailableException"
        with Upstream(port=port):
            wait_until(lambda: replica_metrics(server, "ready") == {first.url: 1.0})
            assert said(converse(server, "hello")) == "hello"
        server.stop()


def test_a_server_that_comes_later_is_found():
    with Upstream() as first:
        port = first.port
    with craton.serving("--model", "upstream:" + first.url) as server:
        server.wait_ready()
        assert refused(server, "hello")[0] == "ServiceUnavailableException"
        with Upstream(port=port):
            wait_until(lambda: replica_metrics(server, "ready") == {first.url: 1.0})
            wait_until(lambda: probe(server) or "upstream_found" in server.log())
            assert said(converse(server, "hello")) == "hello"


def test_a_slow_one_gets_less():
    with Upstream() as slow, Upstream() as quick, craton_before(slow, quick) as server:
        server.wait_ready()

        def after_a_while(handler, body):
            time.sleep(0.5)
            handler.chat(body)
        slow.answers["/v1/chat/completions"] = after_a_while
        with concurrent.futures.ThreadPoolExecutor(8) as callers:
            list(callers.map(lambda i: converse(server, f"hello {i}"), range(80)))
        assert len(quick.bodies()) > 2 * len(slow.bodies()), (len(quick.bodies()), len(slow.bodies()))


# --- Settings

def test_a_binding_may_name_a_server_and_no_other_model_is_wanted(upstream):
    with craton.serving("--bind", "anthropic.*=upstream:" + upstream.url) as server:
        server.wait_ready()
        assert said(converse(server, "hello")) == "hello"
        assert refused(server, "hello", NOVA)[0] == "ModelNotReadyException"


def test_keys_are_sent_and_not_told(tmp_path):
    (tmp_path / "key").write_text("sesame\n")
    with Upstream(key="sesame") as locked:
        flags = ("--model", "upstream:" + locked.url)
        with craton.serving(*flags, "--api-key-file", tmp_path / "key") as server:
            server.wait_ready()
            assert said(converse(server, "hello")) == "hello"
            assert locked.requests[-1][2]["Authorization"] == "Bearer sesame"
            assert "sesame" not in server.log()
        with craton.serving(*flags, "--api-key-env", "SESAME", SESAME="sesame") as server:
            assert said(converse(server.wait_ready(), "hello")) == "hello"
    done = craton.run_craton("serve", "--port", "0", *flags, "--api-key-env", "SESAME")
    assert done.returncode != 0 and "SESAME" in done.stderr


def test_another_name_may_be_sent(upstream):
    with craton_before(upstream, upstream_model="other-name") as server:
        answer = converse(server.wait_ready(), "hello")
        assert answer["ResponseMetadata"]["HTTPHeaders"]["x-craton-model"] == "other-name"
        assert upstream.bodies()[-1]["model"] == "other-name"


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "ftp://x", "http://", "http://user@host"])
def test_what_is_no_address_is_refused_at_the_start(address):
    done = craton.run_craton("serve", "--port", "0", "--model", "upstream:" + address)
    assert done.returncode != 0 and "expected http://HOST:PORT" in done.stderr, done.stderr


def test_doctor_asks_each_replica(tmp_path, upstream):
    with Upstream() as gone:
        dead = gone.url
    (tmp_path / "craton.yaml").write_text(
        f"model: none\nmodels:\n  a: {{upstream: [{upstream.url}, {dead}]}}\nbind: {{'*': a}}\n")
    told = craton.run_craton("doctor", "--port", "0", cwd=tmp_path)
    assert told.returncode != 0
    assert re.search(rf"ok +config +{MODEL} is answered by vllm at {upstream.url}", told.stdout), told.stdout
    assert re.search(rf"FAIL +config +a: {dead}: .*[Cc]onnect", told.stdout), told.stdout


# --- Real servers

def llama_server():
    sys.path.insert(0, str(craton.SOURCE / "bench" / "engine"))
    try:
        import programs
    finally:
        sys.path.pop(0)
    own = programs.programs_folder()
    folders = [own] + sorted(map(pathlib.Path, glob.glob(str(own.parent / "llama.cpp-programs-*"))))
    return next((folder / "llama-server" for folder in folders if (folder / "complete").exists()), None)


@pytest.fixture(scope="module")
def llama():
    program = llama_server()
    if not program:
        pytest.skip("llama-server is not built: bench/engine/run builds it")
    cache = pathlib.Path(os.environ.get("CRATON_CACHE_DIR") or pathlib.Path.home() / ".cache" / "craton")
    models = sorted((cache / "models").glob("smollm2-135m-instruct*.gguf"))
    if not models:
        pytest.skip("no SmolLM2: craton pull smollm2-135m-instruct")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program, "--model", models[0], "--port", str(port), "--host", "127.0.0.1", "--ctx-size", "1024", "--parallel",
         "1", "--threads", "1", "--offline", "--no-ui"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with craton.serving("--model", f"upstream:http://127.0.0.1:{port}") as server:
            server.wait_ready()
            wait_until(lambda: probe(server) or "upstream_found" in server.log() and
                       1.0 in replica_metrics(server, "ready").values(), 60)
            yield server
    finally:
        process.terminate()
        process.wait(30)


def test_llama_server_answers(llama):
    greedy = {"maxTokens": 8, "temperature": 0}
    answer = converse(llama, "Say hello.", inferenceConfig=greedy)
    assert said(answer) and answer["stopReason"] in ("max_tokens", "end_turn")
    text, error = streamed(llama, "Say hello.", inferenceConfig=greedy)
    assert (text, error) == (said(answer), None)
    counted = llama.client("bedrock-runtime").count_tokens(
        modelId=SONNET.removeprefix("us."), input={"converse": {"messages": message("Say hello.")}})
    assert "x-craton-stand-in" not in counted["ResponseMetadata"]["HTTPHeaders"]
    usage = answer["usage"]
    assert counted["inputTokens"] == usage["inputTokens"] + usage.get("cacheReadInputTokens", 0)


def test_llama_server_goes_on_with_an_answer_that_has_begun(llama):
    begun = "One, two, three, four,"
    answer = llama.client("bedrock-runtime").converse(
        modelId=HAIKU, messages=message("Count to ten in words.") + [
            {"role": "assistant", "content": [{"text": begun}]}],
        inferenceConfig={"maxTokens": 6, "temperature": 0})
    assert said(answer) and not said(answer).startswith(begun)


def test_llama_server_refuses_what_is_too_long(llama):
    kind, text = refused(llama, "word " * 3000)
    assert kind == "ValidationException" and "too long" in text


def test_llama_server_holds_answers_to_a_schema(llama):
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"],
              "additionalProperties": False}
    body = {"messages": [{"role": "user", "content": "How old are you?"}], "max_tokens": 40, "temperature": 0,
            "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}
    answer = llama.client("bedrock-runtime").invoke_model(modelId="qwen.qwen3-32b-v1:0", body=json.dumps(body))
    text = json.loads(answer["body"].read())["choices"][0]["message"]["content"]
    assert isinstance(json.loads(text)["age"], int)


def test_craton_before_craton(smol):
    with craton.serving("--model", "upstream:" + smol.url + "/openai", "--upstream-model", "openai.gpt-oss-20b-1:0") as server:
        server.wait_ready()
        greedy = {"maxTokens": 8, "temperature": 0}
        direct = converse(smol, "Say hello.", inferenceConfig=greedy)
        through = converse(server, "Say hello.", inferenceConfig=greedy)
        assert said(through) == said(direct)
        assert through["usage"]["inputTokens"] == direct["usage"]["inputTokens"]
        assert through["usage"]["outputTokens"] == direct["usage"]["outputTokens"]
