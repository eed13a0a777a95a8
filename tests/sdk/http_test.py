"""The server's HTTP/1.1 by hand: what it takes, what it refuses, and that it goes on serving."""
import json
import random
import socket

import pytest

import craton
import wire
from craton import refusal
from families import claude_messages
from wire import Connection, request

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
INVOKE = f"/model/{HAIKU}/invoke"
BODY = json.dumps({**claude_messages("Say hello."), "max_tokens": 2})
HEALTH = request("GET", "/health")


@pytest.fixture(autouse=True)
def goes_on_serving(bare):
    """Whatever a test did, the next caller is served."""
    yield
    assert bare.process.poll() is None, bare.log()[-3000:]
    assert bare.get("/health") == 200


class TestKeepAlive:
    def test_a_connection_serves_many_requests(self, bare):
        with Connection(bare) as connection:
            for _ in range(50):
                assert connection.send(HEALTH).read().status == 200

    def test_a_connection_outlives_refusals(self, bare):
        with Connection(bare) as connection:
            for target, status in [("/no/such/path", 404), ("/custom-models", 501),
                                   ("/foundation-models?byInferenceType=X", 400), ("/health", 200)]:
                assert connection.send(request("GET", target)).read().status == status

    def test_pipelined_requests_are_answered_in_their_order(self, bare):
        targets = [("/health", 200), ("/foundation-models?byProvider=Cohere", 200), ("/nothing", 404),
                   ("/guardrails", 501), ("/foundation-models/" + HAIKU, 200)] * 8
        with Connection(bare) as connection:
            connection.send(b"".join(request("GET", target) for target, _ in targets))
            assert [connection.read().status for _ in targets] == [status for _, status in targets]

    def test_a_slow_answer_does_not_let_a_later_one_pass(self, smol):
        with Connection(smol, timeout=60) as connection:
            slow = json.dumps({**claude_messages("Tell a long story."), "max_tokens": 30})
            connection.send(request("POST", INVOKE, slow) + HEALTH)
            first, second = connection.read(), connection.read()
        assert json.loads(first.body)["type"] == "message"
        assert second.status == 200 and "x-amzn-bedrock-output-token-count" not in second.headers

    def test_connection_close_is_honoured(self, bare):
        with Connection(bare) as connection:
            answer = connection.send(request("GET", "/health", headers=["Connection: close"])).read()
            assert answer.status == 200 and answer.headers["connection"].lower() == "close"
            assert connection.ends()

    def test_http_1_0_is_answered_and_closed(self, bare):
        with Connection(bare) as connection:
            assert connection.send("GET /health HTTP/1.0\r\n\r\n").read().status == 200
            assert connection.ends()

    def test_a_request_may_come_byte_by_byte(self, bare):
        with Connection(bare) as connection:
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in request("GET", "/foundation-models/" + HAIKU):
                connection.send(bytes([byte]))
            assert connection.read().status == 200


class TestAnswers:
    @pytest.mark.parametrize("target, status", [("/health", 200), ("/foundation-models", 200),
                                                ("/guardrails", 501), ("/nothing", 404)])
    def test_every_answer_has_the_headers_clients_rely_on(self, bare, target, status):
        answer = wire.ask(bare, "GET", target)
        assert answer.status == status
        assert {"date", "content-length", "content-type"} <= answer.headers.keys()
        if target != "/health":
            assert craton.UUID.fullmatch(answer.headers["x-amzn-requestid"])
            assert answer.headers["content-type"] == "application/json"

    @pytest.mark.parametrize("method, target", [
        ("GET", "/nothing"), ("GET", "/"), ("POST", "/"), ("DELETE", "/foundation-models"),
        ("GET", INVOKE), ("POST", "/model//invoke"), ("POST", "/model/x/y/z/dance"),
        ("BREW", "/foundation-models"), ("GET", "/foundation-models/../etc/passwd"),
        ("GET", "/%00"), ("GET", "/%zz"), ("GET", "//foundation-models"),
    ])
    def test_an_unknown_path_or_method_is_an_unknown_operation(self, bare, method, target):
        answer = wire.ask(bare, method, target)
        assert (answer.status, answer.error_type) == (404, "UnknownOperationException"), answer.body
        assert json.loads(answer.body)["message"]

    def test_the_region_of_the_signature_is_the_callers(self, bare):
        signed = ("Authorization: AWS4-HMAC-SHA256 Credential=AKID/20261123/sa-east-1/bedrock/aws4_request, "
                  "SignedHeaders=host;x-amz-date, Signature=00")
        body = wire.ask(bare, "GET", "/foundation-models", headers=[signed]).body
        assert b"arn:aws:bedrock:sa-east-1::" in body and b"us-east-1" not in body

    @pytest.mark.parametrize("authorization", [
        "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=", "AWS4-HMAC-SHA256 Credential=a/b/c/d",
        "AWS4-HMAC-SHA256 Credential=AKID/20261123//bedrock/aws4_request, Signature=0",
        'AWS4-HMAC-SHA256 Credential=AKID/20261123/"},"x":/bedrock/aws4_request', "Bearer abc", "Basic x",
        "AWS4-HMAC-SHA256 Credential=" + "/" * 5000,
    ])
    def test_an_odd_authorization_falls_back_to_the_servers_region(self, bare, authorization):
        answer = wire.ask(bare, "GET", "/foundation-models",
                          headers=[f"Authorization: {authorization}"])
        arns = {model["modelArn"].split(":")[3] for model in json.loads(answer.body)["modelSummaries"]}
        assert answer.status == 200 and arns == {"us-east-1"}


class TestBodies:
    def test_expect_100_continue_is_answered_before_the_body_is_sent(self, smol):
        head, body = request("POST", INVOKE, BODY, ["Expect: 100-continue"]).split(b"\r\n\r\n", 1)
        with Connection(smol, timeout=60) as connection:
            connection.send(head + b"\r\n\r\n")
            assert connection.read().status == 100
            assert connection.send(body).read().status == 200

    def test_expect_100_continue_of_too_much_is_refused_before_the_body_is_sent(self, bare):
        with Connection(bare) as connection:
            connection.send(f"POST {INVOKE} HTTP/1.1\r\nHost: craton\r\nContent-Length: 100000000\r\n"
                            "Expect: 100-continue\r\n\r\n")
            assert connection.read().status == 413

    @pytest.mark.parametrize("size", [1, 7, 10_000])
    def test_a_chunked_body_is_put_together(self, smol, size):
        with Connection(smol, timeout=60) as connection:
            connection.send(chunked(BODY.encode(), size) + HEALTH)
            answer = connection.read()
            assert answer.status == 200 and json.loads(answer.body)["type"] == "message"
            assert connection.read().status == 200, "the next request begins where the body ended"

    def test_a_chunked_body_may_have_extensions_and_trailers(self, smol):
        body = BODY.encode()
        with Connection(smol, timeout=60) as connection:
            connection.send(f"POST {INVOKE} HTTP/1.1\r\nHost: craton\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.send(b"%X;name=value\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(body), body))
            assert connection.read().status == 200

    def test_100_megabytes_through_boto3_are_too_large(self, bare):
        before = bare.memory_kib()
        runtime = bare.client("bedrock-runtime", parameter_validation=False)
        for _ in range(3):
            refused = refusal(runtime.invoke_model, modelId=HAIKU, body=b"x" * 100_000_000)
            assert (refused.type, refused.status) == ("RequestEntityTooLargeException", 413)
        assert craton.sanitized() or bare.memory_kib() - before < 50_000

    def test_a_chunked_body_past_the_limit_is_too_large(self, bare):
        piece = b"%X\r\n%s\r\n" % (1 << 20, b"x" * (1 << 20))
        with Connection(bare, timeout=60) as connection:
            connection.send(f"POST {INVOKE} HTTP/1.1\r\nHost: craton\r\nTransfer-Encoding: chunked\r\n\r\n")
            try:
                for _ in range(100):
                    connection.send(piece)
            except OSError:
                pass  # the server need not read on
            answer = connection.read()
        assert answer is None or answer.status == 413

    def test_a_body_of_the_largest_size_is_taken(self, bare):
        answer = wire.ask(bare, "POST", INVOKE, b"x" * 25_000_000)
        assert (answer.status, answer.error_type) == (400, "ValidationException")
        assert wire.ask(bare, "POST", INVOKE, b"x" * 25_000_001).status == 413

    def test_a_body_that_stops_short_harms_nobody(self, bare):
        with Connection(bare) as connection:
            connection.send(f"POST {INVOKE} HTTP/1.1\r\nHost: craton\r\nContent-Length: 100\r\n\r\n{{")
            connection.socket.shutdown(socket.SHUT_WR)
            answer = connection.read()
        assert answer is None or answer.status == 400


def chunked(body, size):
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size])
                      for i in range(0, len(body), size))
    head = f"POST {INVOKE} HTTP/1.1\r\nHost: craton\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + pieces + b"0\r\n\r\n"


class TestHeads:
    @pytest.mark.parametrize("head, status", [
        pytest.param("GET /health HTTP/1.1\r\nX: " + "x" * 70_000 + "\r\n\r\n", 431,
                     id="one_long_field"),
        pytest.param("GET /health HTTP/1.1\r\n" + "X: y\r\n" * 20_000 + "\r\n", 431,
                     id="many_fields"),
        pytest.param("GET /" + "x" * 70_000 + " HTTP/1.1\r\n\r\n", 414, id="long_path"),
    ])
    def test_a_head_past_the_limit_is_refused(self, bare, head, status):
        with Connection(bare) as connection:
            try:
                connection.send(head)
            except OSError:
                pass
            answer = connection.read()
            assert answer.status == status
            assert craton.UUID.fullmatch(answer.headers["x-amzn-requestid"])
            assert json.loads(answer.body)["message"]

    def test_a_head_of_60_kilobytes_is_taken(self, bare):
        assert wire.ask(bare, "GET", "/health", headers=["X: " + "x" * 60_000]).status == 200


# What a proxy in front could read as another request than this server: refused, and the connection
# closed, so that the bytes that follow are never taken for a request.
SMUGGLED = b"GET /health HTTP/1.1\r\nHost: craton\r\n\r\n"
POST = b"POST /model/x/invoke HTTP/1.1\r\nHost: craton\r\n"
AMBIGUOUS = {
    "length_and_chunked": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked_and_length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two_lengths": POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "length_list": POST + b"Content-Length: 0, 5\r\n\r\n",
    "length_plus": POST + b"Content-Length: +0\r\n\r\n",
    "length_negative": POST + b"Content-Length: -1\r\n\r\n",
    "length_hex": POST + b"Content-Length: 0x0\r\n\r\n",
    "length_empty": POST + b"Content-Length: \r\n\r\n",
    "length_too_big": POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "length_with_a_space": POST + b"Content-Length: 0 0\r\n\r\n",
    "space_before_the_colon": POST + b"Content-Length : 0\r\n\r\n",
    "folded_field": POST + b"Content-Length: 0\r\nX: a\r\n b\r\n\r\n",
    "space_before_a_field": POST.replace(b"Host", b" Host") + b"Content-Length: 0\r\n\r\n",
    "nul_in_a_value": POST + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "carriage_return_in_a_value": POST + b"X: a\rb\r\nContent-Length: 0\r\n\r\n",
    "empty_name": POST + b": x\r\nContent-Length: 0\r\n\r\n",
    "chunked_twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked_then_identity": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "gzip_chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked_in_http_1_0": POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunk_size_not_hex": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "chunk_size_with_a_sign": POST + b"Transfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
    "chunk_size_0x": POST + b"Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
    "chunk_size_too_big": POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "chunk_longer_than_said": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
    "two_hosts": b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no_host": b"GET /health HTTP/1.1\r\n\r\n",
    "no_version": b"GET /health\r\n\r\n",
    "version_2": b"GET /health HTTP/2.0\r\nHost: a\r\n\r\n",
    "tls_hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
    "garbage": b"\x00\xff\xfe garbage \r\n\r\n",
    "space_in_the_target": b"GET /a b HTTP/1.1\r\nHost: craton\r\n\r\n",
}


@pytest.mark.parametrize("data", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_request_that_could_be_read_two_ways_is_refused_and_the_connection_closed(bare, data):
    with Connection(bare) as connection:
        connection.send(data + SMUGGLED)
        answer = connection.read()
        assert answer is None or answer.status in (400, 413, 501, 505), answer
        assert answer is None or connection.ends(), "what follows must not be taken for a request"


def test_a_thousand_damaged_requests_harm_nobody(bare):
    damage = random.Random(20261123)
    sound = [request("GET", "/foundation-models?byProvider=Meta"), request("POST", INVOKE, BODY),
             chunked(BODY.encode(), 9), request("GET", "/inference-profiles?maxResults=3")]
    for _ in range(1000):
        data = bytearray(damage.choice(sound))
        for _ in range(damage.randint(1, 6)):
            at = damage.randrange(len(data))
            data[at:at + damage.randint(0, 3)] = damage.randbytes(damage.randint(0, 3))
        with Connection(bare) as connection:
            try:
                connection.send(bytes(data))
                connection.socket.shutdown(socket.SHUT_WR)
                while answer := connection.read():
                    assert answer.status != 500, (bytes(data), answer.body)
            except (BrokenPipeError, ConnectionResetError):
                pass


def test_two_hundred_idle_connections_take_no_place_from_others(bare):
    idle = [Connection(bare) for _ in range(200)]
    try:
        assert wire.ask(bare, "GET", "/health").status == 200
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.slow
def test_a_client_that_never_finishes_its_head_is_sent_away(bare):
    with Connection(bare, timeout=60) as connection:
        connection.send("GET /health HTTP/1.1\r\nHost: craton\r\nX-Slow: ")
        assert wire.ask(bare, "GET", "/health").status == 200
        answer = connection.read()
        assert answer is None or answer.status == 408
        assert connection.ends()
