"""HTTP/1.1 by hand, for what no client library would send."""
import contextlib
import dataclasses
import socket

from craton import patience


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def error_type(self):
        return self.headers.get("x-amzn-errortype", "").split(":")[0]


class Connection:
    """One TCP connection to a server: bytes out, answers in."""

    def __init__(self, server, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", server.port), patience(timeout))
        self.socket.settimeout(patience(timeout))
        self._input = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._input.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def read(self):
        """The next answer, whole; None when the server has closed the connection."""
        with contextlib.suppress(ConnectionResetError):
            line = self._input.readline()
            if line:
                return self._read_after(line)
        return None

    def _read_after(self, status_line):
        version, status, *_ = status_line.decode().split(" ", 2)
        assert version == "HTTP/1.1", status_line
        headers = {}
        while (line := self._input.readline()) != b"\r\n":
            assert line.endswith(b"\r\n"), f"the head ends early: {line!r}"
            name, value = line.decode().split(":", 1)
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        body = self._input.read(length)
        assert len(body) == length, f"{len(body)} of {length} bytes"
        return Answer(int(status), headers, body)

    def read_all(self, most=-1):
        """What comes, as it comes, until the server closes or `most` bytes are there."""
        return self._input.read(most)

    def ends(self):
        """True when the server closes without another byte."""
        try:
            return self._input.read(1) == b""
        except ConnectionResetError:
            return True


def request(method, target, body=b"", headers=(), host="craton"):
    """The bytes of a well-formed request; `headers` are lines."""
    body = body if isinstance(body, bytes) else body.encode()
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *headers]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def ask(server, *arguments, **options):
    """One request on a connection of its own."""
    with Connection(server) as connection:
        answer = connection.send(request(*arguments, **options)).read()
        assert answer, "closed without an answer"
        return answer
