"""Streams that are opened and dropped leave memory, sequences and file descriptors where they were."""
import concurrent.futures
import json
import os
import random
import socket
import time

import pytest

import craton
import wire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(craton.patience(400))]

# All of them against a model would be an hour's computing; what a drop costs does not depend on how
# much was computed before it. service/dropped_streams_test.cc drops ten thousand.
STREAMS = 480
AT_ONCE = 24

BODY = json.dumps({"prompt": "Count.", "max_gen_len": 200})
REQUEST = wire.request("POST", "/model/meta.llama3-8b-instruct-v1:0/invoke-with-response-stream", BODY)


def open_and_drop(server, dice):
    """Sends a request, or a part of one, reads a part of the answer and is gone."""
    with socket.create_connection(("127.0.0.1", server.port), craton.patience(20)) as connection:
        connection.settimeout(craton.patience(60))
        sent = dice.choice([len(REQUEST)] * 9 + [dice.randrange(len(REQUEST))])
        connection.sendall(REQUEST[:sent])
        if sent < len(REQUEST):
            return
        for _ in range(dice.choice([0, 0, 1, 1, 2, 5])):
            if not connection.recv(dice.choice([1, 100, 4096])):
                return
        if dice.random() < 0.3:  # a reset rather than an end
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def drop_many(server, count, seed):
    dice = random.Random(seed)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda own: open_and_drop(server, random.Random(own)),
                      [dice.random() for _ in range(count)]))


def settle(server, expected):
    """Waits until no more descriptors are open than before."""
    deadline = time.monotonic() + craton.patience(20)
    while descriptors(server) > expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return descriptors(server)


def test_dropped_streams_leave_nothing_behind(smol):
    before_any = descriptors(smol)
    drop_many(smol, STREAMS // 2, seed=1)
    assert settle(smol, before_any) <= before_any
    memory = smol.memory_kib()
    drop_many(smol, STREAMS // 2, seed=2)
    assert settle(smol, before_any) <= before_any
    if not craton.sanitized():
        assert smol.memory_kib() - memory < 4096
    # Every sequence is free: as many answers as the engine makes at once, none waits or is refused.
    client = smol.client("bedrock-runtime")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: client.invoke_model(
            modelId="meta.llama3-8b-instruct-v1:0",
            body=json.dumps({"prompt": "Hi", "max_gen_len": 4}))["body"].read(), range(8))
        assert all(json.loads(answer)["generation_token_count"] for answer in answers)
