"""The command line: what it prints, what it refuses and how, and where settings come from."""
import json
import os
import pathlib
import re
import socket

import pytest

import craton
import wire
from craton import run_craton


def refused(*arguments, status=1, **options):
    """The one line of a refusal."""
    done = run_craton(*arguments, **options)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    assert not craton.SANITIZER_REPORT.search(done.stderr), done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("craton: "), done.stderr
    return lines[0]


class TestUsage:
    @pytest.mark.parametrize("arguments, wrong, right", [
        (["serve", "--prot", "9000"], "--prot", "--port"),
        (["serve", "--modle=x"], "--modle", "--model"),
        (["serve", "--catalogue", "seed"], "--catalogue", "--catalog"),
        (["srve"], "srve", "serve"),
        (["doctr"], "doctr", "doctor"),
        (["--verison"], "--verison", "--version"),
        (["pull", "--dta", "x", craton.SMOL], "--dta", "--data"),
    ], ids=lambda value: value if isinstance(value, str) else None)
    def test_a_wrong_word_is_named_with_the_nearest_right_one(self, arguments, wrong, right):
        line = refused(*arguments, status=2)
        assert f"'{wrong}'" in line and f"'{right}'" in line

    @pytest.mark.parametrize("flags, complaint", [
        (["--port", "banana"], "--port: expected a whole number from 0 to 65535, found 'banana'"),
        (["--port", "70000"], "--port: expected a whole number from 0 to 65535, found '70000'"),
        (["--catalog", "sed"], "--catalog: expected all, seed or today, found 'sed'"),
        (["--region", "US East"], "--region: expected the name of an AWS Region"),
        (["--threads", "-1"], "--threads: expected a whole number"),
        (["--log", "loud"], "--log: expected debug, info, warning, error or off, found 'loud'"),
    ], ids=lambda value: value if isinstance(value, str) else " ".join(value))
    def test_a_wrong_value_is_named_with_what_was_expected(self, flags, complaint):
        assert complaint in refused("serve", "--model", "none", *flags)

    def test_a_flag_without_its_value_is_named(self):
        assert "--port" in refused("serve", "--port", status=2)

    def test_without_a_command_the_help_is_printed(self):
        done = run_craton()
        assert done.returncode != 0
        for command in ("serve", "pull", "doctor", "operations", "top"):
            assert re.search(rf"^\s+{command}\b", done.stdout + done.stderr, re.M)

    @pytest.mark.parametrize("command", ["serve", "pull", "doctor", "operations", "top"])
    def test_every_command_has_help(self, command):
        done = run_craton(command, "--help")
        assert done.returncode == 0 and len(done.stdout.splitlines()) > 3

    def test_the_version_says_what_it_is_built_of(self):
        done = run_craton("--version")
        assert done.returncode == 0
        lock = json.loads((craton.SOURCE / "dependencies.lock").read_text())
        assert re.match(r"craton \d+\.\d+\.\d+\n", done.stdout)
        for word in ("botocore " + lock["botocore"]["version"], lock["llama.cpp"]["version"], "Boost 1.",
                     "OpenSSL 3", "curl", "spdlog"):
            assert word in done.stdout


class TestModels:
    def test_a_missing_file_is_named(self, tmp_path):
        path = tmp_path / "none.gguf"
        line = refused("serve", "--port", "0", "--model", path)
        assert str(path) in line

    def test_an_unknown_name_is_told_the_nearest(self):
        line = refused("serve", "--port", "0", "--model", "smolm2-135m-instruct")
        assert "smolm2-135m-instruct" in line and craton.SMOL in line

    def test_a_known_name_that_was_not_pulled_is_told_how_to(self, tmp_path):
        line = refused("serve", "--port", "0", "--model", craton.QWEN, "--data", tmp_path)
        assert f"craton pull {craton.QWEN}" in line

    @pytest.mark.parametrize("content", [
        pytest.param(b"", id="empty"), pytest.param(b"GG", id="two_bytes"),
        pytest.param(b"PK\x03\x04" + bytes(5000), id="a_zip"),
        pytest.param("여기 모델이 없습니다".encode(), id="text"),
    ])
    def test_a_file_that_is_no_gguf_is_named(self, tmp_path, content):
        path = tmp_path / "model.gguf"
        path.write_bytes(content)
        line = refused("serve", "--port", "0", "--model", path)
        assert str(path) in line and "GGUF" in line

    def test_a_folder_is_no_model(self, tmp_path):
        assert str(tmp_path) in refused("serve", "--port", "0", "--model", tmp_path)

    @pytest.mark.parametrize("content", [
        pytest.param(b"GGUF\x03\0\0\0", id="magic_only"),
        pytest.param(b"GGUF\x03\0\0\0" + b"\xff" * 64, id="absurd_counts"),
        pytest.param(b"GGUF\x63\0\0\0" + bytes(64), id="future_version"),
        pytest.param(b"GGUF\x03\0\0\0" + bytes(16), id="nothing_in_it"),
    ])
    def test_a_damaged_gguf_is_reported_and_the_control_plane_served(self, tmp_path, content):
        """Loading is in the background: the server stands, says that it is not ready, and why."""
        path = tmp_path / "damaged.gguf"
        path.write_bytes(content)
        try:
            server = craton.Server("--model", path)
        except AssertionError as error:  # refused at once is as good, with one line that names it
            assert str(path) in str(error)
            return
        try:
            answer = wire.ask(server, "POST", "/model/anthropic.claude-3-haiku-20240307-v1:0/invoke",
                              json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1,
                                          "messages": [{"role": "user", "content": "Hi"}]}))
            assert (answer.status, answer.error_type) == (424, "ModelErrorException")
            assert server.get("/ready") == 503 and server.get("/foundation-models") == 200
            assert "model_failed" in server.log()
        finally:
            server.stop()

    def test_half_a_model_is_reported_and_the_control_plane_served(self, tmp_path):
        half = model_file().read_bytes()[:40_000_000]
        self.test_a_damaged_gguf_is_reported_and_the_control_plane_served(tmp_path, half)

    def test_a_model_is_served_by_its_path(self):
        with craton.serving("--model", model_file()) as server:
            server.wait_ready()


def model_file():
    """SmolLM2's file, in the folder of models of this user."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(os.environ.get("CRATON_CACHE_DIR") or pathlib.Path(cache) / "craton")
    (file,) = (folder / "models").glob(f"{craton.SMOL}*.gguf")
    return file


class TestAddresses:
    def test_a_port_in_use_is_named_with_a_cure(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            line = refused("serve", "--model", "none", "--port", port)
        assert str(port) in line and "--port" in line

    def test_two_servers_never_share_a_port(self, bare):
        assert str(bare.port) in refused("serve", "--model", "none", "--port", bare.port)

    @pytest.mark.parametrize("host", ["256.1.1.1", "203.0.113.7", "no.such.host.invalid"])
    def test_an_address_that_cannot_be_had_is_named(self, host):
        assert host in refused("serve", "--model", "none", "--port", "0", "--host", host)

    def test_port_0_picks_one_and_prints_it(self, bare):
        assert bare.port > 0 and f":{bare.port}\n" in bare.output()


def region_of(server):
    """The Region of a caller who names none."""
    body = json.loads(wire.ask(server, "GET", "/foundation-models").body)
    return body["modelSummaries"][0]["modelArn"].split(":")[3]


class TestSettings:
    def serve(self, tmp_path, flags=(), yaml=None, name="craton.yaml", **environment):
        if yaml is not None:
            (tmp_path / name).write_text(yaml)
        return craton.serving(*flags, cwd=tmp_path, **environment)

    @pytest.mark.parametrize("flag, variable, yaml, expected", [
        (None, None, None, "us-east-1"),
        (None, None, "eu-west-1", "eu-west-1"),
        (None, "eu-west-2", "eu-west-1", "eu-west-2"),
        ("eu-west-3", "eu-west-2", "eu-west-1", "eu-west-3"),
        ("eu-west-3", None, "eu-west-1", "eu-west-3"),
    ], ids=["default", "file", "variable_over_file", "flag_over_both", "flag_over_file"])
    def test_a_flag_wins_over_a_variable_over_the_file(self, tmp_path, flag, variable, yaml, expected):
        flags = ["--model", "none"] + (["--region", flag] if flag else [])
        environment = {"CRATON_REGION": variable} if variable else {}
        with self.serve(tmp_path, flags, f"region: {yaml}\n" if yaml else None, **environment) as server:
            assert region_of(server) == expected

    def test_every_setting_may_stand_in_the_file(self, tmp_path):
        yaml = "model: none\nregion: ap-northeast-2\ncatalog: seed\nio-threads: 1\nmax-body: 2000\n"
        with self.serve(tmp_path, yaml=yaml) as server:
            assert region_of(server) == "ap-northeast-2"
            assert len(json.loads(wire.ask(server, "GET", "/foundation-models").body)["modelSummaries"]) == 55
            assert wire.ask(server, "POST", "/model/x/invoke", b"x" * 2001).status == 413

    def test_another_file_may_be_named(self, tmp_path):
        with self.serve(tmp_path, ["--config", "other.yaml"], "model: none\nregion: ca-west-1\n",
                        "other.yaml") as server:
            assert region_of(server) == "ca-west-1"

    @pytest.mark.parametrize("yaml, complaint", [
        ("prot: 9000\n", "craton.yaml:1: unknown key 'prot'; did you mean 'port'?"),
        ("model: none\nport: many\n", "craton.yaml:2: port: expected a whole number"),
        ("model: [none\n", "craton.yaml:"),
        ("- model\n", "craton.yaml:1: expected lines of the form 'key: value'"),
        ("model:\n  name: none\n", "craton.yaml:1: expected 'key: value' with a plain value"),
        ("port: 1\nport: 2\n", "craton.yaml:"),
    ], ids=["unknown_key", "wrong_value", "no_yaml", "a_list", "nested", "twice"])
    def test_a_bad_file_is_named_with_its_line(self, tmp_path, yaml, complaint):
        (tmp_path / "craton.yaml").write_text(yaml)
        assert complaint in refused("serve", "--port", "0", "--model", "none", cwd=tmp_path)

    def test_a_file_that_is_missing_is_named(self):
        assert "nowhere.yaml" in refused("serve", "--config", "nowhere.yaml")

    def test_a_bad_variable_is_named(self):
        assert "CRATON_PORT: expected a whole number" in refused("serve", CRATON_PORT="high")


class TestDoctor:
    def test_it_tells_of_processor_memory_models_pdf_and_port(self):
        done = run_craton("doctor")
        assert done.returncode == 0, done.stdout + done.stderr
        for word in ("CPU", "memory", "model", "pdftotext", "port"):
            assert word.lower() in done.stdout.lower(), done.stdout

    def test_a_missing_model_is_told_with_its_cure(self, tmp_path):
        done = run_craton("doctor", CRATON_CACHE_DIR=str(tmp_path))
        assert f"craton pull {craton.QWEN}" in done.stdout + done.stderr

    def test_a_port_in_use_is_told(self, bare):
        done = run_craton("doctor", "--port", bare.port)
        assert str(bare.port) in done.stdout + done.stderr
        assert done.returncode != 0


class TestPull:
    def test_an_unknown_name_is_told_the_nearest(self):
        line = refused("pull", "smollm2-135-instruct")
        assert "smollm2-135-instruct" in line and craton.SMOL in line

    def test_a_model_that_is_there_is_not_fetched_again(self):
        done = run_craton("pull", craton.SMOL)
        assert done.returncode == 0, done.stderr

    def test_a_cache_folder_that_cannot_be_written_is_named(self, tmp_path):
        (tmp_path / "file").write_text("no folder")
        folder = str(tmp_path / "file" / "cache")
        assert str(tmp_path / "file") in refused("pull", craton.SMOL, CRATON_CACHE_DIR=folder)


class TestOperations:
    def test_the_table_of_the_documentation_is_what_the_program_prints(self):
        page = craton.SOURCE / "docs" / "operations.md"
        printed = run_craton("operations", "--output", "markdown")
        assert printed.returncode == 0
        assert printed.stdout.strip() in page.read_text(), \
            "run: craton operations --output markdown, and put the table into docs/operations.md"
