#!/usr/bin/env python3
"""Many clients ask one server of everything, for minutes: nothing leaks, nothing hangs, nobody gets a 500.

usage: tests/soak.py [--program FILE] [--minutes N] [--clients N] [--seed N]

Each client asks one thing after another on connections that it keeps or drops: whole answers and streams of
several families, shared and own beginnings, tools, JSON, counts, what is wrong, and streams that it leaves half
read. Meanwhile memory, descriptors, and the engine's queue are looked at; at the end all must be given back.
The program is one of `scripts/build asan craton`, or any other. Needs tests/requirements.txt and SmolLM2
(craton pull smollm2-135m-instruct).
"""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import socket
import sys
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent

SYSTEM = "You are a patient assistant of a library. " * 40
WEATHER = {"toolSpec": {"name": "weather", "inputSchema": {"json": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}}
HAIKU = "/model/anthropic.claude-3-haiku-20240307-v1:0"
LLAMA = "/model/meta.llama3-8b-instruct-v1:0"
NOVA = "/model/amazon.nova-lite-v1:0"
SONNET = "/model/anthropic.claude-sonnet-4-5-20250929-v1:0"  # one whose tokens Bedrock counts


def converse(dice, **more):
    turns = []
    for turn in range(dice.choice([1, 1, 3, 5])):
        role = "assistant" if turn % 2 else "user"
        turns.append({"role": role, "content": [{"text": f"{turn}: {dice.choice(['Hi', 'Count.', 'Why?'])} {'x ' * dice.randrange(40)}"}]})
    body = {"messages": turns, "inferenceConfig": {"maxTokens": dice.randrange(1, 60)}, **more}
    if dice.random() < 0.6:
        body["system"] = [{"text": SYSTEM}]
    if dice.random() < 0.3:
        body["inferenceConfig"]["temperature"] = 0.9
    return json.dumps(body)


def claude(dice):
    return json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": dice.randrange(1, 50),
                       "stop_sequences": ["e t"], "messages": [{"role": "user", "content": "Tell me of " + dice.choice("abcdefgh") * 20}]})


def llama(dice):
    return json.dumps({"prompt": "Repeat: " + "one two three four " * dice.randrange(1, 30), "max_gen_len": dice.randrange(1, 80)})


def tool(dice):
    choice = dice.choice([{"any": {}}, {"auto": {}}, {"tool": {"name": "weather"}}])
    return converse(dice, toolConfig={"tools": [WEATHER], "toolChoice": choice})


def tier(dice):
    """Not flex: behind as many as ask here without a break, its turn does not come."""
    return converse(dice, serviceTier={"type": dice.choice(["priority", "default"])})


# What is asked: weight, method, path, body, and the statuses that are right. 424 is a call of a tool that
# the limit of tokens cut; 429 an engine that is busy.
ASKED = [
    (6, "POST", NOVA + "/converse", converse, {200, 429}),
    (6, "POST", NOVA + "/converse-stream", converse, {200, 429}),
    (2, "POST", NOVA + "/converse", tier, {200, 429}),
    (2, "POST", NOVA + "/converse", tool, {200, 424, 429}),
    (2, "POST", NOVA + "/converse-stream", tool, {200, 424, 429}),
    (3, "POST", HAIKU + "/invoke", claude, {200, 429}),
    (3, "POST", HAIKU + "/invoke-with-response-stream", claude, {200, 429}),
    (3, "POST", LLAMA + "/invoke-with-response-stream", llama, {200, 429}),
    (1, "POST", SONNET + "/count-tokens", lambda dice: json.dumps({"input": {"converse": {"messages": json.loads(converse(dice))["messages"]}}}), {200}),
    (1, "POST", LLAMA + "/invoke", lambda dice: json.dumps({"prompt": "word " * 9000}), {400}),
    (1, "POST", LLAMA + "/invoke", lambda dice: '{"prompt": ', {400}),
    (1, "POST", "/model/no.such-model/converse", converse, {400}),
    (1, "POST", NOVA + "/converse", lambda dice: json.dumps({"messages": [{"role": "assistant", "content": []}]}), {400}),
    (1, "GET", "/foundation-models", lambda dice: "", {200}),
    (1, "GET", "/metrics", lambda dice: "", {200}),
]


class Client(threading.Thread):
    def __init__(self, port, seed, until, counts):
        super().__init__(daemon=True)
        self.port, self.dice, self.until, self.counts = port, random.Random(seed), until, counts
        self.socket = self.input = None
        self.problems = []

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), 300)
        self.input = self.socket.makefile("rb")

    def drop(self):
        if self.socket:
            if self.dice.random() < 0.3:  # a reset rather than an end
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.input.close()
            self.socket.close()
        self.socket = None

    def read_answer(self, leaves):
        """The status; None when the client has left in the middle of a stream."""
        status = int(self.input.readline().split()[1])
        headers = {}
        while (line := self.input.readline()) != b"\r\n":
            name, value = line.decode().split(":", 1)
            headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding") != "chunked":
            self.input.read(int(headers.get("content-length", 0)))
            return status
        while size := int(self.input.readline(), 16):
            self.input.read(size + 2)
            if leaves and self.dice.random() < 0.2:
                return None
        self.input.readline()
        return status

    def ask(self):
        _, method, path, body_of, right = self.dice.choices(ASKED, [row[0] for row in ASKED])[0]
        body = body_of(self.dice).encode()
        head = f"{method} {path.replace(':', '%3A')} HTTP/1.1\r\nHost: craton\r\nContent-Length: {len(body)}\r\n\r\n"
        self.socket.sendall(head.encode() + body)
        if self.dice.random() < 0.05:
            self.counts["left"] += 1
            return self.drop()
        status = self.read_answer(leaves=self.dice.random() < 0.2)
        if status is None:
            self.counts["left"] += 1
            return self.drop()
        self.counts[status] += 1
        if status not in right:
            self.problems.append(f"{method} {path} {body[:300]!r}: {status}")

    def run(self):
        try:
            while time.monotonic() < self.until:
                if not self.socket:
                    self.connect()
                self.ask()
                if self.socket and self.dice.random() < 0.1:
                    self.drop()
        except Exception as error:
            self.problems.append(f"{type(error).__name__}: {error}")
        self.drop()


def metrics(server):
    with urllib.request.urlopen(server.url + "/metrics", timeout=120) as answer:
        page = answer.read().decode()
    sums = collections.Counter()  # over all models: the encoder that was pulled is one too
    for name, number in re.findall(
            r"^(craton_engine_\w+|craton_http_connections)(?:\{[^}]*\})? ([0-9.e+]+)$", page, re.M):
        sums[name] += float(number)
    return sums


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def show(server, counts, started):
    now = metrics(server)
    print(f"{time.monotonic() - started:6.0f} s  {sum(counts.values()):7} asked  "
          f"{server.memory_kib() // 1024:5} MiB  {descriptors(server):4} descriptors  "
          f"{now['craton_engine_running']:.0f} running  {now['craton_engine_queue_length']:.0f} waiting  "
          f"{now['craton_engine_generated_tokens_total']:.0f} tokens", flush=True)


def settled(server, connections):
    """Whether the engine and the connections are given back within a minute."""
    for _ in range(600):
        now = metrics(server)
        idle = now["craton_engine_running"] + now["craton_engine_queue_length"] == 0
        # The one that asks is open too.
        if idle and now["craton_http_connections"] <= 1 and descriptors(server) <= connections:
            return True
        time.sleep(0.1)
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / "build" / "asan" / "craton")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.environ["CRATON_BINARY"] = str(arguments.program)
    sys.path.insert(0, str(HERE / "sdk"))
    import craton
    with craton.serving("--model", craton.SMOL, "--log", "warning") as server:
        server.wait_ready(120)
        metrics(server)
        before = descriptors(server)
        started = time.monotonic()
        counts = collections.Counter()
        clients = [Client(server.port, f"{arguments.seed} {i}", started + 60 * arguments.minutes, counts)
                   for i in range(arguments.clients)]
        for client in clients:
            client.start()
        # What is kept of prompts and connections has grown by then.
        warm_up = min(120, 30 * arguments.minutes)
        memory = None
        while any(client.is_alive() for client in clients):
            time.sleep(10)
            show(server, counts, started)
            if memory is None and time.monotonic() - started > warm_up:
                memory = server.memory_kib()
        problems = [problem for client in clients for problem in client.problems]
        if not settled(server, before):
            problems.append(f"not all was given back: {metrics(server)}, {descriptors(server)} descriptors, {before} before")
        grown = (server.memory_kib() - (memory or 0)) / 1024
        print(dict(sorted(counts.items(), key=str)), f"{grown:+.1f} MiB since the warm-up")
        if not craton.sanitized() and grown > 32:  # a sanitizer keeps what was freed
            problems.append(f"memory grew by {grown:.1f} MiB")
    print("\n".join(problems) or "all was well")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
