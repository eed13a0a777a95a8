"""A client of streamed chat completions that costs next to nothing.

It shares the cores with the server that it measures, so while answers come in it only notes which bytes
came when: one thread, one epoll, no parsing, no garbage collection. What the bytes mean is found out
when everything has come, or, where a next request depends on it, when an answer is whole.
`Outcome.client_cpu_s` says what it cost.

A load is a list of talks. A talk is a generator: it yields the body of a request and is sent what came,
a Received.
"""
import dataclasses
import functools
import gc
import json
import select
import socket
import time

PATH = "/v1/chat/completions"
LAST_CHUNK = b"\r\n0\r\n\r\n"


class BadAnswer(Exception):
    """What came is no answer that could be counted."""


@dataclasses.dataclass
class Answer:
    """One streamed answer. Times are of time.perf_counter(), in seconds."""
    sent: float
    text: str = ""
    times: list = dataclasses.field(default_factory=list)  # of each event that brought text
    tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    asked: int = 0  # max_tokens
    finish: str = ""

    @property
    def first_token_s(self):
        return self.times[0] - self.sent

    @property
    def gaps_s(self):
        return [later - earlier for earlier, later in zip(self.times, self.times[1:])]


@dataclasses.dataclass
class Outcome:
    """What a load came to."""
    answers: list  # one list of Answers a talk; late talks are the last
    late: int = 0
    wall_s: float = 0.0
    client_cpu_s: float = 0.0


@dataclasses.dataclass
class Talk:
    """`steps`: the generator. It begins when every talk before it that is not late has got `after` pieces.
    `server`: which one is asked, of those that are measured together.
    """
    steps: object
    after: int = 0
    server: int = 0


def body_pieces(received):
    """[(time, bytes)] of an HTTP/1.1 answer as [(time, bytes)] of its body, without the chunks' frames.

    Raises BadAnswer unless the status is 200 and the body is whole.
    """
    pending, pieces, head, left, state = b"", [], b"", 0, "head"
    for at, data in received:
        pending += data
        while True:
            if state == "head":
                head, found, rest = pending.partition(b"\r\n\r\n")
                if not found:
                    break
                if head.split(b" ", 2)[1] != b"200":
                    whole = rest + b"".join(more for later, more in received if later > at)
                    raise BadAnswer(f"{head.splitlines()[0].decode()}: {whole.decode(errors='replace')[:500]}")
                if b"transfer-encoding: chunked" not in head.lower():
                    raise BadAnswer(f"not streamed: {head.decode(errors='replace')[:500]}")
                pending, state = rest, "size"
            elif state == "size":
                line, found, rest = pending.partition(b"\r\n")
                if not found:
                    break
                left, pending = int(line.split(b";")[0], 16), rest
                state = "data" if left else "end"
            elif state == "data":
                if len(pending) < left + 2:
                    break
                pieces.append((at, pending[:left]))
                pending, state = pending[left + 2:], "size"
            else:
                return pieces
    raise BadAnswer("the connection ended before the answer did")


def events(pieces):
    """The JSON of server-sent events, each with the time at which it was whole."""
    pending = b""
    for at, data in pieces:
        pending += data.replace(b"\r\n", b"\n")
        *whole, pending = pending.split(b"\n\n")
        for event in whole:
            lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
            text = b"\n".join(lines)
            if text and text != b"[DONE]":
                yield at, json.loads(text)


@dataclasses.dataclass
class Received:
    """A request, and the bytes that came for it, with their times."""
    sent: float
    body: dict
    pieces: list = dataclasses.field(default_factory=list)

    @functools.cached_property
    def answer(self):
        return read_answer(self)


def read_answer(received):
    """The Answer in the bytes that came; raises BadAnswer when it is empty, refused or without usage."""
    answer = Answer(sent=received.sent, asked=received.body["max_tokens"])
    usage = None
    for at, event in events(body_pieces(received.pieces)):
        if "error" in event:
            raise BadAnswer(json.dumps(event)[:500])
        usage = event.get("usage") or usage
        for choice in event.get("choices", []):
            piece = choice.get("delta", {}).get("content")
            if piece:
                answer.text += piece
                answer.times.append(at)
            answer.finish = choice.get("finish_reason") or answer.finish
    if not answer.times:
        raise BadAnswer("an empty answer")
    if not usage:
        raise BadAnswer("an answer without usage")
    answer.tokens, answer.prompt_tokens = usage["completion_tokens"], usage["prompt_tokens"]
    answer.cached_tokens = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    if answer.tokens < len(answer.times):
        raise BadAnswer(f"{len(answer.times)} pieces of text, but {answer.tokens} tokens counted")
    if answer.tokens > answer.asked:
        raise BadAnswer(f"{answer.tokens} tokens where {answer.asked} were asked for")
    return answer


class Running:
    """A talk with a request on its way."""

    def __init__(self, talk, place):
        self.talk, self.place = talk, place
        self.socket = self.received = None

    def send(self, port, body):
        data = json.dumps(body).encode()
        head = (f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
                f"Authorization: Bearer bench\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n")
        self.received = Received(time.perf_counter(), body)
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(head.encode() + data)
        self.socket.setblocking(False)


class Client:
    def __init__(self, ports, limit_s):
        self.ports, self.limit_s = ports, limit_s
        self.poll, self.running, self.received = select.epoll(), {}, []

    def begin(self, talk):
        self.received.append([])
        self.advance(Running(talk, len(self.received) - 1), None)

    def advance(self, running, received):
        """The talk's next request, if it has one."""
        try:
            body = running.talk.steps.send(received)
        except StopIteration:
            return
        running.send(self.ports[running.talk.server], body)
        self.running[running.socket.fileno()] = running
        self.poll.register(running.socket, select.EPOLLIN)

    def receive(self, number):
        running = self.running[number]
        data = running.socket.recv(1 << 16)
        running.received.pieces.append((time.perf_counter(), data))
        if data and not data.endswith(LAST_CHUNK) and data != LAST_CHUNK[2:]:
            return
        self.poll.unregister(running.socket)
        running.socket.close()
        del self.running[number]
        self.received[running.place].append(running.received)
        self.advance(running, running.received)

    def due(self, talk):
        return all(len(running.received.pieces) >= talk.after for running in self.running.values())

    def talk(self, talks):
        late = [talk for talk in talks if talk.after]
        deadline = time.monotonic() + self.limit_s
        for talk in talks:
            if not talk.after:
                self.begin(talk)
        while self.running:
            if time.monotonic() > deadline:
                raise BadAnswer(f"not done within {self.limit_s} s")
            for number, _ in self.poll.poll(1):
                self.receive(number)
            while late and self.due(late[0]):
                self.begin(late.pop(0))

    def close(self):
        for running in self.running.values():
            running.socket.close()
        self.poll.close()


def run(ports, talks, limit_s=600):
    """The Outcome of all talks at once against the servers on `ports`."""
    client = Client(ports, limit_s)
    collecting = gc.isenabled()
    gc.disable()
    cpu = time.process_time()
    try:
        client.talk(talks)
    finally:
        client.close()
        if collecting:
            gc.enable()
    spent = time.process_time() - cpu
    answers = [[received.answer for received in talk] for talk in client.received]
    every = [answer for talk in answers for answer in talk]
    wall = max(answer.times[-1] for answer in every) - min(answer.sent for answer in every)
    return Outcome(answers, sum(talk.after > 0 for talk in talks), wall, spent)
