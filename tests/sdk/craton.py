"""A craton server under test, and the clients that talk to it.

A Server is the built program, started on a free port of the loopback with nothing of the developer's
own environment in it (no craton.yaml, no CRATON_ variables, no AWS profile), and stopped by its
process id. Stopping asserts what every run owes: exit status 0 and no report of a sanitizer.
"""
import contextlib
import functools
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("CRATON_BINARY") or SOURCE / "build" / "release" / "craton")

SMOL = "smollm2-135m-instruct"  # 98 MB, fast: the machinery
QWEN = "qwen2.5-coder-0.5b-instruct"  # 491 MB, the default: right answers

SANITIZER_REPORT = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
ERROR_TYPE_SUFFIX = ":http://internal.amazon.com/coral/com.amazon.bedrock/"


@functools.cache
def sanitized():
    """True when the program under test is built with a sanitizer: slower, and hungry for memory."""
    program = BINARY.read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def patience(seconds):
    """`seconds`, stretched for a build that is slow on purpose."""
    return seconds * (8 if sanitized() else 1)


def clean_environment(**extra):
    """This process's environment without what would steer craton or an AWS SDK, and with `extra`."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("AWS_", "CRATON_")) or name == "CRATON_CACHE_DIR"}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
               "AWS_EC2_METADATA_DISABLED": "true", "CRATON_STORE": "memory",
               "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return {**kept, **nowhere, **extra}


def sdk_environment(url, region="us-east-1", **extra):
    """What a user exports to point an SDK at `url`."""
    return clean_environment(AWS_ENDPOINT_URL=url, AWS_REGION=region, AWS_DEFAULT_REGION=region,
                             AWS_ACCESS_KEY_ID="craton", AWS_SECRET_ACCESS_KEY="craton", **extra)


def run_craton(*arguments, cwd=None, timeout=60, **environment):
    """Runs a command that ends by itself, in an empty folder unless `cwd` names one."""
    with tempfile.TemporaryDirectory() as empty:
        return subprocess.run([BINARY, *map(str, arguments)], cwd=cwd or empty, text=True,
                              env=clean_environment(**environment), timeout=patience(timeout),
                              capture_output=True)


class Server:
    def __init__(self, *flags, cwd=None, **environment):
        self._folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self._folder.name)
        self._output, self._log = folder / "stdout", folder / "stderr"
        (folder / "cwd").mkdir()
        with open(self._output, "wb") as output, open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--port", "0", *map(str, flags)], cwd=cwd or folder / "cwd",
                env=clean_environment(**environment), stdout=output, stderr=log)
        self.url = self._printed_url()
        self.port = int(self.url.rsplit(":", 1)[1])

    def _printed_url(self):
        deadline = time.monotonic() + patience(20)
        while time.monotonic() < deadline:
            line = re.search(r"^craton listens on (https?://127\.0\.0\.1:\d+)$", self.output(), re.M)
            if line:
                return line[1]
            if self.process.poll() is not None:
                raise AssertionError(f"craton ended with status {self.process.returncode} before it "
                                     f"listened: {self.log()}")
            time.sleep(0.002)
        self.kill()
        raise AssertionError(f"craton never said where it listens: {self.output()}{self.log()}")

    def output(self):
        return self._output.read_text()

    def log(self):
        return self._log.read_text()

    def wait_for_log(self, text, limit=10):
        """The log, once it holds `text`."""
        until = time.monotonic() + patience(limit)
        while text not in self.log():
            if time.monotonic() > until:
                raise AssertionError(f"'{text}' did not come into the log:\n{self.log()}")
            time.sleep(0.02)
        return self.log()

    def get(self, path):
        """Status of a plain GET."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=patience(10)) as answer:
                return answer.status
        except urllib.error.HTTPError as refusal:
            return refusal.code

    def admin(self, method, path, body=None, **headers):
        """The JSON that /_craton/PATH answers. `body`: bytes, text, or what becomes JSON."""
        if body is not None and not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.url}/_craton/{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=patience(30)) as answer:
            return json.load(answer)

    def wait_ready(self, limit=60):
        deadline = time.monotonic() + patience(limit)
        while self.get("/ready") != 200:
            if time.monotonic() > deadline:
                raise AssertionError(f"the model was not ready in time: {self.log()}")
            time.sleep(0.02)
        return self

    def client(self, service, region="us-east-1", attempts=1, **config):
        """A boto3 client that asks once: a test sees the first refusal."""
        return _client(self.url, service, region, attempts, tuple(sorted(config.items())))

    def memory_kib(self):
        """Resident memory."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)[1])

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, limit=40):
        """Waits for the end and asserts that it was a good one."""
        try:
            status = self.process.wait(patience(limit))
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"craton did not stop in time: {self.log()[-3000:]}") from None
        report = SANITIZER_REPORT.search(self.log())
        assert not report, self.log()[report.start():][:6000]
        assert status == 0, f"exit status {status}: {self.log()[-3000:]}"

    def stop(self):
        if self.process.poll() is None:
            self.signal()
        self.wait()
        self._folder.cleanup()

    def kill(self):
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def serving(*flags, **options):
    """A server for the length of a `with`. One that a test has stopped itself is left alone."""
    server = Server(*flags, **options)
    try:
        yield server
    except BaseException:
        server.kill()
        raise
    server.stop()


@functools.cache
def session():
    return boto3.session.Session(aws_access_key_id="craton", aws_secret_access_key="craton")


@functools.cache
def _client(url, service, region, attempts, config):
    return session().client(
        service, region_name=region, endpoint_url=url,
        config=botocore.config.Config(retries={"total_max_attempts": attempts}, proxies={},
                                      read_timeout=patience(110), max_pool_connections=32,
                                      **dict(config)))


class Refusal:
    """What an SDK raised: the error's type, HTTP status, text and request id."""

    def __init__(self, error):
        self.type = error.response["Error"]["Code"]
        self.message = error.response["Error"]["Message"]
        metadata = error.response["ResponseMetadata"]
        self.status, self.request_id = metadata["HTTPStatusCode"], metadata.get("RequestId", "")
        self.headers = metadata["HTTPHeaders"]


def refusal(call, **arguments):
    """The refusal that `call` must meet; its form is checked here, once for every test."""
    try:
        answer = call(**arguments)
    except botocore.exceptions.ClientError as error:
        refused = Refusal(error)
        assert UUID.fullmatch(refused.request_id), refused.headers
        assert refused.headers["x-amzn-errortype"] == refused.type + ERROR_TYPE_SUFFIX
        assert refused.headers["content-type"] == "application/json"
        assert refused.message
        return refused
    raise AssertionError(f"was answered, not refused: {answer}")
