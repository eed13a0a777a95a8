"""The first program that was ever run against this: examples/foundation_model_test.py, unchanged."""
import datetime
import json
import subprocess
import sys

import dateutil.tz
import pytest

import craton

EXAMPLE = craton.SOURCE / "examples" / "foundation_model_test.py"
SEED = [json.loads(line)
        for line in (craton.SOURCE / "tests/sdk/data/seed_models.jsonl").read_text().splitlines()]


def run_example(environment):
    """What it printed: the models, and the reply."""
    done = subprocess.run([sys.executable, EXAMPLE], env=environment, capture_output=True, text=True,
                          timeout=craton.patience(100))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    start = lines.index("{")  # the reply is indented JSON; a model is one line
    names = {"__builtins__": {}, "datetime": datetime, "tzutc": dateutil.tz.tzutc,
             "tzlocal": dateutil.tz.tzlocal}
    return [eval(line, names) for line in lines[:start]], json.loads("\n".join(lines[start:]))


def assert_seoul(reply):
    assert "서울" in reply["content"][0]["text"]
    assert reply["stop_reason"] == "end_turn"
    assert set(reply) == {"id", "type", "role", "content", "model", "stop_reason", "stop_sequence",
                          "usage"}
    assert reply["usage"]["input_tokens"] > 5 and reply["usage"]["output_tokens"] > 2


def test_the_example_lists_the_models_and_says_seoul(qwen):
    models, reply = run_example(craton.sdk_environment(qwen.url))
    assert len(models) >= 55
    assert {model["modelId"] for model in SEED} <= {model["modelId"] for model in models}
    assert_seoul(reply)


def test_the_example_runs_from_a_profile_with_an_endpoint_url(qwen, tmp_path):
    config = tmp_path / "config"
    config.write_text(f"[profile local]\nendpoint_url = {qwen.url}\nregion = eu-west-1\n"
                      "aws_access_key_id = craton\naws_secret_access_key = craton\n")
    models, reply = run_example(craton.clean_environment(AWS_CONFIG_FILE=str(config),
                                                         AWS_PROFILE="local"))
    assert models and all(":eu-west-1::" in model["modelArn"] for model in models)
    assert_seoul(reply)


def test_the_seed_catalogue_prints_the_seed_page_and_nothing_else():
    with craton.serving("--model", craton.QWEN, "--catalog", "seed") as server:
        models, reply = run_example(craton.sdk_environment(server.url))
    assert models == SEED
    assert [list(model) for model in models] == [list(model) for model in SEED], "member order"
    assert_seoul(reply)


@pytest.mark.parametrize("variables", [
    pytest.param(("AWS_ENDPOINT_URL_BEDROCK", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"), id="per_service"),
    pytest.param(("AWS_ENDPOINT_URL",), id="global"),
])
def test_the_endpoint_variables_reach_the_server(bare, variables):
    environment = craton.sdk_environment(bare.url)
    del environment["AWS_ENDPOINT_URL"]
    environment.update({name: bare.url for name in variables})
    program = ("import boto3\n"
               "print(len(boto3.client('bedrock').list_foundation_models()['modelSummaries']))\n"
               "print(boto3.client('bedrock-runtime').meta.endpoint_url)\n")
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True,
                          text=True, timeout=craton.patience(60))
    assert done.returncode == 0, done.stderr
    count, endpoint = done.stdout.split()
    assert int(count) >= 55 and endpoint == bare.url


def test_the_lines_that_serve_prints_are_enough(bare):
    exported = dict(word.split("=", 1) for line in bare.output().splitlines()
                    if line.startswith("export ") for word in line.split()[1:])
    done = subprocess.run(
        [sys.executable, "-c", "import boto3; boto3.client('bedrock').list_foundation_models()"],
        env=craton.clean_environment(**exported), capture_output=True, text=True,
        timeout=craton.patience(60))
    assert done.returncode == 0, done.stderr
    assert exported["AWS_ENDPOINT_URL"] == bare.url
