"""TLS as its users set it up: by what `craton serve` prints, and by their own certificate."""
import json
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys

import pytest

import craton
from craton import run_craton

NODE = shutil.which("node")
CURL = shutil.which("curl")
SCRIPT = pathlib.Path(__file__).with_name("http2_client.js")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def secure(data):
    with craton.serving("--model", "none", "--tls", "self-signed", "--data", data) as server:
        yield server


def printed(server):
    """The variables that `craton serve` prints to be exported."""
    return {name: (quoted or plain) for name, quoted, plain in
            re.findall(r"(?:^export| )\s?([A-Z_]+)=(?:'([^']*)'|(\S+))", server.output(), re.M)}


def context(server, protocols=()):
    made = ssl.create_default_context(cafile=printed(server)["AWS_CA_BUNDLE"])
    made.set_alpn_protocols(list(protocols))
    return made


def connect(server, name, protocols=()):
    plain = socket.create_connection(("127.0.0.1", server.port), craton.patience(10))
    return context(server, protocols).wrap_socket(plain, server_hostname=name)


def test_what_is_printed_is_all_that_boto3_needs(secure):
    program = ("import boto3; "
               "print(len(boto3.client('bedrock').list_foundation_models()['modelSummaries']))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          env=craton.clean_environment(**printed(secure)), timeout=craton.patience(60))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50


def test_nobody_is_trusted_who_was_not_told_of_it(secure):
    environment = {name: value for name, value in printed(secure).items() if name != "AWS_CA_BUNDLE"}
    del environment["SSL_CERT_FILE"]
    done = subprocess.run([sys.executable, "-c", "import boto3; boto3.client('bedrock').list_foundation_models()"],
                          capture_output=True, text=True, env=craton.clean_environment(**environment),
                          timeout=craton.patience(60))
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("offered, chosen", [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"),
                                             ([], None)])
def test_the_certificate_names_the_loopback_and_alpn_chooses(secure, name, offered, chosen):
    with connect(secure, name, offered) as connection:
        assert connection.selected_alpn_protocol() == chosen
        assert connection.version() == "TLSv1.3"


def test_the_next_server_is_trusted_too(secure, data):
    with craton.serving("--model", "none", "--tls", "self-signed", "--data", data) as second:
        with context(secure).wrap_socket(socket.create_connection(("127.0.0.1", second.port)),
                                         server_hostname="localhost"):
            pass


def test_keys_are_for_their_owner_only(secure, data):
    for name in ("ca-key.pem", "server.pem"):
        assert (data / "tls" / name).stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not CURL, reason="no curl here")
@pytest.mark.parametrize("flag, version", [("--http2", "2"), ("--http1.1", "1.1")])
def test_curl_speaks_both_protocols(secure, flag, version):
    done = subprocess.run([CURL, "-s", flag, "--cacert", printed(secure)["SSL_CERT_FILE"],
                           "-w", "\n%{http_version} %{response_code}", secure.url + "/foundation-models"],
                          capture_output=True, text=True, env=craton.clean_environment(),
                          timeout=craton.patience(60))
    body, told = done.stdout.rsplit("\n", 1)
    assert told == version + " 200" and json.loads(body)["modelSummaries"]


@pytest.mark.skipif(not NODE, reason="no Node.js here")
def test_node_speaks_http2(secure):
    done = subprocess.run([NODE, SCRIPT, secure.url, "/foundation-models"], capture_output=True, text=True,
                          env=craton.clean_environment(**printed(secure)), timeout=craton.patience(60))
    answer = json.loads(done.stdout)
    assert "error" not in answer and answer["alpn"] == "h2"
    assert len(json.loads(answer["body"])["modelSummaries"]) > 50


def test_who_forgets_the_s_of_https_is_told(secure):
    with socket.create_connection(("127.0.0.1", secure.port), craton.patience(10)) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = b"".join(iter(lambda: plain.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400 ") and b"use https://" in answer


def test_ones_own_certificate_is_served(secure, data):
    pair = data / "tls" / "server.pem"
    with craton.serving("--model", "none", "--tls-cert", pair, "--tls-key", pair) as server:
        assert "AWS_CA_BUNDLE" not in server.output()
        with context(secure).wrap_socket(socket.create_connection(("127.0.0.1", server.port)),
                                         server_hostname="localhost"):
            pass


def certificate_of(server):
    return ssl.get_server_certificate(("127.0.0.1", server.port), timeout=craton.patience(10))


def test_a_renewed_certificate_is_taken_up_without_a_restart(secure, data, tmp_path):
    pair = tmp_path / "pair.pem"
    pair.write_bytes((data / "tls" / "server.pem").read_bytes())
    with craton.serving("--model", "none", "--tls", "self-signed", "--data", tmp_path / "other"):
        pass  # makes another pair
    with craton.serving("--model", "none", "--tls-cert", pair, "--tls-key", pair) as server:
        first = certificate_of(server)
        with context(secure).wrap_socket(socket.create_connection(("127.0.0.1", server.port)),
                                         server_hostname="localhost") as old:
            pair.write_bytes((tmp_path / "other" / "tls" / "server.pem").read_bytes())
            server.signal(signal.SIGHUP)
            server.wait_for_log("tls_reloaded")
            second = certificate_of(server)
            assert second != first
            old.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert old.recv(1000).startswith(b"HTTP/1.1 200"), "a connection that was there goes on"
        pair.write_text("nonsense")
        server.signal(signal.SIGHUP)
        server.wait_for_log("tls_not_reloaded")
        assert certificate_of(server) == second, "what worked goes on"


@pytest.mark.parametrize("flags, told", [
    (["--tls-cert", "/no/such"], "tls-cert needs tls-key"),
    (["--tls-cert", "/no/such", "--tls-key", "/no/such"], "/no/such: cannot be read: No such file"),
    (["--tls-cert", "{tls}/ca.pem", "--tls-key", "{tls}/server.pem"], "is not the key of the certificate in"),
    (["--tls-cert", "{tls}/ca-key.pem", "--tls-key", "{tls}/ca-key.pem"], "holds no usable PEM certificate"),
    (["--tls", "self-signed", "--data", "/proc/nowhere"], "/proc/nowhere/tls/lock: cannot be written"),
], ids=["alone", "missing", "mismatch", "no-certificate", "no-folder"])
def test_what_is_wrong_is_told_in_one_line(secure, data, flags, told):
    done = run_craton("serve", "--model", "none", "--port", "0",
                      *[flag.replace("{tls}", str(data / "tls")) for flag in flags])
    assert done.returncode != 0 and told in done.stderr and done.stderr.count("\n") == 1, done.stderr
