"""Several models in one server: which ids each answers, when it is loaded, and when it goes."""
import concurrent.futures
import json
import re
import urllib.request

import botocore.exceptions
import pytest

import craton

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"
MISTRAL = "mistral.mistral-7b-instruct-v0:2"

# The same weights thrice: what is told apart is the settings.
CONFIG = f"""
model: {craton.SMOL}
memory: {{memory}}
models:
  short: {{{{file: {craton.SMOL}, context: 256}}}}
  small-cache: {{{{file: {craton.SMOL}, kv-type: q8_0}}}}
bind:
  "amazon.*": short
  "*sonnet-4-5*": small-cache
"""


def ask(server, model, text="Say a word.", attempts=1, **inference):
    answer = server.client("bedrock-runtime", attempts=attempts).converse(
        modelId=model, messages=[{"role": "user", "content": [{"text": text}]}],
        inferenceConfig={"maxTokens": 5, "temperature": 0, **inference})
    return answer["ResponseMetadata"]["HTTPHeaders"]["x-craton-model"], answer


def loaded(server):
    """The models that are ready, as /metrics tells."""
    with urllib.request.urlopen(server.url + "/metrics", timeout=craton.patience(10)) as answer:
        page = answer.read().decode()
    return {model for model, ready in
            re.findall(r'^craton_engine_ready\{engine="llama",model="([^"]*)"\} (\d)$', page, re.M)
            if ready == "1"}


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    (folder / "craton.yaml").write_text(CONFIG.format(memory="8G"))
    with craton.serving(cwd=folder) as server:
        yield server.wait_ready()


def test_each_id_is_answered_by_the_model_that_it_is_bound_to(many):
    names = {ask(many, model)[0] for model in (HAIKU, MISTRAL)}
    assert len(names) == 1, "what is bound to none is answered by the default"
    assert ask(many, NOVA)[0] == "short"
    assert ask(many, SONNET)[0] == "small-cache"
    assert ask(many, "amazon.titan-text-lite-v1")[0] == "short"


def test_each_model_has_its_own_settings(many):
    long = "word " * 400
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        ask(many, NOVA, long)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert ask(many, HAIKU, long)[1]["usage"]["inputTokens"] > 256


def test_a_context_that_is_full_is_told_to_whom_it_is_told(tmp_path):
    flags = ("--context", "96", "--bind", "amazon.*=" + craton.SMOL)
    with craton.serving("--model", craton.SMOL, *flags) as server:
        server.wait_ready()
        question = "Count from 1 to 1000, one number a line."
        assert ask(server, SONNET, question, maxTokens=500)[1]["stopReason"] == "model_context_window_exceeded"
        assert ask(server, NOVA, question, maxTokens=500)[1]["stopReason"] == "max_tokens"


def test_models_are_loaded_when_they_are_asked_for(tmp_path):
    (tmp_path / "craton.yaml").write_text(CONFIG.format(memory="8G"))
    with craton.serving(cwd=tmp_path) as server:
        server.wait_ready()
        assert len(loaded(server)) == 1, "the default one"
        assert "model: short (loaded when asked for)" in server.output()
        ask(server, NOVA)
        assert "short" in loaded(server) and "small-cache" not in loaded(server)


def test_the_least_used_goes_where_memory_is_short(tmp_path):
    """Room for the default and for one of the other two."""
    (tmp_path / "craton.yaml").write_text(CONFIG.format(memory="700M"))
    with craton.serving(cwd=tmp_path) as server:
        server.wait_ready()
        for _ in range(2):
            assert ask(server, NOVA)[0] == "short"
            assert "small-cache" not in loaded(server)
            assert ask(server, SONNET)[0] == "small-cache"
            assert "short" not in loaded(server)
        assert len(loaded(server)) == 2
        with concurrent.futures.ThreadPoolExecutor(8) as callers:
            asked = [HAIKU, NOVA, SONNET] * 4
            # On a slow machine a model that the others keep busy may not go in time: SDKs ask again.
            names = list(callers.map(lambda model: ask(server, model, attempts=5)[0], asked))
        assert all((name == "short") == (model == NOVA) for name, model in zip(names, asked))


def test_a_stream_keeps_its_model(tmp_path):
    (tmp_path / "craton.yaml").write_text(CONFIG.format(memory="700M"))
    with craton.serving(cwd=tmp_path) as server:
        server.wait_ready()
        stream = server.client("bedrock-runtime").converse_stream(
            modelId=NOVA, messages=[{"role": "user", "content": [{"text": "Count from 1 to 100."}]}],
            inferenceConfig={"maxTokens": 60, "temperature": 0})["stream"]
        events = iter(stream)
        next(events)
        assert ask(server, SONNET)[0] == "small-cache", "it waits until the other is done"
        assert [name for event in events for name in event][-1] == "metadata"


def test_a_model_that_cannot_be_loaded_takes_down_its_own_ids_alone(tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(4000))
    with craton.serving("--model", craton.SMOL, "--bind", f"amazon.*={broken}") as server:
        server.wait_ready()
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            ask(server, NOVA)
        assert refused.value.response["Error"]["Code"] == "ModelErrorException"
        ask(server, HAIKU)
        assert "model_failed" in server.log() and "broken" in server.log()
    told = craton.run_craton("doctor", "--port", "0", CRATON_BIND=f"amazon.*={broken}")
    assert told.returncode != 0 and re.search(r"FAIL +config +.*broken.*cannot be read", told.stdout), told.stdout


def test_models_that_can_never_fit_are_refused_at_the_start(tmp_path):
    (tmp_path / "craton.yaml").write_text(CONFIG.format(memory="200M"))
    done = craton.run_craton("serve", "--port", "0", cwd=tmp_path)
    assert done.returncode != 0
    assert re.search(r"need \d+M, and --memory gives 200M", done.stderr), done.stderr


def test_several_kept_models_are_ready_together(tmp_path):
    (tmp_path / "craton.yaml").write_text(
        f"model: small\nmodels:\n  small: {{file: {craton.SMOL}}}\n"
        f"  other: {{file: {craton.SMOL}, context: 512, keep: on}}\n")
    with craton.serving(cwd=tmp_path) as server:
        server.wait_ready()
        with urllib.request.urlopen(server.url + "/ready", timeout=10) as answer:
            told = json.load(answer)
        assert told["status"] == "ready" and [row["status"] for row in told["models"]] == ["ready", "ready"]
        assert len(loaded(server)) == 2


def test_bindings_may_be_flags_and_the_nearest_file_is_named(tmp_path):
    done = craton.run_craton("serve", "--port", "0", "--bind", "amazon.*=smolm2-135m-instruct",
                             "--bind", "meta.*=" + craton.SMOL)
    assert done.returncode != 0 and craton.SMOL in done.stderr
