"""Images as boto3 sends them, to a tiny model of random weights that sees: what it says means nothing."""
import base64
import json
import os
import struct
import subprocess
import zlib

import pytest

import craton
from craton import refusal

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def png(width, height, shade):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((shade + x * 7 + y * 3) % 256 for x in range(width)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


@pytest.fixture(scope="module")
def seeing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    language, projector = folder / "language.gguf", folder / "projector.gguf"
    subprocess.run([os.environ["CRATON_TINY_VISION_MODEL"], language, projector], check=True)
    with craton.serving("--model", str(language), "--projector", str(projector), "--threads", "1") as server:
        yield server.wait_ready().client("bedrock-runtime")


def asked(*content):
    return {"modelId": MODEL, "messages": [{"role": "user", "content": list(content)}]}


def image(data, form="png"):
    return {"image": {"format": form, "source": {"bytes": data}}}


def answered(client, *content):
    return client.converse(**asked(*content), inferenceConfig={"maxTokens": 8, "temperature": 0})


def test_an_image_is_seen_and_counted(seeing):
    text = {"text": "What is this?"}
    without = answered(seeing, text)["usage"]["inputTokens"]
    small = answered(seeing, image(png(32, 32, 0)), text)["usage"]["inputTokens"]
    large = answered(seeing, image(png(96, 96, 0)), text)["usage"]["inputTokens"]
    assert without < small < large


def test_tokens_are_counted_as_they_are_used(seeing):
    request = asked({"text": "Which?"}, image(png(40, 60, 9)), image(png(60, 40, 90)), {"text": "Say."})
    counted = seeing.count_tokens(modelId=MODEL.removeprefix("us."),
                                  input={"converse": {"messages": request["messages"]}})["inputTokens"]
    assert seeing.converse(**request, inferenceConfig={"maxTokens": 4})["usage"]["inputTokens"] == counted


def test_claudes_own_form_sees_the_same(seeing):
    data = png(48, 48, 5)
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 8, "temperature": 0, "messages": [
        {"role": "user", "content": [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                         "data": base64.b64encode(data).decode()}},
            {"type": "text", "text": "What is this?"}]}]}
    native = json.loads(seeing.invoke_model(modelId=MODEL, body=json.dumps(body))["body"].read())
    converse = answered(seeing, image(data), {"text": "What is this?"})
    assert native["usage"]["input_tokens"] == converse["usage"]["inputTokens"]


def test_a_damaged_image_is_refused(seeing):
    data = png(48, 48, 5)
    error = refusal(seeing.converse, **asked(image(data[:60]), {"text": "What is this?"}))
    assert error.status == 400 and error.type == "ValidationException"


def test_a_model_without_eyes_refuses_images(smol):
    error = refusal(smol.client("bedrock-runtime").converse, **asked(image(png(8, 8, 0)), {"text": "?"}))
    assert error.type == "ValidationException"
    assert error.message == ("This model doesn't support the image field for user messages. Remove image and "
                             "try again.")
