"""Declared answers: what rules match, what they answer in every call form, and how they fail."""
import base64
import json
import re
import signal
import time
import urllib.request

import botocore.exceptions
import pytest

import craton
from craton import refusal
from embeddings_test import PIXEL

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
NOVA = "amazon.nova-lite-v1:0"
TITAN = "amazon.titan-text-lite-v1"
LLAMA = "meta.llama3-8b-instruct-v1:0"
MISTRAL = "mistral.mistral-7b-instruct-v0:2"
GPT = "openai.gpt-oss-20b-1:0"

RULES = """
rules:
  - name: greeting
    match: {prompt: {contains: hello}}
    answer: "Hello to {{model_id}}: {{last_user_text}}"
  - name: weather-told
    match: {tool-result: {name: get_weather, text: {contains: "21"}}}
    answer: "It is {{tool_result}} degrees."
  - name: weather
    match: {prompt: {regex: "weather in (\\\\w+)"}, tool: get_weather}
    answer:
      reasoning: I should look it up.
      tool-calls:
        - {name: get_weather, input: {city: "{{match.1}}", days: 2}}
  - name: sequence
    match: {prompt: again}
    answers: [one, two, {fault: ThrottlingException}, "call {{call}}"]
  - name: second
    match: {prompt: which, call: 2}
    answer: the second
  - name: which
    match: {prompt: which}
    answer: another
  - name: declared
    match: {json: {"messages[0].content[0].text": numbers}}
    answer:
      text: abc
      stop-sequence: END
      usage: {input-tokens: 7, output-tokens: 9}
  - name: tagged
    match: {metadata: {team: search}}
    answer: "for {{metadata.team}}"
  - name: system
    match: {system: {contains: pirate}, streamed: false}
    answer: {json: {ok: true, said: "{{last_user_text}}"}}
  - name: slow
    match: {prompt: slow}
    answer: {text: "a b c d e f g h i j", pacing: {first-token: 200ms, tokens-per-second: 50}}
  - name: long
    match: {prompt: long}
    answer: {file: long.txt}
"""
LONG = " ".join(f"word{i}" for i in range(3000))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("script")
    (folder / "rules.yaml").write_text(RULES)
    (folder / "long.txt").write_text(LONG)
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with craton.serving("--bind", f"*=script:{folder}/rules.yaml") as server:
        yield server


@pytest.fixture
def runtime(server):
    server.admin("POST", "reset")
    return server.client("bedrock-runtime")


def asked(text, **more):
    return {"messages": [{"role": "user", "content": [{"text": text}]}], **more}


def converse(runtime, text, model=HAIKU, **more):
    return runtime.converse(modelId=model, **asked(text, **more))


def text_of(answer):
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])


TOOLS = {"toolConfig": {"tools": [{"toolSpec": {
    "name": "get_weather", "inputSchema": {"json": {"type": "object"}}}}]}}

# How each family is asked by InvokeModel, and where its answer is.
NATIVE = [
    (HAIKU, lambda text: {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100,
                          "messages": [{"role": "user", "content": text}]},
     lambda body: body["content"][0]["text"]),
    (TITAN, lambda text: {"inputText": text}, lambda body: body["results"][0]["outputText"]),
    (LLAMA, lambda text: {"prompt": text}, lambda body: body["generation"]),
    (MISTRAL, lambda text: {"prompt": text}, lambda body: body["outputs"][0]["text"]),
    (NOVA, lambda text: {"messages": [{"role": "user", "content": [{"text": text}]}]},
     lambda body: body["output"]["message"]["content"][0]["text"]),
    (GPT, lambda text: {"messages": [{"role": "user", "content": text}]},
     lambda body: body["choices"][0]["message"]["content"]),
]


class TestOneRuleServesEveryForm:
    @pytest.mark.parametrize("model, body, text", NATIVE, ids=[row[0].split(".")[0] for row in NATIVE])
    def test_invoke_model(self, runtime, model, body, text):
        answer = runtime.invoke_model(modelId=model, body=json.dumps(body("hello you")))
        assert f"Hello to {model}: hello you" in text(json.loads(answer["body"].read()))
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-craton-engine"] == "script"
        assert headers["x-craton-model"] == "rules.yaml#greeting"
        assert int(headers["x-amzn-bedrock-output-token-count"]) > 3

    @pytest.mark.parametrize("model, body", [row[:2] for row in NATIVE],
                             ids=[row[0].split(".")[0] for row in NATIVE])
    def test_invoke_model_with_response_stream(self, runtime, model, body):
        answer = runtime.invoke_model_with_response_stream(modelId=model,
                                                           body=json.dumps(body("hello you")))
        chunks = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
        assert "Hello to" in json.dumps(chunks) or len(chunks) > 3
        assert "amazon-bedrock-invocationMetrics" in chunks[-1]

    def test_converse(self, runtime):
        answer = converse(runtime, "hello")
        assert text_of(answer) == f"Hello to {HAIKU}: hello"
        assert answer["stopReason"] == "end_turn"
        assert answer["usage"] == {"inputTokens": 1, "outputTokens": 18, "totalTokens": 19}

    def test_converse_stream(self, runtime):
        events = list(runtime.converse_stream(modelId=HAIKU, **asked("hello"))["stream"])
        deltas = [event["contentBlockDelta"]["delta"]["text"] for event in events
                  if "contentBlockDelta" in event]
        assert "".join(deltas) == f"Hello to {HAIKU}: hello" and len(deltas) == 18
        assert events[-1]["metadata"]["usage"]["outputTokens"] == 18, "a delta a token"

    @pytest.mark.parametrize("path, model", [("/anthropic/v1/messages", HAIKU),
                                             ("/openai/v1/chat/completions", GPT),
                                             ("/openai/v1/responses", GPT)])
    def test_providers_own_apis(self, server, path, model):
        body = {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}]}
        if path.endswith("responses"):
            body = {"model": model, "input": "hello"}
        request = urllib.request.Request(server.url + path, json.dumps(body).encode(),
                                         {"content-type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            assert f"Hello to {model}: hello" in answer.read().decode()
            assert answer.headers["x-craton-engine"] == "script"

    def test_count_tokens_counts_what_an_answer_reports(self, runtime):
        counted = runtime.count_tokens(modelId="anthropic.claude-sonnet-4-5-20250929-v1:0", input={"converse": asked("hello there")})
        assert counted["inputTokens"] == converse(runtime, "hello there")["usage"]["inputTokens"] == 2


class TestMatching:
    def test_tools_are_called_and_their_results_answered(self, runtime):
        answer = converse(runtime, "The weather in Seoul?", **TOOLS)
        call = answer["output"]["message"]["content"][-1]["toolUse"]
        assert answer["stopReason"] == "tool_use"
        assert (call["name"], call["input"]) == ("get_weather", {"city": "Seoul", "days": 2})
        told = runtime.converse(modelId=HAIKU, messages=[
            *asked("The weather in Seoul?")["messages"],
            {"role": "assistant", "content": [{"toolUse": call}]},
            {"role": "user", "content": [{"toolResult": {
                "toolUseId": call["toolUseId"], "content": [{"text": "21"}]}}]}], **TOOLS)
        assert text_of(told) == "It is 21 degrees."

    def test_calls_of_tools_are_streamed(self, runtime):
        events = list(runtime.converse_stream(modelId=HAIKU,
                                              **asked("weather in Busan", **TOOLS))["stream"])
        inputs = [event["contentBlockDelta"]["delta"]["toolUse"]["input"] for event in events
                  if "toolUse" in event.get("contentBlockDelta", {}).get("delta", {})]
        assert json.loads("".join(inputs)) == {"city": "Busan", "days": 2} and len(inputs) > 3

    def test_answers_follow_each_other(self, runtime):
        assert [text_of(converse(runtime, "again")) for _ in range(2)] == ["one", "two"]
        assert refusal(runtime.converse, modelId=HAIKU, **asked("again")).type == "ThrottlingException"
        assert [text_of(converse(runtime, "again")) for _ in range(2)] == ["call 4", "call 5"]

    def test_the_nth_call_counts_all_that_fit(self, runtime):
        assert [text_of(converse(runtime, "which")) for _ in range(3)] == [
            "another", "the second", "another"]

    def test_what_is_declared_is_told(self, runtime):
        answer = converse(runtime, "numbers")
        assert answer["stopReason"] == "stop_sequence"
        assert (answer["usage"]["inputTokens"], answer["usage"]["outputTokens"]) == (7, 9)

    def test_metadata_and_system(self, runtime):
        assert text_of(converse(runtime, "x", requestMetadata={"team": "search"})) == "for search"
        native = runtime.invoke_model(modelId=HAIKU, body=json.dumps(NATIVE[0][1]("x")),
                                      requestMetadata='{"team": "search"}')
        assert "for search" in native["body"].read().decode()
        said = text_of(converse(runtime, 'say "x"', system=[{"text": "You are a pirate."}]))
        assert json.loads(said) == {"ok": True, "said": 'say "x"'}

    def test_nothing_fits(self, runtime):
        refused = refusal(runtime.converse, modelId=HAIKU, **asked("The weather?"))
        assert (refused.type, refused.status) == ("ResourceNotFoundException", 404)
        assert "rules.yaml has no rule for this request; the nearest is " in refused.message
        assert "which does not fit: " in refused.message and "/" not in refused.message.split("fit:")[0]


def test_pacing_is_kept(runtime):
    began = time.monotonic()
    stream = runtime.converse_stream(modelId=HAIKU, **asked("slow"))["stream"]
    arrived = [time.monotonic() - began for event in stream if "contentBlockDelta" in event]
    assert len(arrived) == 10 and arrived[0] >= 0.2 and arrived[-1] >= 0.38
    began = time.monotonic()
    converse(runtime, "slow")
    assert time.monotonic() - began >= 0.38, "whole answers take as long"


def test_long_answers_wait_for_their_reader(runtime):
    stream = runtime.converse_stream(modelId=HAIKU, **asked("long"))["stream"]
    text = "".join(event["contentBlockDelta"]["delta"]["text"] for event in stream
                   if "contentBlockDelta" in event)
    assert text == LONG
    assert text_of(converse(runtime, "long")) == LONG


def test_what_rules_pass_goes_to_the_next_binding(tmp_path):
    (tmp_path / "a.yaml").write_text("rules:\n- match: {prompt: a}\n  answer: from a\n")
    (tmp_path / "b.yaml").write_text(
        "rules:\n- {match: {prompt: once}, answer: from b, afterwards: pass}\n"
        "- {answer: from b at last}\n")
    (tmp_path / "craton.yaml").write_text(
        'models: {second: {script: b.yaml}}\n'
        'bind: {"anthropic.*": "script:a.yaml", "anthropic.claude*": second}\n')
    with craton.serving(cwd=tmp_path) as server:
        runtime = server.client("bedrock-runtime")
        assert server.get("/ready") == 200, "no model is needed"
        assert [text_of(converse(runtime, text)) for text in ("a", "once", "once")] == [
            "from a", "from b", "from b at last"]
        refused = refusal(runtime.converse, modelId=NOVA, **asked("a"))
        assert refused.type == "ModelNotReadyException" and "No model is bound" in refused.message


def test_a_model_answers_what_rules_pass(tmp_path):
    (tmp_path / "rules.yaml").write_text("rules:\n- match: {prompt: a}\n  answer: declared\n")
    with craton.serving("--model", craton.SMOL, "--bind", "*=script:rules.yaml",
                        cwd=tmp_path) as server:
        runtime = server.wait_ready().client("bedrock-runtime")
        assert text_of(converse(runtime, "a")) == "declared"
        answer = converse(runtime, "Say a word.", inferenceConfig={"maxTokens": 3})
        assert answer["ResponseMetadata"]["HTTPHeaders"]["x-craton-engine"] == "llama"


def test_sighup_takes_changed_rules_up_and_keeps_good_ones(tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: [{answer: old}]")

    def after_hangup(server, event):
        before = server.log().count(event)
        server.signal(signal.SIGHUP)
        deadline = time.monotonic() + craton.patience(10)
        while server.log().count(event) == before and time.monotonic() < deadline:
            time.sleep(0.02)
        return text_of(converse(server.client("bedrock-runtime"), "x"))

    with craton.serving("--model", f"script:{rules}") as server:
        assert text_of(converse(server.client("bedrock-runtime"), "x")) == "old"
        rules.write_text("rules: [{answer: new}]")
        assert after_hangup(server, "rules_reloaded") == "new"
        rules.write_text("rules: [{answr: newer}]")
        assert after_hangup(server, "rules_not_reloaded") == "new"
        assert "did you mean 'answer'?" in server.log()


# What is wrong, and how lint says it.
WRONG = [
    ("rules:\n- name: a\n  match: {promt: x}\n  answer: y\n",
     ":3: unknown key 'promt' of match; did you mean 'prompt'?"),
    ("rules:\n- match:\n    prompt:\n      regex: \"a(\"\n  answer: y\n", ":4: regex: 'a(' is none"),
    ("rules:\n- name: a\n  match: {prompt: x}\n", ":2: a has no answer; is the file complete?"),
    ("rules:\n- name: \"abc\n", ":2: illegal EOF in scalar"),
    ("rules:\n- answer: \"{{last_user_txt}}\"\n", ":2: text: {{last_user_txt}} is no place"),
    ("rules:\n- answer: {file: nowhere.txt}\n", ":2: file: 'nowhere.txt' cannot be read"),
    ("rules:\n- match: {operation: Convers}\n  answer: y\n", "did you mean 'Converse'?"),
    ("rules:\n- answer: {fault: ThrotlingException}\n", ":2: there is no fault 'ThrotlingException'"),
    ("rules:\n- answer: {text: a, stop-reason: done}\n", ":2: stop-reason: expected end_turn"),
    ("rules:\n- answer: {text: a, pacing: {first-token: 200}}\n", ":2: first-token: expected a time"),
    ("rules:\n- answer: a\n  answer: b\n", ":3: 'answer' is there twice"),
    ("", ":1: the file is empty"),
]


@pytest.mark.parametrize("text, complaint", WRONG, ids=range(len(WRONG)))
def test_lint_names_file_and_line(tmp_path, text, complaint):
    (tmp_path / "wrong.yaml").write_text(text)
    done = craton.run_craton("script", "lint", "wrong.yaml", cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.startswith("wrong.yaml:") and complaint in done.stderr, done.stderr
    started = craton.run_craton("serve", "--port", "0", "--bind", "*=script:wrong.yaml", cwd=tmp_path)
    assert started.returncode == 1 and complaint in started.stderr


def test_lint_tells_of_good_files_and_of_usage(folder, tmp_path):
    done = craton.run_craton("script", "lint", folder / "rules.yaml")
    assert done.returncode == 0 and "ok, 11 rule(s)" in done.stdout
    assert craton.run_craton("script", "lint").returncode == 2
    missing = craton.run_craton("script", "lint", folder / "rules.yaml", "nowhere.yaml", cwd=tmp_path)
    assert missing.returncode == 1 and "nowhere.yaml: cannot be read" in missing.stderr


def test_no_text_of_a_client_hangs_the_server(tmp_path):
    (tmp_path / "rules.yaml").write_text(
        'rules:\n- match: {prompt: {regex: "(a+)+$"}}\n  answer: fits\n- answer: other\n')
    with craton.serving("--bind", "*=script:rules.yaml", cwd=tmp_path) as server:
        began = time.monotonic()
        assert text_of(converse(server.client("bedrock-runtime"), "a" * 100_000 + "b")) == "other"
        assert time.monotonic() - began < craton.patience(5)


def blocks_of(page):
    """The YAML examples of a page."""
    return re.findall(r"```yaml\n(.*?)```", (craton.SOURCE / "docs" / page).read_text(), re.S)


@pytest.mark.parametrize("page", ["script.md", "faults.md"])
def test_the_examples_of_the_documentation_are_right(tmp_path, page):
    (tmp_path / "vectors.json").write_text("[[0.5, 1], [1, 0]]")
    (tmp_path / "boat.png").write_bytes(base64.b64decode(PIXEL))
    for number, text in enumerate(blocks_of(page)):
        (tmp_path / f"{number}.yaml").write_text(text)
        done = craton.run_craton("script", "lint", f"{number}.yaml", cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_the_first_example_answers_as_the_page_says(tmp_path):
    (tmp_path / "rules.yaml").write_text(blocks_of("script.md")[0])
    with craton.serving("--bind", "anthropic.*=script:rules.yaml", cwd=tmp_path) as server:
        runtime = server.client("bedrock-runtime", attempts=3)
        assert text_of(converse(runtime, "hello")) == f"Hello to you, {HAIKU}!"
        call = converse(runtime, "weather in Seoul", **TOOLS)["output"]["message"]["content"][0]
        assert call["toolUse"]["input"] == {"city": "Seoul"}
        told = runtime.converse(modelId=HAIKU, messages=[
            *asked("weather in Seoul")["messages"], {"role": "assistant", "content": [call]},
            {"role": "user", "content": [{"toolResult": {
                "toolUseId": call["toolUse"]["toolUseId"], "content": [{"text": "mild"}]}}]}], **TOOLS)
        assert text_of(told) == "It is mild."
        answer = converse(runtime, "try me")
        assert text_of(answer) == "It works now." and answer["ResponseMetadata"]["RetryAttempts"] == 1
