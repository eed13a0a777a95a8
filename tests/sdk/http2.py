"""HTTP/2 in clear text by prior knowledge, over the h2 package: what SDKs do on the wire, and what none should."""
import dataclasses
import socket
import time

import h2.config
import h2.connection
import h2.errors
import h2.events

from craton import patience


@dataclasses.dataclass
class Answer:
    status: int = 0
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    ended: bool = False
    reset: int | None = None  # the code of a RST_STREAM


class Connection:
    """One connection: requests out, answers in."""

    def __init__(self, server, timeout=60):
        self.timeout = patience(timeout)
        self.socket = socket.create_connection(("127.0.0.1", server.port), self.timeout)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.answers, self.pongs, self.goaway, self.closed = {}, 0, None, False
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def send(self, method, path, body=b"", headers=(), ends=True):
        """Sends a request; its stream's number."""
        stream = self.h2.get_next_available_stream_id()
        fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "127.0.0.1"),
                  *headers]
        self.h2.send_headers(stream, fields, end_stream=ends and not body)
        if body:
            self.h2.send_data(stream, body.encode() if isinstance(body, str) else body, end_stream=ends)
        self.answers[stream] = Answer()
        self.flush()
        return stream

    def say_goodbye(self):
        """GOAWAY(NO_ERROR) by hand: the package would take its own for the connection's end."""
        self.socket.sendall(b"\0\0\x08\x07\0\0\0\0\0" + bytes(8))

    def until(self, condition):
        """Takes in what comes until `condition` holds. False when the connection ends first."""
        deadline = time.monotonic() + self.timeout
        while not condition():
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                self.closed = True
                return condition()
            for event in self.h2.receive_data(data):
                self._note(event)
            if self.goaway is None:
                self.flush()
        return True

    def _note(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ResponseReceived):
            answer.headers = dict(event.headers)
            answer.status = int(answer.headers.pop(":status"))
        elif isinstance(event, h2.events.DataReceived):
            answer.body += event.data
            if event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            answer.ended = True
        elif isinstance(event, h2.events.StreamReset):
            answer.reset = int(event.error_code)
        elif isinstance(event, h2.events.PingAckReceived):
            self.pongs += 1
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = int(event.error_code)

    def read(self, stream):
        """The answer on that stream, whole."""
        answer = self.answers[stream]
        self.until(lambda: answer.ended or answer.reset is not None)
        assert answer.ended, f"broken off: {answer}"
        return answer

    def ask(self, method, path, body=b"", headers=()):
        return self.read(self.send(method, path, body, headers))
