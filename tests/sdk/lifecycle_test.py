"""A server's life: clients that leave, signals, answers in progress."""
import concurrent.futures
import json
import signal
import socket
import time

import pytest

import craton
import wire
from families import claude_messages

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
INVOKE = f"/model/{HAIKU}/invoke"


def counting(tokens):
    """A request whose greedy answer is a count that goes on until the limit ends it."""
    return wire.request("POST", INVOKE, json.dumps({
        **claude_messages("Count from 1 to 1000."), "max_tokens": tokens, "temperature": 0,
        "messages": [{"role": "user", "content": "Count from 1 to 1000."},
                     {"role": "assistant", "content": "1, 2, 3, 4, 5, 6, 7, 8, 9,"}]}))


@pytest.fixture
def alone():
    """A server that makes one answer at a time."""
    with craton.serving("--model", craton.SMOL, "--parallel", "1", "--threads", "1") as server:
        yield server.wait_ready()


def begin(server, data):
    connection = wire.Connection(server, timeout=90)
    connection.send(data)
    time.sleep(0.3)  # let it reach the engine
    return connection


def test_an_answer_takes_its_time(alone):
    """What the tests below lean on: this question keeps the engine busy for seconds."""
    started = time.monotonic()
    with wire.Connection(alone, timeout=90) as connection:
        answer = connection.send(counting(300)).read()
    assert json.loads(answer.body)["stop_reason"] == "max_tokens"
    assert json.loads(answer.body)["usage"]["output_tokens"] == 300
    assert time.monotonic() - started > 1


@pytest.mark.parametrize("leave", ["close", "reset"])
def test_a_client_that_hangs_up_frees_the_engine(alone, leave):
    connections = [begin(alone, counting(1500)) for _ in range(3)]
    for connection in connections:
        if leave == "reset":
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    started = time.monotonic()
    answer = wire.ask(alone, "POST", INVOKE, json.dumps({**claude_messages("Hi"), "max_tokens": 1}))
    assert answer.status == 200
    # 4500 tokens would take a minute; one token and the end of a step take a moment.
    assert time.monotonic() - started < craton.patience(5)


def test_a_client_that_closes_its_sending_side_still_gets_its_answer(alone):
    with begin(alone, counting(20)) as connection:
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.read()
    assert answer is None or answer.status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["sigterm", "sigint"])
def test_a_signal_lets_answers_finish_and_refuses_new_connections(alone, number):
    with begin(alone, counting(150)) as connection:
        alone.signal(number)
        time.sleep(0.2)
        with pytest.raises(OSError):
            wire.Connection(alone).send(wire.request("GET", "/health")).read().status
        answer = connection.read()
        assert answer.status == 200
        assert json.loads(answer.body)["usage"]["output_tokens"] == 150
        assert connection.ends()
    alone.wait()


def test_a_signal_ends_idle_connections_and_the_server_at_once():
    with craton.serving("--model", "none") as server:
        with wire.Connection(server) as idle:
            assert idle.send(wire.request("GET", "/health")).read().status == 200
            started = time.monotonic()
            server.signal()
            assert idle.ends()
            server.wait(limit=5)
            assert time.monotonic() - started < craton.patience(3)


def test_a_second_signal_stops_at_once(alone):
    with begin(alone, counting(1500)) as connection:
        alone.signal()
        time.sleep(0.3)
        assert alone.process.poll() is None, "the first waits for the answer"
        alone.signal()
        started = time.monotonic()
        alone.wait(limit=10)
        assert time.monotonic() - started < craton.patience(3)
        assert connection.read() is None


def test_the_drain_limit_bounds_the_wait():
    with craton.serving("--model", craton.SMOL, "--threads", "1", "--drain-limit", "1") as server:
        server.wait_ready()
        with begin(server, counting(1500)) as connection:
            server.signal()
            started = time.monotonic()
            server.wait(limit=15)
            assert time.monotonic() - started < craton.patience(5)
            answer = connection.read()
            assert answer is None or answer.status >= 500


def test_a_signal_while_the_model_loads_stops_the_server():
    with craton.serving("--model", craton.QWEN) as server:
        server.signal()
        server.wait(limit=20)


def test_an_answer_limit_ends_an_answer_that_takes_too_long():
    with craton.serving("--model", craton.SMOL, "--threads", "1", "--answer-limit", "1") as server:
        server.wait_ready()
        with wire.Connection(server, timeout=60) as connection:
            answer = connection.send(counting(1500)).read()
        assert (answer.status, answer.error_type) == (408, "ModelTimeoutException")
        assert json.loads(answer.body)["message"]


def test_what_the_queue_cannot_hold_is_throttled_and_the_rest_answered(alone):
    """Far more callers than there are places: each is answered or throttled at once; none waits for
    ever and none is lost."""
    def ask(_):
        with wire.Connection(alone, timeout=100) as connection:
            return connection.send(counting(2)).read()

    with concurrent.futures.ThreadPoolExecutor(400) as pool:
        answers = list(pool.map(ask, range(400)))
    throttled = [answer for answer in answers if answer.status == 429]
    assert {answer.status for answer in answers} <= {200, 429}
    assert any(answer.status == 200 for answer in answers)
    for answer in throttled:
        assert answer.error_type == "ThrottlingException"
        assert json.loads(answer.body)["message"] == "Too many requests, please wait before trying again."
