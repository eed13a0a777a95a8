"""Embeddings, rankings and images, recorded once and answered for ever, by boto3."""
import base64
import json

import pytest

import craton
from craton import refusal, run_craton
from embeddings_test import AMAZON_RERANK, COHERE_V4, ENGLISH, FORMS, MULTIMODAL, V2
from image_models_test import NOVA as NOVA_CANVAS
from image_models_test import SD3_5, SDXL, SOURCE, TITAN_V2, encoded, png, task

RULES = """
rules:
  - match: {prompt: twice}
    answers: [{embedding: [1]}, {embedding: [2]}]
  - match: {prompt: fails}
    answers: [{embedding: [[1], [2]]}]
  - answer: {embedding: hash}
"""
IMAGES = {
    "titan": (TITAN_V2, {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a boat"},
                         "imageGenerationConfig": {"width": 512, "height": 512, "numberOfImages": 2}}),
    "nova": (NOVA_CANVAS, task("INPAINTING", "inPaintingParams", image=encoded(png(320, 320, lambda x, y: (x % 256, 0, 9))),
                               maskPrompt="boat", text="a pond", returnMask=True)),
    "sdxl": (SDXL, {"text_prompts": [{"text": "a boat"}], "seed": 5}),
    "sd3": (SD3_5, {"prompt": "a boat", "output_format": "jpeg", "seed": 9}),
}
EMBEDDINGS = {form: (row[0], row[1]("granite")) for form, row in FORMS.items()} | {
    "types": (ENGLISH, {"texts": ["a", "b"], "input_type": "clustering",
                        "embedding_types": ["float", "int8", "uint8", "binary", "ubinary"]}),
    "rerank": (AMAZON_RERANK, {"query": "granite", "documents": ["rates", "granite rocks"]}),
    "image": (MULTIMODAL, {"inputImage": encoded(SOURCE), "inputText": "a circle"}),
}


def invoke(server, model, body, **more):
    """The reply's bytes and the headers that do not tell of the moment."""
    answer = server.client("bedrock-runtime").invoke_model(modelId=model, body=json.dumps(body), **more)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    told = {name: headers.get(name) for name in ("content-type", "x-amzn-bedrock-input-token-count", "x-craton-stand-in",
                                                 "seed", "finish-reason")}
    return answer["body"].read(), told, headers


def ask_all(server):
    answers = {name: invoke(server, *row)[:2] for name, row in (EMBEDDINGS | IMAGES).items()}
    answers["file"] = invoke(server, *IMAGES["sdxl"], accept="image/png")[:2]
    return answers


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay_media")
    (folder / "rules.yaml").write_text(RULES)
    return folder


@pytest.fixture(scope="module")
def recorded(folder):
    with craton.serving("--bind", f"*=script:{folder}/rules.yaml", "--record", folder / "made") as server:
        answers = ask_all(server)
        for _ in range(2):
            invoke(server, V2, {"inputText": "twice"})
        return answers


@pytest.fixture(scope="module")
def replaying(folder, recorded):
    with craton.serving("--replay", folder / "made") as server:
        yield server


def test_every_family_is_replayed_byte_for_byte(replaying, recorded):
    again = ask_all(replaying)
    for name, (body, told) in recorded.items():
        assert again[name] == (body, told), name
    assert recorded["file"][0].startswith(b"\x89PNG") and recorded["file"][1]["seed"] == "5"
    _, _, headers = invoke(replaying, V2, EMBEDDINGS["v2"][1])
    assert headers["x-craton-engine"] == "replay" and headers["x-craton-model"] == "rules.yaml#rule-3"


def test_the_same_call_gets_the_next_answer(replaying):
    firsts = [json.loads(invoke(replaying, V2, {"inputText": "twice"})[0])["embedding"][0] for _ in range(3)]
    assert firsts == [1, 2, 2]


def test_the_order_of_keys_and_nulls_do_not_matter(replaying, recorded):
    body = {"input_type": "search_document", "truncate": None, "texts": ["granite"]}
    assert invoke(replaying, ENGLISH, body)[0] == recorded["english"][0]


def test_what_is_not_recorded_is_refused_with_what_differs(replaying):
    client = replaying.client("bedrock-runtime")
    missing = refusal(client.invoke_model, modelId=V2, body='{"inputText":"basalt"}')
    assert (missing.status, missing.type) == (404, "ResourceNotFoundException")
    assert 'differs in body.inputText: "' in missing.message and '"basalt" asked' in missing.message
    missing = refusal(client.invoke_model, modelId=SD3_5, body='{"prompt":"a ship","output_format":"jpeg","seed":9}')
    assert 'body.prompt: "a boat" recorded, "a ship" asked' in missing.message
    missing = refusal(client.invoke_model, modelId=MULTIMODAL,
                      body=json.dumps({"inputImage": encoded(png(9, 9, lambda x, y: (x * y, x, y))), "inputText": "a circle"}))
    assert "body.inputImage" in missing.message


def test_what_is_ignored_does_not_matter(folder, recorded):
    with craton.serving("--replay", folder / "made", "--replay-ignore", "body.seed") as server:
        assert invoke(server, SD3_5, {"prompt": "a boat", "output_format": "jpeg", "seed": 1})[0] == recorded["sd3"][0]


def test_what_is_missing_is_asked_and_recorded_where_wanted(folder, tmp_path):
    flags = ["--replay-or-record", tmp_path / "made", "--bind", f"*=script:{folder}/rules.yaml"]
    with craton.serving(*flags) as server:
        first = invoke(server, V2, {"inputText": "new"})
        assert first[2]["x-craton-engine"] == "script"
    with craton.serving(*flags) as server:
        again = invoke(server, V2, {"inputText": "new"})
        assert again[:2] == first[:2] and again[2]["x-craton-engine"] == "replay"
        assert invoke(server, COHERE_V4, EMBEDDINGS["cohere-v4"][1])[2]["x-craton-engine"] == "script"


def test_an_encoder_is_recorded_too(tmp_path):
    with craton.serving("--model", "all-minilm-l6-v2", "--record", tmp_path / "made") as server:
        server.wait_ready()
        told = invoke(server, V2, {"inputText": "granite"})
        assert told[1]["x-craton-stand-in"] == "384 numbers mapped to 1024"
        failed = refusal(server.client("bedrock-runtime").invoke_model, modelId=V2,
                         body=json.dumps({"inputText": "word " * 9000}))
    with craton.serving("--replay", tmp_path / "made") as server:
        assert invoke(server, V2, {"inputText": "granite"})[:2] == told[:2]
        again = refusal(server.client("bedrock-runtime").invoke_model, modelId=V2,
                        body=json.dumps({"inputText": "word " * 9000}))
        assert (again.status, again.type, again.message) == (failed.status, failed.type, failed.message)


def test_faults_strike_what_is_replayed(folder, recorded):
    with craton.serving("--replay", folder / "made", "--fault", "ThrottlingException;count=1;match.prompt=granite") as server:
        refused = refusal(server.client("bedrock-runtime").invoke_model, modelId=V2, body='{"inputText":"granite"}')
        assert refused.status == 429
        assert invoke(server, V2, {"inputText": "granite"})[0] == recorded["v2"][0]


def test_cassettes_are_listed_checked_and_thinned_out(folder, recorded, tmp_path):
    listed = run_craton("cassette", "list", folder / "made")
    assert "? TEXT_IMAGE a boat" in listed.stdout and "? granite rates granite rocks" in listed.stdout, listed.stdout
    assert "bytes of image/png" in listed.stdout
    rows = json.loads(run_craton("cassette", "list", folder / "made", "--output", "json").stdout)
    assert all(len(row["answer"]) < 1100 for row in rows)
    lines = (folder / "made" / "recorded.jsonl").read_text()
    assert encoded(SOURCE)[:60] not in lines, "files that were sent are hashes"
    count = len(rows)
    assert f"{count} recorded answer(s) to {count - 1} request(s)" in run_craton("cassette", "lint", folder / "made").stdout
    (tmp_path / "made.jsonl").write_text(lines)
    assert f"1 recorded answer(s) gone, {count - 1} left" in run_craton("cassette", "prune", tmp_path).stdout
    with craton.serving("--replay", tmp_path) as server:
        assert json.loads(invoke(server, V2, {"inputText": "twice"})[0])["embedding"][0] == 2
        assert invoke(server, *IMAGES["titan"])[0] == recorded["titan"][0]
    (tmp_path / "made.jsonl").write_text(lines.replace('"reply":{"at"', '"reply":{"then"', 1).replace('"body":{"embedding"', '"boody":{"embedding"', 1))
    broken = run_craton("cassette", "lint", tmp_path)
    assert broken.returncode == 1 and "made.jsonl:" in broken.stderr and "'reply': it needs a 'body'" in broken.stderr


def test_an_edited_vector_is_what_is_answered(folder, recorded, tmp_path):
    lines = [json.loads(line) for line in (folder / "made" / "recorded.jsonl").read_text().splitlines()]
    line = next(line for line in lines if line["request"]["body"] == {"inputText": "twice"})
    line["reply"]["body"]["embedding"] = [9.5]
    (tmp_path / "edited.jsonl").write_text(json.dumps(line) + "\n")
    with craton.serving("--replay", tmp_path) as server:
        assert json.loads(invoke(server, V2, {"inputText": "twice"})[0])["embedding"] == [9.5]


def test_base64_pictures_are_inline(recorded):
    assert base64.b64decode(json.loads(recorded["titan"][0])["images"][0]).startswith(b"\x89PNG")
