#!/usr/bin/env python3
"""Runs one client of clients.py against the built program, and judges every step.

usage: run.py CLIENT [RESULTS]

The client's program is told nothing but the names of its steps and, by the environment that a user
would set, where the server is and who asks. Two servers are there for it: one with the default model, which
lets in nobody but who holds its keys (`--auth verify`), and, for the last step, one whose only place is taken,
so that it throttles whoever asks. What the client said
goes to the folder RESULTS (default: clients/ beside the program under test) as NAME.json; matrix.py makes
docs/clients.md of it.

Exit status: 0 when every step passed, 1 when one did not, 77 when the client's toolchain is missing.
"""
import contextlib
import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "sdk"))

import h2.settings  # noqa: E402

import craton  # noqa: E402
import http2  # noqa: E402
import kits  # noqa: E402
from clients import CLIENTS, POINTERS, STEPS  # noqa: E402
from relay import Relay  # noqa: E402

SKIPPED = 77
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"


# What each step must show, whatever its program thought of it: None, or what is wrong with `detail`.

def judge_list(detail):
    return None if re.fullmatch(r"[1-9]\d* models", detail) else "no models"


def judge_chat(detail):
    return None if "Paris" in detail else "the answer is wrong"


def judge_stream(detail):
    pieces = re.match(r"(\d+) pieces: ", detail)
    if not pieces or int(pieces[1]) < 2:
        return "the answer did not come in pieces"
    return judge_chat(detail)


def judge_tool(detail):
    call = json.loads(detail)
    fits = (isinstance(call, dict) and set(call) == {"city", "unit"} and isinstance(call["city"], str)
            and call["unit"] in ("celsius", "fahrenheit"))
    return None if fits else "the input does not fit the tool's schema"


def judge_error(detail):
    said = "The provided model identifier is invalid."
    return None if said in detail else f"does not say: {said}"


def judge_throttle(detail):
    said = "Too many requests, please wait before trying again."
    return None if said in detail else f"does not say: {said}"


JUDGES = {"list": judge_list, "chat": judge_chat, "stream": judge_stream, "tool": judge_tool,
          "error": judge_error, "throttle": judge_throttle}


@dataclasses.dataclass
class Outcome:
    ok: bool
    detail: str


def outcome_of(step, line):
    """The outcome of a line that the program printed."""
    detail = str(line.get("detail", ""))
    if not line.get("ok"):
        return Outcome(False, detail)
    try:
        wrong = JUDGES[step](detail)
    except (ValueError, KeyError, TypeError) as error:
        wrong = f"cannot be judged ({error})"
    return Outcome(not wrong, f"{wrong}: {detail}" if wrong else detail)


class Keys:
    """A file of keys: one that signs, and an API key for clients that do not."""

    def __init__(self, folder):
        self.file = pathlib.Path(folder) / "keys.json"
        self.access, self.bearer = self._made(), self._made("--bearer")

    def _made(self, *flags):
        done = craton.run_craton("keys", "create", "client", "--keys", self.file, "--output", "json", *flags)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def environment(self):
        return {"AWS_ACCESS_KEY_ID": self.access["accessKeyId"],
                "AWS_SECRET_ACCESS_KEY": self.access["secretAccessKey"],
                "OPENAI_API_KEY": self.bearer["bearerToken"]}


ANYBODY = {"AWS_ACCESS_KEY_ID": "craton", "AWS_SECRET_ACCESS_KEY": "craton", "OPENAI_API_KEY": "craton"}


def environment(client, url, who):
    """What a user of this client exports, and nothing of the developer's own."""
    return craton.clean_environment(**{
        client.pointer: POINTERS[client.pointer].format(url=url),
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", **who})


def run_program(command, client, steps, url, who):
    """The lines that the program printed, by step; the line that names its version is under ""."""
    program = subprocess.Popen([*map(str, command), *client.arguments, *steps],
                               env=environment(client, url, who), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        output, errors = program.communicate(timeout=craton.patience(300))
        end = f"exit status {program.returncode}"
    except subprocess.TimeoutExpired:
        program.kill()
        output, errors = program.communicate()
        end = "it did not end in time"
    lines = {}
    for text in output.splitlines():
        with contextlib.suppress(ValueError):
            line = json.loads(text)
            lines[line.get("step", "")] = line
    for step in steps:
        lines.setdefault(step, {"ok": False, "detail": "the program said nothing of it; "
                                f"{end}, {(errors or output)[-2000:]}"})
    if program.returncode != 0 and all(lines[step]["ok"] for step in steps):
        lines[steps[-1]] = {"ok": False, "detail": f"{end}: {errors[-2000:]}"}
    return lines


class Occupied:
    """A server with one place and no queue, whose place is taken for the length of a `with`.

    A streamed answer holds it whose reader takes a few bytes every now and then: HTTP/2 lets a reader
    say how much it takes, a model waits for a reader, and a server does not give up one that goes on.
    However fast the model is, the answer does not end.
    """

    def __init__(self):
        self.server = craton.Server("--model", craton.SMOL, "--parallel", "1", "--queue", "0")
        self._leaving = threading.Event()

    def __enter__(self):
        self.server.wait_ready()
        self._connection = http2.Connection(self.server)
        self._connection.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
        stream = self._connection.send("POST", f"/model/{HAIKU}/invoke-with-response-stream", json.dumps({
            "anthropic_version": "bedrock-2023-05-31", "max_tokens": 4096, "temperature": 0,
            "messages": [{"role": "user", "content": "Count from 1 to 1000."},
                         {"role": "assistant", "content": "1, 2, 3, 4, 5, 6, 7, 8, 9,"}]}))
        answer = self._connection.answers[stream]
        self._connection.until(lambda: answer.status)
        assert answer.status == 200, f"nobody took the place: {self.server.log()}"
        self._reader = threading.Thread(target=self._read_slowly, args=(stream,))
        self._reader.start()
        return self

    def __exit__(self, *_):
        self._leaving.set()
        self._reader.join()
        self._connection.__exit__()
        self.server.signal()
        self.server.wait()
        log = self.server.log()  # whole: lines are written by a thread of their own
        self.server.stop()
        asked = [line.start() for line in re.finditer(" status=429 error=ThrottlingException ", log)]
        given_up = log.find("InvokeModelWithResponseStream")
        assert not asked or given_up > asked[-1], f"the place was given up too early: {log}"
        self.throttled = len(asked)  # calls

    def _read_slowly(self, stream):
        while not self._leaving.wait(5):
            self._connection.h2.increment_flow_control_window(64, stream)
            self._connection.flush()


def throttle_outcome(client, line, asked):
    outcome = outcome_of("throttle", line)
    if outcome.ok and asked != client.attempts:
        return Outcome(False, f"asked {asked} times, not {client.attempts}: {outcome.detail}")
    return outcome


def judge_transport(client, transports):
    if transports == {client.transport}:
        return None
    return f"speaks {' and '.join(sorted(transports)) or 'not at all'}, expected {client.transport}"


def run_client(client, command):
    """The client's version, its transports and its outcomes by step."""
    result = {}
    asks = [step for step in STEPS if step not in client.lacks and step != "throttle"]
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys(folder)
        with craton.serving("--model", craton.QWEN, "--auth", "verify", "--keys", keys.file) as server:
            server.wait_ready()
            lines = run_program(command, client, asks, server.url, keys.environment())
        for step in asks:
            result[step] = outcome_of(step, lines[step])
    with Occupied() as occupied, Relay(occupied.server.port) as relay:
        last = run_program(command, client, ["throttle"], relay.url, ANYBODY)
        transports = relay.transports()
    result["throttle"] = throttle_outcome(client, last["throttle"], occupied.throttled)
    return lines.get("", {}).get("version", "?"), transports, result


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in CLIENTS:
        print(f"{__doc__.strip()}\n\nClients: {' '.join(CLIENTS)}", file=sys.stderr)
        return 2
    client = CLIENTS[sys.argv[1]]
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else craton.BINARY.parent / "clients"
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / f"{client.name}.json"
    record.unlink(missing_ok=True)
    try:
        kit = kits.KITS[client.kit]
        command = kit.command(kits.made(kit), client.program)
    except kits.Missing as missing:
        print(f"skipped: {missing}")
        return SKIPPED
    version, transports, outcomes = run_client(client, command)
    wrong = judge_transport(client, transports)
    print(f"{client.title} {version}, {' and '.join(sorted(transports))}")
    for step, outcome in outcomes.items():
        print(f"  {'ok    ' if outcome.ok else 'FAILED'} {step}: {outcome.detail}")
    if wrong:
        print(f"  FAILED transport: {wrong}")
    record.write_text(json.dumps({
        "client": client.name, "version": version, "transports": sorted(transports),
        "steps": {step: dataclasses.asdict(outcome) for step, outcome in outcomes.items()},
    }, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if not wrong and all(outcome.ok for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
