"""HTTP/2 in clear text, as the JavaScript SDK's Bedrock runtime and Java's async clients speak it."""
import json
import pathlib
import shutil
import socket
import subprocess
import time

import pytest

import craton
import http2
import wire
from families import claude_messages

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
INVOKE = f"/model/{HAIKU}/invoke"
NODE = shutil.which("node")
CURL = shutil.which("curl")


def counting(tokens):
    """A body whose greedy answer is a count that goes on until the limit ends it."""
    return json.dumps({**claude_messages(""), "max_tokens": tokens, "temperature": 0,
                       "messages": [{"role": "user", "content": "Count from 1 to 1000."},
                                    {"role": "assistant", "content": "1, 2, 3, 4, 5, 6, 7, 8, 9,"}]})


@pytest.fixture(autouse=True)
def goes_on_serving(bare):
    """Whatever a test did, the next caller is served."""
    yield
    assert bare.process.poll() is None, bare.log()[-3000:]
    assert bare.get("/health") == 200


@pytest.fixture
def alone():
    """A server that makes one answer at a time."""
    with craton.serving("--model", craton.SMOL, "--parallel", "1", "--threads", "1") as server:
        yield server.wait_ready()


class TestAnswers:
    def test_are_those_of_http_1_1(self, bare):
        with http2.Connection(bare) as connection:
            answer = connection.ask("GET", "/foundation-models")
        other = wire.ask(bare, "GET", "/foundation-models")
        assert (answer.status, answer.body) == (other.status, other.body)
        assert answer.headers["content-type"] == other.headers["content-type"]
        assert answer.headers["content-length"] == str(len(answer.body))
        assert not answer.headers.keys() & {"connection", "transfer-encoding", "keep-alive"}
        assert craton.UUID.fullmatch(answer.headers["x-amzn-requestid"])

    def test_come_on_many_streams_at_once(self, bare):
        with http2.Connection(bare) as connection:
            connection.ask("GET", "/health")
            streams = [connection.send("GET", "/foundation-models") for _ in range(100)]
            assert {connection.read(stream).status for stream in streams} == {200}

    def test_to_head_have_no_body(self, bare):
        with http2.Connection(bare) as connection:
            answer = connection.ask("HEAD", "/health")
        assert answer.status == 200 and answer.body == b"" and int(answer.headers["content-length"]) > 0

    def test_are_made_by_the_model(self, smol):
        with http2.Connection(smol) as connection:
            body = json.dumps({**claude_messages("Hi"), "max_tokens": 5})
            answer = connection.ask("POST", INVOKE, body, [("content-type", "application/octet-stream")])
        assert answer.status == 200 and json.loads(answer.body)["type"] == "message"
        assert answer.headers["x-craton-model"] == craton.SMOL


class TestRefusals:
    @pytest.mark.parametrize("method, path, status", [
        ("GET", "/no/such/path", 404), ("GET", "/guardrails", 501), ("POST", INVOKE, 400)])
    def test_have_the_form_of_http_1_1(self, bare, method, path, status):
        with http2.Connection(bare) as connection:
            answer = connection.ask(method, path, b"{}" if method == "POST" else b"")
        other = wire.ask(bare, method, path, "{}" if method == "POST" else "")
        assert answer.status == other.status == status
        assert answer.body == other.body
        assert answer.headers["x-amzn-errortype"] == other.headers["x-amzn-errortype"]

    def test_of_a_large_body_do_not_wait_for_it(self, bare):
        with http2.Connection(bare) as connection:
            stream = connection.send("POST", INVOKE, headers=[("content-length", "25000001")], ends=False)
            answer = connection.answers[stream]
            connection.until(lambda: answer.reset is not None)
            assert answer.status == 413 and answer.ended and answer.reset == 0
            assert connection.ask("GET", "/health").status == 200

    def test_of_a_large_header_leave_the_connection_usable(self, bare):
        with http2.Connection(bare) as connection:
            assert connection.ask("GET", "/health", headers=[("x", "y" * 40_000)] * 2).status == 431
            assert connection.ask("GET", "/health").status == 200

    def test_end_a_connection_that_resets_without_end(self, bare):
        with http2.Connection(bare) as connection:
            connection.ask("GET", "/health")
            for _ in range(1000):
                stream = connection.send("GET", "/foundation-models")
                connection.h2.reset_stream(stream, 8)
            connection.flush()
            connection.until(lambda: connection.goaway is not None)
            assert connection.goaway == 11  # ENHANCE_YOUR_CALM


    def test_of_what_follows_the_preface_without_frames_end_the_connection(self, bare):
        with socket.create_connection(("127.0.0.1", bare.port), craton.patience(10)) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET /health HTTP/1.1\r\nHost: h\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        assert b"HTTP/1.1" not in answer and b"ok" not in answer
        assert b"\x07\0\0\0\0\0" in answer, "GOAWAY"


class TestWhileAnAnswerIsMade:
    def test_pings_are_answered_at_once(self, smol):
        with http2.Connection(smol) as connection:
            stream = connection.send("POST", INVOKE, counting(1500))
            time.sleep(0.2)  # let it reach the engine
            for number in range(1, 6):
                connection.h2.ping(b"12345678")
                connection.flush()
                started = time.monotonic()
                connection.until(lambda: connection.pongs == number)
                assert time.monotonic() - started < craton.patience(1)
            assert not connection.answers[stream].ended, "the model still computes"
            connection.h2.reset_stream(stream, 8)
            connection.flush()

    def test_a_goodbye_of_the_client_changes_nothing(self, smol):
        with http2.Connection(smol) as connection:
            stream = connection.send("POST", INVOKE, counting(15))
            connection.say_goodbye()
            assert json.loads(connection.read(stream).body)["usage"]["output_tokens"] == 15

    @pytest.mark.parametrize("leave", ["reset", "close"])
    def test_a_client_that_leaves_frees_the_engine(self, alone, leave):
        connections = []
        for _ in range(3):
            connection = http2.Connection(alone)
            stream = connection.send("POST", INVOKE, counting(1500))
            connections.append((connection, stream))
        time.sleep(0.3)
        for connection, stream in connections:
            if leave == "reset":
                connection.h2.reset_stream(stream, 8)
                connection.flush()
            else:
                connection.socket.close()
        started = time.monotonic()
        body = json.dumps({**claude_messages("Hi"), "max_tokens": 1})
        with http2.Connection(alone, timeout=90) as connection:
            assert connection.ask("POST", INVOKE, body).status == 200
        # 4500 tokens would take a minute; one token and the end of a step take a moment.
        assert time.monotonic() - started < craton.patience(5)

    def test_a_signal_says_goodbye_and_lets_it_finish(self, alone):
        with http2.Connection(alone) as idle, http2.Connection(alone) as connection:
            idle.ask("GET", "/health")
            connection.send("POST", INVOKE, counting(100))
            time.sleep(0.3)
            alone.signal()
            assert idle.until(lambda: idle.goaway is not None) and idle.goaway == 0
            assert connection.until(lambda: connection.goaway is not None) and connection.goaway == 0
        alone.wait()


@pytest.mark.skipif(not CURL, reason="no curl here")
def test_curl_speaks_it(bare):
    done = subprocess.run([CURL, "-s", "--http2-prior-knowledge", "-w", "\n%{http_version} %{response_code}",
                           bare.url + "/foundation-models"], capture_output=True, text=True, timeout=60)
    body, told = done.stdout.rsplit("\n", 1)
    assert told == "2 200"
    assert json.loads(body)["modelSummaries"]


@pytest.mark.skipif(not NODE, reason="no Node.js here")
class TestNode:
    SCRIPT = pathlib.Path(__file__).with_name("http2_client.js")

    def begin(self, server, *arguments):
        return subprocess.Popen([NODE, self.SCRIPT, server.url, *arguments], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def answer(self, process):
        return json.loads(process.communicate(timeout=craton.patience(60))[0])

    def test_gets_all_of_an_answer_after_its_goodbye(self, bare):
        answer = self.answer(self.begin(bare, "/foundation-models"))
        assert "error" not in answer and answer["headers"][":status"] == 200 and answer["code"] == 0
        assert len(json.loads(answer["body"])["modelSummaries"]) > 50  # more than one window of bytes

    def test_gets_its_answer_though_the_server_stops(self, alone):
        process = self.begin(alone, INVOKE, counting(300))
        assert process.stderr.readline() == "asked\n"
        alone.signal()  # some hundred tokens before the answer is whole
        answer = self.answer(process)
        assert json.loads(answer["body"])["usage"]["output_tokens"] == 300
        assert answer["goaways"] > 0
        alone.wait()
