"""An OpenAI-compatible server whose behaviour is a script: what upstream_test.py has craton talk to.

What the last message says decides what comes: "reset" a connection that breaks, "status 429" a refusal, and so
on; anything else an answer that repeats the words it was asked. Every request is kept.
"""
import contextlib
import http.server
import json
import socket
import struct
import threading
import time

MODEL = "scripted-7b"


def chunk(delta=None, reason=None, **more):
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL,
            "choices": [{"index": 0, "delta": delta or {}, "finish_reason": reason, **more}]}


def usage(prompt=12, completion=3, cached=0):
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [],
            "usage": {"prompt_tokens": prompt, "completion_tokens": completion,
                      "total_tokens": prompt + completion,
                      "prompt_tokens_details": {"cached_tokens": cached}}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    # --- what goes out

    def send(self, status, body, kind="application/json", **headers):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", headers.pop("length", len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def begin_stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def raw(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def piece(self, value):
        self.raw("data: " + (value if isinstance(value, str) else json.dumps(value)) + "\n\n")

    def end_stream(self):
        self.piece("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def stream(self, *pieces):
        self.begin_stream()
        for one in pieces:
            self.piece(one)
        self.end_stream()

    # --- what comes in

    def do_GET(self):
        upstream = self.server.upstream
        if self.path == "/health":
            return self.send(200 if upstream.well else 503, "")
        if self.path == "/v1/models":
            key = self.headers.get("Authorization")
            if upstream.key and key != "Bearer " + upstream.key:
                return self.send(401, {"error": {"message": "no"}})
            return self.send(200, {"object": "list", "data": [
                {"id": upstream.model, "object": "model", "owned_by": upstream.owner}]})
        return self.send(404, {"error": "no such page"})

    def do_POST(self):
        upstream = self.server.upstream
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        upstream.requests.append((self.path, body, dict(self.headers)))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            upstream.answers.get(self.path, type(self).missing)(self, body)

    def missing(self, _body):
        self.send(404, {"detail": "Not Found"})

    def chat(self, body):
        content = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
        text = content if isinstance(content, str) else content[0].get("text", "")
        words = text.split()
        name = upstream_name(words[0] if words else "")
        getattr(self, name if words and hasattr(self, name) else "say_echo")(words[1:], body)

    # --- behaviours

    def say_echo(self, _words, body):
        last = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
        said = last if isinstance(last, str) else last[0].get("text", "image")
        if "prompt" in body:
            return self.stream({"choices": [{"index": 0, "text": said, "finish_reason": None}]},
                               {"choices": [{"index": 0, "text": "", "finish_reason": "length"}]}, usage())
        self.stream(chunk({"role": "assistant", "content": ""}), *[chunk({"content": w}) for w in said.split()],
                    chunk(reason="stop"), usage(completion=len(said.split()), cached=4))

    def say_stopped(self, words, _body):
        self.stream(chunk({"content": "a"}), chunk(reason="stop", stop_reason=words[0]), usage())

    def say_long(self, words, _body):
        self.stream(*[chunk({"content": "x" * 100}) for _ in range(int(words[0]))], chunk(reason="length"), usage())

    def say_thought(self, _words, _body):
        self.stream(chunk({"reasoning_content": "Hm."}), chunk({"content": "Yes."}), chunk(reason="stop"), usage())

    def say_call(self, _words, _body):
        def call(index, **members):
            return chunk({"tool_calls": [{"index": index, **members}]})
        self.stream(chunk({"content": "Let me see."}),
                    call(0, id="a", type="function", function={"name": "weather", "arguments": ""}),
                    call(0, function={"arguments": '{"city":'}), call(0, function={"arguments": '"Rome"}'}),
                    call(1, id="b", type="function", function={"name": "clock", "arguments": "{}"}),
                    chunk(reason="tool_calls"), usage())

    def say_whole(self, _words, _body):
        self.send(200, {"choices": [{"index": 0, "message": {"role": "assistant", "content": "whole"},
                                     "finish_reason": "stop"}],
                        "usage": {"prompt_tokens": 3, "completion_tokens": 1}})

    def say_slow(self, _words, _body):
        """The second piece goes out when the test has seen the first."""
        self.begin_stream()
        self.piece(chunk({"content": "first"}))
        assert self.server.upstream.gate.wait(30)
        for one in (chunk({"content": " second"}), chunk(reason="stop"), usage()):
            self.piece(one)
        self.end_stream()

    def say_status(self, words, _body):
        headers = {"Retry_After": words[1]} if len(words) > 1 else {}
        self.send(int(words[0]), {"error": {"message": "because", "code": int(words[0])}}, **headers)

    def say_too_long(self, _words, _body):
        self.send(400, {"error": {"message": "This model's maximum context length is 4096 tokens. However, your "
                                             "request has 5000 input tokens.", "code": 400}})

    def say_greedy(self, _words, body):
        """vLLM refuses to promise more tokens than fit."""
        if body["max_tokens"] > 3996:
            return self.send(400, {"error": {"message": (
                f"'max_tokens' or 'max_completion_tokens' is too large: {body['max_tokens']}. This model's maximum "
                "context length is 4096 tokens and your request has 100 input tokens.")}})
        self.stream(chunk({"content": str(body["max_tokens"])}), chunk(reason="length"), usage())

    def say_stall(self, _words, _body):
        time.sleep(self.server.upstream.stall)
        self.close_connection = True

    def say_stall_later(self, _words, _body):
        self.begin_stream()
        self.piece(chunk({"content": "first"}))
        self.say_stall(None, None)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def say_reset(self, _words, _body):
        self.reset()

    def say_reset_later(self, _words, _body):
        self.begin_stream()
        self.piece(chunk({"content": "first"}))
        time.sleep(0.1)
        self.reset()

    def say_html(self, _words, _body):
        self.send(200, "<html><body>502: Bad Gateway</body></html>", "text/html")

    def say_no_sse(self, _words, _body):
        self.begin_stream()
        self.raw("<html>\n\nthis is no event\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def say_broken_json(self, _words, _body):
        self.begin_stream()
        self.piece(chunk({"content": "first"}))
        self.piece('{"choices":[{"delta":{"cont')
        self.wfile.write(b"0\r\n\r\n")

    def say_no_end(self, _words, _body):
        self.begin_stream()
        self.piece(chunk({"content": "first"}))
        self.wfile.write(b"0\r\n\r\n")

    def say_error_later(self, _words, _body):
        self.begin_stream()
        self.piece(chunk({"content": "first"}))
        self.piece({"error": {"message": "out of memory", "code": 500}})
        self.end_stream()

    def say_endless_event(self, _words, _body):
        self.begin_stream()
        self.raw("data: ")
        for _ in range(20):
            self.raw("x" * (1 << 20))

    def lie(self, by):
        body = "".join("data: " + json.dumps(one) + "\n\n" for one in
                       (chunk({"content": "lie"}), chunk(reason="stop"), usage())) + "data: [DONE]\n\n"
        self.send(200, body, "text/event-stream", length=len(body) + by)
        self.wfile.flush()

    def say_length_short(self, _words, _body):
        self.lie(-120)
        self.close_connection = True

    def say_length_long(self, _words, _body):
        self.lie(1000)
        self.close_connection = True

    def say_no_http(self, _words, _body):
        self.wfile.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        self.close_connection = True

    def say_no_usage(self, _words, _body):
        self.stream(chunk({"content": "12345678"}), chunk(reason="stop"))

    # --- beside chats

    def tokenize(self, body):
        self.send(200, {"count": 10 + len(body["messages"]), "max_model_len": 4096, "tokens": []})

    def embed(self, body):
        rows = [{"index": i, "object": "embedding", "embedding": [float(len(text)), 1.0, 0.5]}
                for i, text in enumerate(body["input"])]
        self.send(200, {"data": rows[::-1], "usage": {"prompt_tokens": 5 * len(rows), "total_tokens": 5 * len(rows)}})

    def rank(self, body):
        rows = [{"index": i, "relevance_score": 0.9 if body["query"] in text else 0.1}
                for i, text in enumerate(body["documents"])]
        self.send(200, {"results": rows, "usage": {"total_tokens": 9}})


def upstream_name(word):
    return "say_" + word.replace("-", "_")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # connections that tests break

    def get_request(self):
        connection, address = super().get_request()
        self.upstream.connections.append(connection)
        return connection, address


class Upstream:
    def __init__(self, owner="vllm", model=MODEL, key="", port=0):
        self.owner, self.model, self.key = owner, model, key
        self.well, self.stall = True, 20
        self.requests, self.gate, self.connections = [], threading.Event(), []
        self.answers = {"/v1/chat/completions": Handler.chat, "/v1/completions": Handler.chat,
                        "/tokenize": Handler.tokenize, "/v1/embeddings": Handler.embed,
                        "/v1/rerank": Handler.rank}
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.upstream = self
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def bodies(self, path="/v1/chat/completions"):
        return [body for asked, body, _ in self.requests if asked == path]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """As a program that ends: nobody listens, and connections are closed."""
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
