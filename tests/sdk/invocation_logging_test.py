"""Invocation logging: configured by boto3, written as Bedrock writes it to S3."""
import gzip
import json
import re
import time

import pytest

import craton
from image_models_test import encoded, png

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
S3 = {"bucketName": "my-logs", "keyPrefix": "team/a"}
RULES = """
rules:
  - match: {prompt: {regex: call}}
    answer:
      tool-calls: [{name: weather, input: {city: Seoul}}]
  - answer: The answer is here.
"""
MEDIA = """
rules:
  - match: {prompt: struck}
    answer: {fault: ThrottlingException}
  - answer: {embedding: [0.5], image: boat.png, usage: {input-tokens: 3}}
"""
BOAT = png(64, 64, lambda x, y: (x, y, 90))
TITAN, SD3, SDXL = "amazon.titan-embed-image-v1", "stability.sd3-5-large-v1:0", "stability.stable-diffusion-xl-v1"
PLACE = re.compile(r"my-logs/team/a/AWSLogs/000000000000/BedrockModelInvocationLogs/us-east-1/\d{4}/\d\d/\d\d/\d\d/"
                   r"\d{8}T\d{6}Z_\w{16}\.json\.gz")


@pytest.fixture
def server(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    with craton.serving("--model", "none", "--bind", "*=script:rules.yaml", "--logs", tmp_path / "s3",
                        cwd=tmp_path) as server:
        server.logs = tmp_path / "s3"
        yield server


def configure(server, **config):
    server.client("bedrock").put_model_invocation_logging_configuration(
        loggingConfig={"s3Config": S3, **config})


def records(server, count):
    """All records, once there are so many; a while longer shows that there are no more."""
    until = time.monotonic() + craton.patience(10)
    while True:
        found = [json.loads(line) for path in sorted(server.logs.rglob("*.json.gz"))
                 if path.parent.name != "data"
                 for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
        if len(found) >= count or time.monotonic() > until:
            assert len(found) == count, found
            return found
        time.sleep(0.02)


def messages(text="hi"):
    return [{"role": "user", "content": [{"text": text}]}]


def native(text="hi"):
    return json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50,
                       "messages": [{"role": "user", "content": text}]})


def test_a_configuration_is_kept_and_taken_away(server):
    bedrock = server.client("bedrock")
    get = lambda: bedrock.get_model_invocation_logging_configuration().get("loggingConfig")
    assert get() is None
    config = {"s3Config": S3, "textDataDeliveryEnabled": True, "imageDataDeliveryEnabled": False,
              "cloudWatchConfig": {"logGroupName": "/bedrock", "roleArn": "arn:aws:iam::000000000000:role/logs"}}
    bedrock.put_model_invocation_logging_configuration(loggingConfig=config)
    assert get() == config
    assert server.client("bedrock", "us-west-2").get_model_invocation_logging_configuration().get(
        "loggingConfig") is None, "it is a Region's own"
    bedrock.delete_model_invocation_logging_configuration()
    bedrock.delete_model_invocation_logging_configuration()
    assert get() is None


@pytest.mark.parametrize("s3", [{"bucketName": "../etc"}, {"bucketName": "Large"},
                                {"bucketName": "fine", "keyPrefix": "a/../../b"},
                                {"bucketName": "fine", "keyPrefix": "/a"}], ids=str)
def test_what_could_leave_the_folder_is_refused(server, s3):
    put = server.client("bedrock").put_model_invocation_logging_configuration
    assert craton.refusal(put, loggingConfig={"s3Config": s3}).type == "ValidationException"


def test_whole_answers_are_logged(server):
    configure(server)
    runtime = server.client("bedrock-runtime")
    answer = runtime.converse(modelId=CLAUDE, messages=messages(), requestMetadata={"team": "a"})
    first, = records(server, 1)
    path, = server.logs.rglob("*.json.gz")
    assert PLACE.fullmatch(path.relative_to(server.logs).as_posix())
    assert first["schemaType"] == "ModelInvocationLog" and first["schemaVersion"] == "1.0"
    assert (first["operation"], first["modelId"], first["region"]) == ("Converse", CLAUDE, "us-east-1")
    assert first["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert first["accountId"] == "000000000000" and first["identity"]["arn"].startswith("arn:aws:iam::")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["timestamp"])
    assert first["requestMetadata"] == {"team": "a"} and "errorCode" not in first
    assert first["input"]["inputBodyJson"]["messages"] == messages()
    assert first["input"]["inputTokenCount"] == answer["usage"]["inputTokens"]
    assert first["output"]["outputBodyJson"]["output"] == answer["output"]
    assert first["output"]["outputTokenCount"] == answer["usage"]["outputTokens"]
    body = runtime.invoke_model(modelId=CLAUDE, body=native())["body"].read()
    second, = (record for record in records(server, 2) if record["operation"] == "InvokeModel")
    assert second["output"]["outputBodyJson"] == json.loads(body)


def test_streamed_answers_are_logged(server):
    configure(server)
    runtime = server.client("bedrock-runtime")
    stream = runtime.invoke_model_with_response_stream(modelId=CLAUDE, body=native())
    chunks = [json.loads(event["chunk"]["bytes"]) for event in stream["body"]]
    record, = records(server, 1)
    assert record["output"]["outputBodyJson"] == chunks
    assert record["output"]["outputTokenCount"] > 0


def test_a_streamed_conversation_is_logged_as_one_answer(server):
    configure(server)
    runtime = server.client("bedrock-runtime")
    tools = {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object"}}}}]}
    for question in ("hi", "please call"):
        list(runtime.converse_stream(modelId=CLAUDE, messages=messages(question), toolConfig=tools)["stream"])
    said, called = (record["output"]["outputBodyJson"] for record in
                    sorted(records(server, 2), key=lambda record: record["output"]["outputBodyJson"]["stopReason"]))
    assert said["output"]["message"] == {"role": "assistant", "content": [{"text": "The answer is here."}]}
    assert said["stopReason"] == "end_turn" and said["usage"]["outputTokens"] > 0
    call = called["output"]["message"]["content"][-1]["toolUse"]
    assert (call["name"], call["input"], called["stopReason"]) == ("weather", {"city": "Seoul"}, "tool_use")


def test_a_refused_call_is_logged_with_its_error(server):
    configure(server)
    refusal = craton.refusal(server.client("bedrock-runtime").converse, modelId=CLAUDE,
                             messages=[{"role": "assistant", "content": [{"text": "hi"}]}])
    record, = records(server, 1)
    assert record["errorCode"] == refusal.type and "output" not in record
    assert record["requestId"] == refusal.request_id


def test_a_large_body_is_an_object_of_its_own(server):
    configure(server)
    text = "word " * 30_000
    server.client("bedrock-runtime").converse(modelId=CLAUDE, messages=messages(text))
    record, = records(server, 1)
    assert "inputBodyJson" not in record["input"] and "outputBodyJson" in record["output"]
    place = record["input"]["inputBodyS3Path"]
    assert place.startswith("s3://my-logs/team/a/AWSLogs/") and "/data/" in place
    body = json.loads(gzip.decompress((server.logs / place.removeprefix("s3://")).read_bytes()))
    assert body["messages"] == messages(text)


def test_data_that_is_not_wanted_is_left_out(server):
    configure(server, textDataDeliveryEnabled=False)
    server.client("bedrock-runtime").converse(modelId=CLAUDE, messages=messages())
    record, = records(server, 1)
    assert "inputBodyJson" not in record["input"] and "outputBodyJson" not in record["output"]
    assert record["input"]["inputTokenCount"] and record["output"]["outputTokenCount"]


def test_nothing_is_logged_without_a_configuration_and_after_it_is_gone(server):
    runtime, bedrock = server.client("bedrock-runtime"), server.client("bedrock")
    runtime.converse(modelId=CLAUDE, messages=messages("before"))
    configure(server)
    runtime.converse(modelId=CLAUDE, messages=messages("between"))
    bedrock.delete_model_invocation_logging_configuration()
    runtime.converse(modelId=CLAUDE, messages=messages("after"))
    record, = records(server, 1)
    assert record["input"]["inputBodyJson"]["messages"] == messages("between")


def test_what_waits_is_written_at_the_end(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    with craton.serving("--model", "none", "--bind", "*=script:rules.yaml", "--logs", tmp_path / "s3",
                        cwd=tmp_path) as server:
        server.logs = tmp_path / "s3"
        configure(server)
        for _ in range(50):
            server.client("bedrock-runtime").converse(modelId=CLAUDE, messages=messages())
    records(server, 50)


def test_a_folder_that_cannot_be_written_fails_no_call(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "s3").write_text("no folder")
    with craton.serving("--model", "none", "--bind", "*=script:rules.yaml", "--logs", tmp_path / "s3",
                        cwd=tmp_path) as server:
        configure(server)
        assert server.client("bedrock-runtime").converse(modelId=CLAUDE, messages=messages())["output"]
        assert "lost=1" in server.wait_for_log("invocations_not_logged")


@pytest.fixture
def media(tmp_path):
    (tmp_path / "media.yaml").write_text(MEDIA)
    (tmp_path / "boat.png").write_bytes(BOAT)
    with craton.serving("--bind", "*=script:media.yaml", "--logs", tmp_path / "s3", cwd=tmp_path) as server:
        server.logs = tmp_path / "s3"
        yield server


def invoke(server, model, body, **more):
    answer = server.client("bedrock-runtime").invoke_model(modelId=model, body=json.dumps(body), **more)
    return answer["body"].read()


def test_vectors_and_pictures_are_logged(media):
    configure(media)
    asked = {"inputText": "a boat", "inputImage": encoded(BOAT)}
    vector = json.loads(invoke(media, TITAN, asked))
    drawing = {"prompt": "a boat", "mode": "image-to-image", "image": encoded(BOAT), "strength": 0.5}
    picture = json.loads(invoke(media, SD3, drawing))
    invoke(media, SDXL, {"text_prompts": [{"text": "a boat"}]}, accept="image/png")
    refused = craton.refusal(media.client("bedrock-runtime").invoke_model, modelId=TITAN, body='{"inputText":"struck"}')
    logged = records(media, 4)
    embedded, drawn, file = (next(record for record in logged if record["modelId"] == model and "errorCode" not in record)
                             for model in (TITAN, SD3, SDXL))
    struck = next(record for record in logged if "errorCode" in record)
    assert embedded["input"] == {"inputContentType": "application/json", "inputBodyJson": asked, "inputTokenCount": 3}
    assert embedded["output"] == {"outputContentType": "application/json", "outputBodyJson": vector}
    assert drawn["input"]["inputBodyJson"] == drawing and drawn["output"]["outputBodyJson"] == picture
    assert file["output"] == {"outputContentType": "image/png"}, "what is no JSON has no body there"
    assert struck["errorCode"] == refused.type == "ThrottlingException" and "output" not in struck


def test_vectors_and_pictures_are_left_out_where_they_are_not_wanted(media):
    configure(media, imageDataDeliveryEnabled=False, embeddingDataDeliveryEnabled=False)
    invoke(media, TITAN, {"inputText": "a boat", "inputImage": encoded(BOAT)})
    invoke(media, SD3, {"prompt": "a boat", "mode": "image-to-image", "image": encoded(BOAT), "strength": 0.5})
    embedded, drawn = sorted(records(media, 2), key=lambda record: record["modelId"])
    assert embedded["input"]["inputBodyJson"] == {"inputText": "a boat"} and embedded["input"]["inputTokenCount"] == 3
    assert drawn["input"]["inputBodyJson"] == {"prompt": "a boat", "mode": "image-to-image", "strength": 0.5}
    assert "outputBodyJson" not in embedded["output"] and "outputBodyJson" not in drawn["output"]
