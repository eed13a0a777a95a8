"""The calling commands (ask, chat, models, invoke, embed, image, count-tokens) against servers of
every kind, and completion."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import craton

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
RULES = r"""
rules:
  - match: {prompt: {contains: slowly}}
    answer: {text: one two three four five six seven eight nine ten, pacing: {tokens-per-second: 4}}
  - match: {prompt: {contains: refuse}}
    answers: [{fault: {fault: ThrottlingException, message: Slow down.}}]
  - answer: {text: "You said: {{last_user_text}}"}
"""


@pytest.fixture(scope="module")
def scripted(tmp_path_factory):
    rules = tmp_path_factory.mktemp("rules") / "rules.yaml"
    rules.write_text(RULES)
    lint = run_craton("script", "lint", rules)
    assert lint.returncode == 0, lint.stderr
    with craton.serving("--bind", f"*=script:{rules}") as server:
        yield server


def run_craton(*arguments, env=None, input=None, timeout=60):
    """A command in an empty folder, whose standard input is a pipe."""
    with tempfile.TemporaryDirectory() as empty:
        return subprocess.run([craton.BINARY, *map(str, arguments)], cwd=empty, text=True,
                              env=env or craton.clean_environment(), timeout=craton.patience(timeout),
                              capture_output=True, input=input or "")


def call(server, *arguments, environment=None, input=None):
    return run_craton(*arguments, env=craton.sdk_environment(server.url, **(environment or {})), input=input)


def said(done):
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


class TestAsk:
    def test_prints_the_answer(self, scripted):
        assert said(call(scripted, "ask", "Hello")) == "You said: Hello\n"

    def test_takes_standard_input(self, scripted):
        assert said(call(scripted, "ask", input="From a pipe\n")) == "You said: From a pipe\n"
        assert said(call(scripted, "ask", "Sum up:", "-", input="a\nb\n")) == "You said: Sum up:\n\na\nb\n"

    def test_gives_json(self, scripted):
        answer = json.loads(said(call(scripted, "ask", "Hello", "--output", "json")))
        assert answer["text"] == "You said: Hello" and answer["model"] == HAIKU
        assert answer["inputTokens"] > 0 and answer["outputTokens"] > 0

    def test_tells_tokens_when_asked_to(self, scripted):
        done = call(scripted, "ask", "Hello", "--stats")
        assert re.match(r"\d+ tokens in, \d+ out", done.stderr)

    def test_sends_the_system_and_sampling(self, scripted):
        assert said(call(scripted, "ask", "Hi", "--system", "Be brief.", "--temperature", "0", "--top-p",
                         "0.5", "--max-tokens", "9", "--stop", "END")) == "You said: Hi\n"

    def test_an_image_that_is_none_is_refused_before_anything_is_sent(self, scripted, tmp_path):
        done = call(scripted, "ask", "Hi", "--image", tmp_path / "x.txt")
        assert done.returncode == 2 and "is no .png" in done.stderr

    def test_no_text_is_wrong_usage(self, scripted):
        done = call(scripted, "ask", input="")
        assert done.returncode == 2 and "no text" in done.stderr

    def test_answers_from_this_process_where_nothing_is_configured(self):
        done = run_craton("ask", "대한민국의 수도는?",
                          env=craton.clean_environment(CRATON_MODEL=craton.QWEN))
        assert "서울" in said(done)

    def test_a_missing_model_is_told_with_the_cure(self):
        done = run_craton("ask", "Hi", "--local", env=craton.clean_environment(CRATON_MODEL="none.gguf"))
        assert done.returncode == 2 and "none.gguf" in done.stderr and len(done.stderr.splitlines()) == 1


class TestErrors:
    def test_the_services_error_is_one_line_and_status_1(self, scripted):
        done = call(scripted, "ask", "Hi", "-m", "no.such-model-v1:0")
        assert done.returncode == 1
        assert done.stderr == "craton: ValidationException: The provided model identifier is invalid.\n"

    def test_throttling_is_tried_again(self, scripted):
        done = call(scripted, "ask", "refuse", environment={"AWS_MAX_ATTEMPTS": "2"})
        assert done.returncode == 1 and "Slow down. (after 2 attempts)" in done.stderr

    def test_json_errors_for_programs(self, scripted):
        done = call(scripted, "models", "show", "nothing", "--output", "json")
        error = json.loads(done.stderr)["error"]
        assert done.returncode == 1 and error["type"] == "ValidationException" and error["status"] == 400
        assert craton.UUID.fullmatch(error["requestId"])

    def test_nobody_there_is_status_3(self):
        done = run_craton("models", "--endpoint-url", "http://127.0.0.1:1",
                          env=craton.clean_environment(AWS_MAX_ATTEMPTS="1"))
        assert done.returncode == 3 and "cannot be reached" in done.stderr

    def test_no_credentials_is_status_4(self):
        done = run_craton("models", env=craton.clean_environment(
            AWS_REGION="us-east-1", AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:1/"))
        assert done.returncode == 4 and "AWS_ACCESS_KEY_ID" in done.stderr

    def test_a_profile_that_is_not_there_is_status_2(self):
        done = run_craton("models", "--profile", "nobody", env=craton.clean_environment())
        assert done.returncode == 2 and "no profile 'nobody'" in done.stderr


class TestConfiguration:
    def test_a_profile_leads_to_its_server(self, scripted, tmp_path):
        config = tmp_path / "config"
        config.write_text(f"[profile local]\nendpoint_url = {scripted.url}\nregion = us-west-2\n"
                          "aws_access_key_id = craton\naws_secret_access_key = craton\n")
        environment = craton.clean_environment(AWS_CONFIG_FILE=str(config))
        assert said(run_craton("ask", "Hi", "--profile", "local", env=environment)) == "You said: Hi\n"

    def test_an_open_server_needs_no_credentials(self, scripted):
        done = run_craton("ask", "Hi", "--endpoint-url", scripted.url, env=craton.clean_environment())
        assert said(done) == "You said: Hi\n"

    def test_a_server_that_verifies(self, tmp_path):
        keys = tmp_path / "keys.json"
        made = {}
        for name, flags in (("signed", []), ("bearer", ["--bearer"]), ("short", ["--temporary"])):
            made[name] = json.loads(said(run_craton("keys", "create", name, "--keys", keys, "--output",
                                                    "json", *flags)))
        rules = tmp_path / "rules.yaml"
        rules.write_text("rules:\n  - {answer: Granite.}\n")
        with craton.serving("--auth", "verify", "--keys", keys, "--bind", f"*=script:{rules}") as server:
            for name, key in made.items():
                names = {"accessKeyId": "AWS_ACCESS_KEY_ID", "secretAccessKey": "AWS_SECRET_ACCESS_KEY",
                         "sessionToken": "AWS_SESSION_TOKEN", "bearerToken": "AWS_BEARER_TOKEN_BEDROCK"}
                told = {names[member]: value for member, value in key.items() if member in names}
                environment = craton.clean_environment(AWS_ENDPOINT_URL=server.url,
                                                       AWS_REGION="us-east-1", **told)
                assert said(run_craton("ask", "Hi", env=environment)) == "Granite.\n", name
                assert "claude" in said(run_craton("models", "claude", "--output", "text", env=environment))
            wrong = craton.sdk_environment(server.url)
            done = run_craton("ask", "Hi", env=wrong)
            assert done.returncode == 1 and "UnrecognizedClientException" in done.stderr

    def test_a_server_with_tls(self, tmp_path):
        rules = tmp_path / "rules.yaml"
        rules.write_text("rules:\n  - {answer: Granite.}\n")
        with craton.serving("--tls", "self-signed", "--data", tmp_path, "--bind",
                            f"*=script:{rules}") as server:
            authority = re.search(r"AWS_CA_BUNDLE='([^']*)'", server.output())[1]
            trusting = craton.sdk_environment(server.url, AWS_CA_BUNDLE=authority)
            assert said(run_craton("ask", "Hi", env=trusting)) == "Granite.\n"
            done = run_craton("ask", "Hi", env=craton.sdk_environment(server.url, AWS_MAX_ATTEMPTS="1"))
            assert done.returncode == 3


class TestModels:
    def test_a_table_of_all(self, scripted):
        lines = said(call(scripted, "models")).splitlines()
        assert lines[0].split() == ["ID", "NAME", "PROVIDER", "IN", "OUT", "STREAM", "STATUS"]
        assert any(line.startswith(HAIKU) for line in lines)

    def test_filters(self, scripted):
        ids = said(call(scripted, "models", "--can", "tools,vision", "--provider", "anthropic",
                        "--output", "text")).split()
        assert HAIKU in ids and all(name.startswith("anthropic.") for name in ids)
        assert "anthropic.claude-v2:1" not in ids
        embedding = said(call(scripted, "models", "titan", "--can", "embed", "--output", "text")).split()
        assert "amazon.titan-embed-text-v2:0" in embedding and all("embed" in name for name in embedding)

    def test_json_is_what_the_api_lists(self, scripted):
        models = json.loads(said(call(scripted, "models", "--output", "json")))
        listed = scripted.client("bedrock").list_foundation_models()["modelSummaries"]
        assert [model["modelId"] for model in models] == [model["modelId"] for model in listed]
        assert all(model["can"] for model in models if "TEXT" in model["outputModalities"])

    def test_one(self, scripted):
        shown = said(call(scripted, "models", "show", HAIKU))
        assert "Claude 3 Haiku" in shown and "200000" in shown


class TestInvoke:
    @pytest.mark.parametrize("model", [
        HAIKU, "anthropic.claude-v2:1", "amazon.titan-text-express-v1", "amazon.nova-lite-v1:0",
        "meta.llama3-8b-instruct-v1:0", "meta.llama2-13b-chat-v1", "mistral.mistral-7b-instruct-v0:2",
        "mistral.mistral-large-2402-v1:0", "cohere.command-text-v14", "ai21.j2-mid-v1",
        "us.deepseek.r1-v1:0", "openai.gpt-oss-20b-1:0"])
    def test_builds_the_body_of_the_models_family(self, scripted, model):
        text = said(call(scripted, "invoke", "-m", model, "Hello", "--output", "text", "--max-tokens", "64"))
        assert "You said:" in text and "Hello" in text
        assert not text.startswith("{"), "the answer's text was not found in the reply"

    def test_streams(self, scripted):
        text = said(call(scripted, "invoke", "Hello", "--stream", "--output", "text"))
        assert text == "You said: Hello\n"
        pieces = said(call(scripted, "invoke", "Hello", "--stream")).splitlines()
        assert json.loads(pieces[0])["type"] == "message_start"

    def test_takes_a_body(self, scripted, tmp_path):
        body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9,
                "messages": [{"role": "user", "content": "Own body"}]}
        (tmp_path / "body.json").write_text(json.dumps(body))
        for given in (json.dumps(body), tmp_path / "body.json"):
            reply = json.loads(said(call(scripted, "invoke", "--body", given)))
            assert reply["content"][0]["text"] == "You said: Own body"
        call(scripted, "invoke", "--body", "-", "-o", tmp_path / "reply.json", input=json.dumps(body))
        assert json.loads((tmp_path / "reply.json").read_text())["type"] == "message"

    def test_shows_the_body_without_sending_it(self):
        done = run_craton("invoke", "-m", "amazon.titan-text-express-v1", 'A "quoted" text', "--dry-run",
                          env=craton.clean_environment())
        assert json.loads(said(done))["inputText"] == 'A "quoted" text'


class TestOthers:
    def test_embed(self, smol, scripted):
        vectors = json.loads(said(call(smol, "embed", "Granite", "Basalt", "--output", "json")))
        assert [one["text"] for one in vectors] == ["Granite", "Basalt"]
        assert all(len(one["embedding"]) == 1024 for one in vectors)
        table = said(call(smol, "embed", "-", input="a\nb\n"))
        assert len(table.splitlines()) == 3
        refused = call(scripted, "embed", "-m", HAIKU, "x")
        assert refused.returncode == 2 and "makes no vectors" in refused.stderr

    def test_image(self, scripted, tmp_path):
        out = tmp_path / "cat.png"
        said(call(scripted, "image", "-o", out, "a cat", "--size", "512x512", "-n", "2", "--seed", "3"))
        for file in (out, tmp_path / "cat-2.png"):
            assert file.read_bytes().startswith(b"\x89PNG")
        refused = call(scripted, "image", "-o", out, "a cat", "--size", "big")
        assert refused.returncode == 2

    def test_count_tokens(self, scripted):
        assert int(said(call(scripted, "count-tokens", "Hello"))) > 0
        assert json.loads(said(call(scripted, "count-tokens", "Hello", "--output", "json")))["inputTokens"] > 0


class Typist:
    """Somebody at a terminal."""

    def __init__(self, server, *arguments, home, columns=100):
        environment = craton.sdk_environment(server.url, TERM="xterm", LC_ALL="C.UTF-8", HOME=str(home),
                                             XDG_STATE_HOME=str(home))
        main, other = pty.openpty()
        self.terminal = main
        self.process = subprocess.Popen([craton.BINARY, *arguments], env=environment, stdin=other,
                                        stdout=other, stderr=other, start_new_session=True,
                                        preexec_fn=lambda: __import__("fcntl").ioctl(0, 0x540E, 0))
        os.close(other)
        self.seen = ""

    def type(self, text):
        os.write(self.terminal, text.encode())

    def see(self, text, seconds=20):
        end = time.monotonic() + craton.patience(seconds)
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.terminal], [], [], 0.2)[0]:
                self.seen += os.read(self.terminal, 65536).decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before

    def end(self):
        self.process.wait(timeout=craton.patience(20))
        os.close(self.terminal)
        return self.process.returncode


class TestChat:
    def test_lines_from_a_pipe(self, scripted):
        done = call(scripted, "chat", input="Hello\n/model\n/nothing\n")
        assert said(done) == "You said: Hello\n"
        assert f"model: {HAIKU}" in done.stderr and "There is no /nothing" in done.stderr

    def test_the_conversation_grows(self, qwen):
        lines = "My name is Basalt.\nWhat is my name? One word.\n/tokens\n"
        done = call(qwen, "chat", "--temperature", "0", "--max-tokens", "30", input=lines)
        assert "Basalt" in said(done).splitlines()[-1]
        assert int(re.search(r"(\d+) tokens up to", done.stderr)[1]) > 30

    def test_at_a_terminal(self, scripted, tmp_path):
        typist = Typist(scripted, "chat", home=tmp_path)
        typist.see("/help")
        typist.type("대한민국?\n")
        typist.see("You said: 대한민국?")
        typist.see("tokens in")
        typist.type("/system Be brief.\n")
        typist.see("system: Be brief.")
        typist.type("slowly\n")
        typist.see("one")
        typist.type("\x03")  # Ctrl-C ends the answer, not the chat
        typist.see("stopped")
        typist.type("again\n")
        typist.see("You said: again")
        typist.see("tokens in")
        typist.see("> ")
        typist.type("\x04")
        assert typist.end() == 0
        history = tmp_path / "craton" / "chat_history"
        assert history.stat().st_mode & 0o077 == 0, "what was asked is nobody else's"

    def test_a_failure_can_be_asked_again(self, scripted):
        done = call(scripted, "chat", input="refuse\nHello\n", environment={"AWS_MAX_ATTEMPTS": "1"})
        assert said(done) == "You said: Hello\n" and "Slow down." in done.stderr


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_every_shell_reads_its_script(self, shell, tmp_path):
        script = said(run_craton("completion", shell))
        for word in ("count-tokens", "endpoint-url", "cassette"):
            assert word in script
        if shutil.which(shell):
            file = tmp_path / "script"
            file.write_text(script)
            subprocess.run([shell, "-n", file], check=True)

    @pytest.mark.parametrize("words, completed", [
        (["craton", "cou"], "count-tokens"),
        (["craton", "models", "sh"], "show"),
        (["craton", "ask", "--endp"], "--endpoint-url"),
        (["craton", "models", "show", "--out"], "--output"),
        (["craton", "ask", "-m", "anthropic.claude-3-haiku"], HAIKU),
    ], ids=lambda value: value if isinstance(value, str) else " ".join(value))
    def test_bash_completes(self, words, completed, tmp_path):
        quoted = " ".join(f"'{word}'" for word in words)
        script = (f'eval "$(craton completion bash)"; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; '
                  '_craton; printf "%s\\n" "${COMPREPLY[@]}"')
        path = os.pathsep.join([str(craton.BINARY.parent), os.environ["PATH"]])
        done = subprocess.run(["bash", "-c", script], env={**craton.clean_environment(), "PATH": path},
                              cwd=tmp_path, capture_output=True, text=True, check=True)
        assert completed in done.stdout.split(), done.stderr


def test_an_interrupted_ask_ends_with_130(scripted):
    process = subprocess.Popen([craton.BINARY, "ask", "slowly"], env=craton.sdk_environment(scripted.url),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    process.stdout.read(3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=craton.patience(20))
    assert process.returncode == 130
