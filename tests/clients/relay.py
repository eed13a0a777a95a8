"""A TCP relay between a client and the server, which sees how the client speaks.

It passes bytes on as they come, both ways and both ends of a half-closed connection, and changes none.
"""
import contextlib
import socket
import threading

HTTP2_START = b"PRI "  # of the preface "PRI * HTTP/2.0"; no method of HTTP/1.1 begins so


class Relay:
    """Listens on a free port of the loopback for the length of a `with`."""

    def __init__(self, port):
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._sockets = set()
        self._seen = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def transports(self):
        """"HTTP/1.1", "HTTP/2": those that were seen so far."""
        with self._lock:
            return set(self._seen)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        with self._lock:
            for end in self._sockets:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets |= {client, server}
            back = threading.Thread(target=self._pass_on, args=(server, client), daemon=True)
            back.start()
            self._note(client)
            self._pass_on(client, server)
            back.join()
            with self._lock:
                self._sockets -= {client, server}

    def _note(self, client):
        """Looks at a connection's first bytes and leaves them where they are."""
        with contextlib.suppress(OSError):
            start = client.recv(len(HTTP2_START), socket.MSG_PEEK | socket.MSG_WAITALL)
            if start:
                with self._lock:
                    self._seen.add("HTTP/2" if start == HTTP2_START else "HTTP/1.1")

    @staticmethod
    def _pass_on(source, target):
        """Until `source` ends; a reset ends both directions."""
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, target):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
