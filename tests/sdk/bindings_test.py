"""Bindings that change while the server runs: over /_craton/bindings, and when craton.yaml is read again."""
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import botocore.exceptions
import pytest

import craton

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
TITAN = "amazon.titan-text-lite-v1"
NOVA_PROFILE = "us.amazon.nova-lite-v1:0"


def metrics(server):
    with urllib.request.urlopen(server.url + "/metrics", timeout=craton.patience(30)) as answer:
        return answer.read().decode()


def bind(server, pattern, **what):
    return server.admin("POST", "bindings", {"pattern": pattern, **what})["bindings"]


def refused(server, method, path, body=None):
    with pytest.raises(urllib.error.HTTPError) as raised:
        server.admin(method, path, body)
    answer = raised.value
    return answer.code, json.load(answer)["message"]


def ask(server, model=HAIKU, text="hi", attempts=1):
    client = server.client("bedrock-runtime", attempts=attempts)
    answer = client.converse(modelId=model, inferenceConfig={"maxTokens": 8},
                             messages=[{"role": "user", "content": [{"text": text}]}])
    return answer["output"]["message"]["content"][0]["text"]


@pytest.fixture
def server(tmp_path):
    (tmp_path / "rules.yaml").write_text("rules:\n  - answer: from the start\n")
    with craton.serving("--bind", f"*=script:{tmp_path}/rules.yaml") as running:
        yield running


def test_rules_are_told_without_a_file(server):
    assert ask(server) == "from the start"
    rows = bind(server, "anthropic.*", rules=[
        {"name": "told", "match": {"prompt": {"contains": "who"}}, "answer": "told: {{last_user_text}}"}])
    assert [row["added"] for row in rows] == [True, False]
    assert ask(server, text="who are you") == "told: who are you"
    assert ask(server, text="else") == "from the start", "rules pass what they do not fit"
    assert ask(server, TITAN, "who are you") == "from the start"
    rows = server.admin("GET", "bindings")["bindings"]
    assert [(row["engine"], row["answered"]) for row in rows] == [("script", 1), ("script", 3)]
    assert rows[0]["model"] == rows[0]["id"]


def test_the_latest_stands_first_and_each_goes_by_its_id(server):
    first = bind(server, "*", rules=[{"answer": "first"}])[0]["id"]
    second = bind(server, "*", rules=[{"answer": "second"}])[0]["id"]
    assert ask(server) == "second"
    server.admin("DELETE", f"bindings/{second}")
    assert ask(server) == "first"
    server.admin("DELETE", f"bindings/{first}")
    assert ask(server) == "from the start"
    assert refused(server, "DELETE", f"bindings/{first}")[0] == 404


@pytest.mark.parametrize("method, path", [("DELETE", "bindings"), ("POST", "reset")])
def test_all_is_as_at_the_start_again(server, method, path):
    start = server.admin("GET", "bindings")["bindings"]
    bind(server, "*", rules=[{"answer": "added"}])
    server.admin("DELETE", f"bindings/{start[0]['id']}")
    assert ask(server) == "added"
    server.admin(method, path)
    assert server.admin("GET", "bindings")["bindings"] == start
    assert ask(server) == "from the start"


def test_a_pattern_may_be_an_id_as_callers_name_it(server):
    bind(server, "us.*", rules=[{"answer": "by profile"}])
    bind(server, "arn:aws:bedrock:*:inference-profile/*", rules=[{"answer": "by ARN"}])
    assert ask(server, NOVA_PROFILE) == "by profile"
    assert ask(server, "amazon.nova-lite-v1:0") == "from the start"
    arn = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{NOVA_PROFILE}"
    assert ask(server, arn) == "by ARN"


def test_rules_before_aws_answer_and_count_once():
    """What passes to AWS as it came is looked for first."""
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
    with craton.serving("--bind", "*=aws", **keys) as server:
        bind(server, "anthropic.*", rules=[{"answer": "here"}])
        assert ask(server) == "here"
        rows = server.admin("GET", "bindings")["bindings"]
        assert [(row["engine"], row["answered"]) for row in rows] == [("script", 1), ("aws", 0)]


def test_what_is_wrong_is_refused_and_binds_nothing(server):
    before = server.admin("GET", "bindings")
    for body, told in [
            (b"{", "JSON object"),
            ({"pattern": "*"}, "either a 'model' or 'rules'"),
            ({"pattern": "*", "model": "no-such-model"}, "no-such-model"),
            ({"pattern": "*", "model": "script:/nowhere.yaml"}, "/nowhere.yaml"),
            ({"pattern": "*", "model": "upstream:ftp://a"}, "upstream"),
            ({"pattern": "*", "model": {"contxt": 1}}, "did you mean 'context'?"),
            ({"pattern": "*", "rules": [{"match": {"promt": "a"}, "answer": "b"}]}, "did you mean 'prompt'?"),
            ({"pattern": "*", "rules": [{"answer": {"file": "/etc/hostname"}}]}, "file"),
    ]:
        status, message = refused(server, "POST", "bindings", body)
        assert status == 400 and told in message, message
    assert server.admin("GET", "bindings") == before


def test_a_model_comes_and_goes():
    with craton.serving("--model", "none") as server:
        with pytest.raises(botocore.exceptions.ClientError):
            ask(server)
        row = bind(server, "anthropic.*", model=craton.SMOL)[0]
        assert row["engine"] == "llama"
        assert ask(server, attempts=5)
        assert f'model="{craton.SMOL}' in metrics(server)
        loaded = server.memory_kib()
        server.admin("DELETE", "bindings")
        end = time.monotonic() + craton.patience(10)
        while server.memory_kib() > loaded - 20_000 and time.monotonic() < end:
            time.sleep(0.05)
        assert server.memory_kib() < loaded - 20_000, "it is unloaded"
        assert "craton_engine_ready" not in metrics(server)
        bind(server, "anthropic.*", model={"file": craton.SMOL, "context": 512})
        assert ask(server, attempts=5)


def test_another_server_comes_and_goes_while_it_answers(server):
    slow = [{"answer": {"text": "a b c d e f g h", "pacing": {"tokens-per-second": 8}}}]
    with craton.serving("--model", "none") as other, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        bind(other, "*", rules=slow)
        upstream = {"upstream": [other.url + "/openai/v1"], "upstream-model": "openai.gpt-oss-20b-1:0"}
        row = bind(server, "*", model=upstream)[0]
        assert row["engine"] == "upstream"
        answer = pool.submit(ask, server)
        end = time.monotonic() + craton.patience(10)
        while other.admin("GET", "bindings")["bindings"][0]["answered"] == 0 and time.monotonic() < end:
            time.sleep(0.01)
        server.admin("DELETE", f"bindings/{row['id']}")
        assert ask(server) == "from the start"
        assert answer.result() == "a b c d e f g h", "what was begun goes on"
        assert ask(server) == "from the start"


def test_bindings_change_under_load(server):
    """Whoever asks meanwhile is answered by the one or the other."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asking = [pool.submit(lambda: [ask(server) for _ in range(30)]) for _ in range(4)]
        while not all(each.done() for each in asking):
            row = bind(server, "*", rules=[{"answer": "added"}])[0]
            server.admin("DELETE", f"bindings/{row['id']}")
        answers = {answer for each in asking for answer in each.result()}
    assert answers <= {"added", "from the start"}
    assert ask(server) == "from the start"


def test_craton_yaml_is_read_again(tmp_path):
    config = tmp_path / "craton.yaml"

    def write(text, *rules):
        for name in rules:
            (tmp_path / f"{name}.yaml").write_text(f"rules:\n  - answer: {name}\n")
        config.write_text(text)

    write('bind:\n  "anthropic.*": script:one.yaml\n  "*": script:other.yaml\n', "one", "other")
    with craton.serving("--config", str(config), cwd=tmp_path) as server:
        assert (ask(server), ask(server, TITAN)) == ("one", "other")
        write('bind:\n  "anthropic.*": script:two.yaml\n  "*": script:other.yaml\n', "two")
        server.signal(signal.SIGHUP)
        server.wait_for_log("bindings_reloaded")
        assert (ask(server), ask(server, TITAN)) == ("two", "other")
        assert server.admin("GET", "bindings")["bindings"][1]["answered"] == 1
        write('bind:\n  "anthropic.*": script:nowhere.yaml\n')
        server.signal(signal.SIGHUP)
        server.wait_for_log("bindings_not_reloaded")
        assert ask(server) == "two", "what is wrong changes nothing"
        write(f'model: {craton.SMOL}\nbind:\n  "*": script:other.yaml\n')
        server.signal(signal.SIGHUP)
        server.wait_for_log("needs a start anew")
        assert ask(server) == "two"


def test_the_documented_commands_bind_and_unbind():
    text = (craton.SOURCE / "docs" / "administration.md").read_text(encoding="utf-8")
    start, commands = re.search(r"^```sh\n(craton serve.*?) &\n(.*?)^```$", text, re.M | re.S).groups()
    with craton.serving(*start.split()[2:]) as server:
        path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
        done = subprocess.run(["sh", "-ec", commands.replace("http://127.0.0.1:8420", server.url)],
                              env=craton.sdk_environment(server.url, AWS_PAGER="", PATH=path),
                              text=True, capture_output=True, timeout=craton.patience(60))
        assert done.returncode == 0, done.stderr
        assert "You said hello." in done.stdout
        assert server.admin("GET", "bindings")["bindings"] == []
