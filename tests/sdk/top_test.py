"""craton top: on a terminal of its own, in a pipe, and where no server answers."""
import contextlib
import fcntl
import http.server
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
import urllib.request

import pytest

import craton
from craton import run_craton

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class Screen:
    """A terminal with `craton top` in it."""

    def __init__(self, *arguments, columns=100, rows=30, **environment):
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        environment = craton.clean_environment(TERM="xterm", LC_ALL="C.UTF-8", **environment)
        self.process = subprocess.Popen([craton.BINARY, "top", *arguments], env=environment,
                                        stdin=slave, stdout=slave, stderr=slave,
                                        preexec_fn=self._own_terminal)
        self.text = b""

    @staticmethod
    def _own_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys)

    def until(self, wanted, limit=15):
        """Reads what is drawn until `wanted` comes; what has come by then, taken off."""
        deadline = time.monotonic() + craton.patience(limit)
        while wanted not in self.text:
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted} never came: {self.text[-2000:]}"
            if select.select([self.master], [], [], min(left, 0.2))[0]:
                self.text += os.read(self.master, 65536)
        end = self.text.index(wanted) + len(wanted)
        taken, self.text = self.text[:end], self.text[end:]
        return taken.decode(errors="replace")

    def ends(self):
        """Waits for the end; the terminal must be as it was."""
        self.until(LEAVE)
        status = self.process.wait(craton.patience(10))
        assert termios.tcgetattr(self.slave) == self.before
        return status


@contextlib.contextmanager
def page_server(page, port=0):
    """Another server that has a page of metrics."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class TestTerminal:
    def test_it_draws_again_and_again(self, smol):
        with Screen("--endpoint-url", smol.url, "--interval", "0.1") as screen:
            screen.until(ENTER)
            for _ in range(3):
                drawn = screen.until(b"OUT")
                assert smol.url in drawn and "MODEL" in drawn
            screen.type(b"q")
            assert screen.ends() == 0

    @pytest.mark.parametrize("end", ["^C", "q", "SIGTERM", "SIGHUP"])
    def test_the_terminal_comes_back(self, bare, end):
        with Screen("--endpoint-url", bare.url, "--interval", "60") as screen:
            screen.until(b"No model is bound.")
            if end.startswith("SIG"):
                screen.process.send_signal(getattr(signal, end))
            else:
                screen.type(b"\x03" if end == "^C" else b"q")
            assert screen.ends() == 0

    def test_it_stops_and_goes_on_as_the_shell_says(self, bare):
        with Screen("--endpoint-url", bare.url, "--interval", "60") as screen:
            screen.until(b"No model is bound.")
            screen.process.send_signal(signal.SIGTSTP)
            screen.until(LEAVE)
            os.waitpid(screen.process.pid, os.WUNTRACED)
            screen.process.send_signal(signal.SIGCONT)
            screen.until(ENTER)
            screen.until(b"No model is bound.")
            screen.type(b"q")
            assert screen.ends() == 0

    def test_it_follows_the_size(self, bare):
        with Screen("--endpoint-url", bare.url, "--interval", "60") as screen:
            wide = screen.until(b"\x1b[J")
            screen.resize(40, 10)
            narrow = screen.until(b"\x1b[J")
            screen.type(b"q")
            assert screen.ends() == 0

        def widest(text):
            lines = re.sub(r"\x1b\[[?0-9]*[a-zA-Z]", "", text).replace("\r", "").split("\n")
            return max(map(len, lines))
        assert 40 < widest(wide) <= 100 and widest(narrow) <= 40

    @pytest.mark.parametrize("environment, coloured", [({}, True), ({"NO_COLOR": "1"}, False)])
    def test_colours_are_for_those_who_want_them(self, bare, environment, coloured):
        with Screen("--endpoint-url", bare.url, **environment) as screen:
            assert ("\x1b[1m" in screen.until(b"No model is bound.")) == coloured

    def test_a_server_that_goes_away_is_waited_for(self, bare):
        with urllib.request.urlopen(bare.url + "/metrics") as answer:
            page = answer.read()
        with page_server(page) as port:
            screen = Screen("--endpoint-url", f"http://127.0.0.1:{port}", "--interval", "0.1")
            screen.until(b"No model is bound.")
        with screen:
            screen.until(b"! no server answers at")
            with page_server(page, port):
                screen.until(b"\x1b[H\x1b[1mcraton")  # the first line is the server's again
                screen.type(b"q")
                assert screen.ends() == 0


class TestPipe:
    def test_without_a_terminal_it_prints_once(self, smol):
        done = run_craton("top", "--endpoint-url", smol.url)
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout
        assert smol.url in done.stdout.splitlines()[0]
        assert craton.SMOL in done.stdout

    def test_the_server_is_the_one_that_sdks_are_pointed_at(self, bare):
        done = run_craton("top", "--once", AWS_ENDPOINT_URL=bare.url)
        assert bare.url in done.stdout

    def test_json_has_the_numbers(self, smol):
        done = run_craton("top", "--once", "--output", "json", "--endpoint-url", smol.url + "/")
        seen = json.loads(done.stdout)
        models = {row["model"]: row for row in seen["models"]}  # the encoder that was pulled, too
        model = models[craton.SMOL]
        assert model["ready"] is True
        assert model["kv_cells"] > 0 and seen["memory_bytes"] > 1e7 and seen["since_start"] is True

    def test_json_goes_on_a_line_an_interval(self, bare):
        process = subprocess.Popen(
            [craton.BINARY, "top", "--output", "json", "--interval", "0.1", "--endpoint-url", bare.url],
            env=craton.clean_environment(), stdout=subprocess.PIPE, text=True)
        lines = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.terminate()
        process.wait(craton.patience(10))
        process.stdout.close()
        assert [line["since_start"] for line in lines] == [True, False, False]

    def test_https_by_the_authority_that_serve_prints(self, tmp_path):
        with craton.serving("--model", "none", "--tls", "self-signed", "--data", tmp_path) as server:
            authority = re.search(r"AWS_CA_BUNDLE='([^']+)'", server.output())[1]
            trusted = run_craton("top", "--endpoint-url", server.url, AWS_CA_BUNDLE=authority)
            assert trusted.returncode == 0, trusted.stderr
            assert run_craton("top", "--endpoint-url", server.url).returncode == 1


class TestRefusals:
    def refused(self, *arguments):
        done = run_craton("top", *arguments)
        assert done.returncode == 1 and not done.stdout
        (line,) = done.stderr.splitlines()
        return line

    def test_nothing_that_listens(self):
        line = self.refused("--endpoint-url", "http://127.0.0.1:1")
        assert line.startswith("craton: no server answers at http://127.0.0.1:1: ")
        assert "--endpoint-url" in line and "craton serve" in line

    def test_another_server(self, bare):
        line = self.refused("--endpoint-url", bare.url + "/elsewhere")
        assert "is not a Craton server's address: it answers with status 404" in line

    def test_a_url_that_is_none(self):
        assert "--endpoint-url" in self.refused("--endpoint-url", "nonsense://x")
