"""The AWS CLI (version 1) against the server, with nothing but the environment to point it there."""
import json
import pathlib
import subprocess
import sys

import pytest

import craton
from families import claude_messages

AWS = pathlib.Path(sys.executable).parent / "aws"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"


@pytest.fixture(autouse=True)
def aws_is_installed():
    assert AWS.is_file(), "pip install -r tests/requirements.txt"


def aws(server, *arguments, region="us-east-1", cwd=None):
    environment = craton.sdk_environment(server.url, region, AWS_MAX_ATTEMPTS="1", AWS_PAGER="")
    return subprocess.run([AWS, *arguments], env=environment, cwd=cwd, capture_output=True, text=True,
                          timeout=craton.patience(90))


def aws_json(server, *arguments, **options):
    done = aws(server, *arguments, "--output", "json", **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_list_foundation_models_by_provider(bare):
    models = aws_json(bare, "bedrock", "list-foundation-models", "--by-provider", "anthropic",
                      "--query", "modelSummaries[].[modelId,providerName]")
    assert [HAIKU, "Anthropic"] in models
    assert {provider for _, provider in models} == {"Anthropic"}


def test_get_foundation_model_in_the_callers_region(bare):
    details = aws_json(bare, "bedrock", "get-foundation-model", "--model-identifier", HAIKU,
                       region="us-west-2")["modelDetails"]
    assert details["modelArn"] == f"arn:aws:bedrock:us-west-2::foundation-model/{HAIKU}"


def test_list_inference_profiles_page_by_page(bare):
    profiles = aws_json(bare, "bedrock", "list-inference-profiles", "--page-size", "9",
                        "--query", "inferenceProfileSummaries[].inferenceProfileId")
    assert len(profiles) == len(set(profiles)) > 40


def test_invoke_model_writes_the_reply_to_a_file(qwen, tmp_path):
    body = json.dumps({**claude_messages("대한민국의 수도는?"), "temperature": 0})
    shown = aws_json(qwen, "bedrock-runtime", "invoke-model", "--model-id", HAIKU, "--body", body,
                     "out.json", cwd=tmp_path)
    assert shown["contentType"] == "application/json"
    reply = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert "서울" in reply["content"][0]["text"]


def test_a_refusal_is_printed_with_its_type_and_text(bare, tmp_path):
    done = aws(bare, "bedrock-runtime", "invoke-model", "--model-id", "no.such-model-v1:0", "--body", "{}",
               "out.json", cwd=tmp_path)
    assert done.returncode != 0
    assert "An error occurred (ValidationException) when calling the InvokeModel operation: The provided " \
           "model identifier is invalid." in done.stderr


def test_an_operation_that_is_not_there_yet_names_itself(bare):
    done = aws(bare, "bedrock", "list-guardrails")
    assert done.returncode != 0
    assert "(NotImplementedException)" in done.stderr and "ListGuardrails" in done.stderr
