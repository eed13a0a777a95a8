"""Models that are computed with help: layers by another machine, guesses by a smaller model."""
import contextlib
import socket
import subprocess
import time

import botocore.exceptions
import pytest

import craton

NOVA = "amazon.nova-lite-v1:0"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def working(port=None):
    """A worker on this machine: "127.0.0.1:port"."""
    port = port or free_port()
    process = subprocess.Popen([craton.BINARY, "worker", "--port", str(port), "--threads", "1"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + craton.patience(10)
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert time.monotonic() < until, "the worker does not listen"
            time.sleep(0.02)
        yield f"127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


def ask(server, text="Say a word.", tokens=12):
    answer = server.client("bedrock-runtime").converse(
        modelId=NOVA, messages=[{"role": "user", "content": [{"text": text}]}],
        inferenceConfig={"maxTokens": tokens, "temperature": 0})
    return answer["output"]["message"]["content"][0]["text"], answer["usage"]


def refusal_of(server):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        ask(server)
    return refused.value.response["Error"]


def test_layers_are_computed_by_another_machine(smol):
    with working() as (machine, _), craton.serving("--model", craton.SMOL, "--rpc", machine) as server:
        server.wait_ready()
        text, usage = ask(server, "Count from 1 to 20.", tokens=40)
    own, own_usage = ask(smol, "Count from 1 to 20.", tokens=40)
    # Another machine's kernels add up in another order: near ties may fall otherwise, late.
    assert text.split()[:5] == own.split()[:5], "the same weights say the same"
    assert usage["inputTokens"] == own_usage["inputTokens"]


def test_a_machine_that_is_not_there_fails_the_model_and_nothing_else():
    with craton.serving("--model", craton.SMOL, "--rpc", f"127.0.0.1:{free_port()}") as server:
        log = server.wait_for_log("model_failed")
        assert "cannot be used: Connection refused. Run 'craton worker' on it" in log
        error = refusal_of(server)
        assert error["Code"] == "ModelErrorException" and "Connection refused" in error["Message"]
        assert server.client("bedrock").list_foundation_models()["modelSummaries"]


def test_what_answers_in_a_workers_place_is_told():
    """A server of another kind, here of Craton itself."""
    with craton.serving("--model", "none") as other:
        with craton.serving("--model", craton.SMOL, "--rpc", f"127.0.0.1:{other.port}") as server:
            assert "no 'craton worker' answers there" in server.wait_for_log("model_failed", limit=20)


def test_a_machine_that_is_lost_fails_the_model_until_it_is_back():
    with working() as (machine, process), craton.serving("--model", craton.SMOL, "--rpc", machine) as server:
        server.wait_ready()
        said, _ = ask(server)
        process.kill()
        process.wait()
        error = refusal_of(server)
        assert error["Code"] == "ModelErrorException"
        lost = f"machine {machine} was lost. Run 'craton worker' on it again."
        assert lost in server.wait_for_log("model_failed")
        assert lost in refusal_of(server)["Message"]
        assert server.client("bedrock").list_foundation_models()["modelSummaries"]
        with working(int(machine.split(":")[1])):
            until = time.monotonic() + craton.patience(60)
            while True:
                with contextlib.suppress(botocore.exceptions.ClientError):
                    assert ask(server)[0].split()[:3] == said.split()[:3]
                    break
                assert time.monotonic() < until, "the model is not loaded again"
                time.sleep(1)


def test_a_machine_that_is_lost_in_the_middle_of_an_answer_ends_it():
    with working() as (machine, process), craton.serving("--model", craton.SMOL, "--rpc", machine) as server:
        server.wait_ready()
        stream = server.client("bedrock-runtime").converse_stream(
            modelId=NOVA, messages=[{"role": "user", "content": [{"text": "Count from 1 to 1000."}]}],
            inferenceConfig={"maxTokens": 1000, "temperature": 0})["stream"]
        with pytest.raises(botocore.exceptions.EventStreamError) as ended:
            for event in stream:
                if "contentBlockDelta" in event and process.poll() is None:
                    process.kill()
                    process.wait()
        assert "modelStreamErrorException" in str(ended.value)


@pytest.mark.parametrize("value", ["here", ":1", "host:", "host:0", "host:70000", "a:1,b"])
def test_an_address_that_is_none_is_refused_at_the_start(value):
    done = craton.run_craton("serve", "--model", "none", "--rpc", value)
    assert done.returncode == 1 and "expected HOST:PORT, such as 10.0.0.2:50052" in done.stderr


def test_a_draft_model_changes_no_answer(smol):
    question = "Count from 1 to 20."
    with craton.serving("--model", craton.SMOL, "--draft", craton.SMOL) as server:
        server.wait_ready()
        assert "draft=1" in server.log()
        text, usage = ask(server, question, tokens=60)
    own, own_usage = ask(smol, question, tokens=60)
    # Batches of other sizes add up in another order: near ties may fall otherwise, late.
    assert text.split()[:8] == own.split()[:8]
    assert usage["inputTokens"] == own_usage["inputTokens"]


def test_a_draft_model_of_another_family_is_refused():
    with craton.serving("--model", craton.SMOL, "--draft", craton.QWEN) as server:
        assert "has another vocabulary" in server.wait_for_log("model_failed", limit=60)
        assert refusal_of(server)["Code"] == "ModelErrorException"
