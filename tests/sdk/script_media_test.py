"""Declared vectors, scores and pictures, by boto3: every family, and how they fail."""
import base64
import json
import math
import time
import urllib.request

import pytest

import craton
from craton import refusal, run_craton
from embeddings_test import (AMAZON_RERANK, COHERE_RERANK, COHERE_V4, ENGLISH, FORMS, G1, MULTIMODAL, NOVA, PIXEL, V2,
                             cosine, length, nova_body)
from image_models_test import CORE, SD3_5, SDXL, TITAN, TITAN_V2, Png, png
from image_models_test import NOVA as NOVA_CANVAS
from image_models_test import ULTRA

RULES = """
rules:
  - name: words
    match: {model: "anthropic.*"}
    answer: some words
  - name: vector
    match: {prompt: {contains: three numbers}}
    answer: {embedding: [0.25, -2, 3.5], usage: {input-tokens: 17}}
  - name: each
    match: {prompt: {regex: "^first"}}
    answer: {embedding: [[1, 0], [0, 1]]}
  - name: from-file
    match: {prompt: from a file}
    answer: {embedding: {file: vector.json}}
  - name: long
    match: {prompt: long}
    answer: {embedding: {file: long.json}}
  - name: query
    match: {json: {body.input_type: search_query}, call: 2}
    answer: {embedding: [1]}
  - name: flaky
    match: {prompt: flaky}
    answers: [{fault: ThrottlingException}, {embedding: hash, pacing: {first-token: 150ms}}]
  - name: scored
    match: {prompt: {contains: best}}
    answer: {scores: [0.9, 0.125, 1]}
  - name: picture
    match: {prompt: a boat}
    answer: {image: boat.png}
  - name: two
    match: {prompt: two boats}
    answer: {image: [boat.png, pond.png]}
  - name: drawn
    match: {prompt: drawn}
    answer: {image: canvas}
  - name: no-picture
    match: {prompt: {contains: forbidden}}
    answer: {fault: {fault: ValidationException, message: This request has been blocked by our content filters.}}
  - name: any-vector
    answer: {embedding: hash}
"""
BOAT = png(40, 30, lambda x, y: (x, y, 200))
POND = png(8, 8, lambda x, y: (0, 90, y))
TEXT_IMAGES = {
    TITAN: lambda text, **config: {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": text, "negativeText": "blur"},
                                   "imageGenerationConfig": config},
    TITAN_V2: lambda text, **config: {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": text},
                                      "imageGenerationConfig": config},
    NOVA_CANVAS: lambda text, **config: {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": text},
                                         "imageGenerationConfig": config},
    SDXL: lambda text: {"text_prompts": [{"text": text}, {"text": "blur", "weight": -1}]},
    SD3_5: lambda text, **more: {"prompt": text, **more},
    CORE: lambda text, **more: {"prompt": text, **more},
    ULTRA: lambda text, **more: {"prompt": text, **more},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    (folder / "rules.yaml").write_text(RULES)
    (folder / "boat.png").write_bytes(BOAT)
    (folder / "pond.png").write_bytes(POND)
    (folder / "vector.json").write_text(json.dumps([0.5] * 256))
    (folder / "long.json").write_text(json.dumps([0.5] * 1024))
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with craton.serving("--bind", f"*=script:{folder}/rules.yaml") as server:
        yield server


@pytest.fixture
def runtime(server):
    server.admin("POST", "reset")
    return server.client("bedrock-runtime")


def invoke(runtime, model, body, **more):
    """The reply and the headers."""
    answer = runtime.invoke_model(modelId=model, body=json.dumps(body), **more)
    return json.loads(answer["body"].read()), answer["ResponseMetadata"]["HTTPHeaders"]


def pictures_in(reply):
    encoded = reply.get("images") or [artifact["base64"] for artifact in reply["artifacts"]]
    return [base64.b64decode(one) for one in encoded]


@pytest.mark.parametrize("form", FORMS)
def test_declared_numbers_go_out_as_they_are_in_every_family(runtime, form):
    model, body, vector_in, dimension = FORMS[form]
    reply, headers = invoke(runtime, model, body("three numbers, please"))
    assert vector_in(reply) == [0.25, -2, 3.5] + [0] * (dimension - 3), "neither mapped nor normalised"
    assert headers["x-craton-engine"] == "script" and headers["x-craton-model"] == "rules.yaml#vector"
    assert headers["x-amzn-bedrock-input-token-count"] == "17" and "x-craton-stand-in" not in headers
    if model in (G1, V2, MULTIMODAL):
        assert reply["inputTextTokenCount"] == 17


@pytest.mark.parametrize("form", FORMS)
def test_hashes_have_the_dimension_and_find_what_shares_words(runtime, form):
    model, body, vector_in, dimension = FORMS[form]
    texts = ["Where is granite found?", "GRANITE is found in mountains.", "Interest rates were raised by banks."]
    question, near, far = (vector_in(invoke(runtime, model, body(text))[0]) for text in texts)
    assert len(question) == dimension and abs(length(question) - 1) < 1e-4
    assert cosine(question, near) > cosine(question, far) + 0.3
    assert vector_in(invoke(runtime, model, body(texts[0]))[0]) == question


class TestEmbeddings:
    def test_a_vector_for_each_text(self, runtime):
        body = {"texts": ["first", "second"], "input_type": "clustering"}
        reply, _ = invoke(runtime, ENGLISH, body)
        assert [vector[:2] for vector in reply["embeddings"]] == [[1, 0], [0, 1]]
        refused = refusal(runtime.invoke_model, modelId=ENGLISH, body=json.dumps({**body, "texts": ["first", "b", "c"]}))
        assert (refused.status, refused.type) == (424, "ModelErrorException")
        assert refused.message.startswith("rules.yaml#each: it declares 2 embeddings, and 3 are asked for.")

    def test_types_are_made_of_the_numbers(self, runtime):
        types = ["float", "int8", "uint8", "binary", "ubinary"]
        body = {"texts": ["three numbers"], "input_type": "clustering", "embedding_types": types}
        for model in (ENGLISH, COHERE_V4):
            reply, _ = invoke(runtime, model, body)
            vectors = {name: rows[0] for name, rows in reply["embeddings"].items()}
            assert list(vectors) == types
            assert vectors["ubinary"][0] == 0b10100000 and vectors["binary"][0] == 0b10100000 - 128
            assert vectors["int8"][1] == -128 and vectors["uint8"][3] == 128
        both, _ = invoke(runtime, V2, {"inputText": "three numbers", "embeddingTypes": ["binary", "float"],
                                       "dimensions": 256})
        assert both["embeddingsByType"]["binary"][:4] == [1, 0, 1, 0]

    def test_files_and_what_is_too_long(self, runtime):
        assert invoke(runtime, V2, {"inputText": "from a file", "dimensions": 256})[0]["embedding"] == [0.5] * 256
        assert invoke(runtime, V2, {"inputText": "long"})[0]["embedding"] == [0.5] * 1024
        refused = refusal(runtime.invoke_model, modelId=V2, body=json.dumps({"inputText": "long", "dimensions": 512}))
        assert (refused.status, refused.type) == (424, "ModelErrorException")
        assert "an embedding of 1024 numbers, and 512 are asked for" in refused.message

    def test_images_have_vectors_too(self, runtime):
        def of(image):
            return invoke(runtime, MULTIMODAL, {"inputImage": base64.b64encode(image).decode()})[0]["embedding"]
        assert of(BOAT) == of(BOAT) and abs(cosine(of(BOAT), of(POND))) < 0.5
        reply, _ = invoke(runtime, ENGLISH, {"images": ["data:image/png;base64," + PIXEL], "input_type": "image"})
        assert len(reply["embeddings"][0]) == 1024

    def test_conditions_see_the_body_and_count_calls(self, runtime):
        body = {"texts": ["a"], "input_type": "search_query"}
        first, second, third = (invoke(runtime, ENGLISH, body)[0]["embeddings"][0] for _ in range(3))
        assert second == [1] + [0] * 1023 and first == third != second

    def test_faults_and_pacing(self, runtime):
        body = {"inputText": "flaky"}
        refused = refusal(runtime.invoke_model, modelId=V2, body=json.dumps(body))
        assert (refused.status, refused.type) == (429, "ThrottlingException")
        began = time.monotonic()
        _, headers = invoke(runtime, V2, body)
        assert time.monotonic() - began > 0.14
        assert int(headers["x-amzn-bedrock-invocation-latency"]) >= 140

    def test_other_faults_strike(self, server, runtime):
        runtime.meta.events.register("before-send.bedrock-runtime.InvokeModel", add_fault("slow-start;for=120ms"))
        try:
            began = time.monotonic()
            _, headers = invoke(runtime, V2, {"inputText": "x"})
            assert time.monotonic() - began > 0.11 and headers["x-craton-fault"] == "slow-start"
        finally:
            runtime.meta.events.unregister("before-send.bedrock-runtime.InvokeModel", add_fault("slow-start;for=120ms"))


_FAULTS = {}


def add_fault(words):
    def put(request, **_):
        request.headers["x-craton-fault"] = words
    return _FAULTS.setdefault(words, put)


class TestRanking:
    @pytest.mark.parametrize("model, more", [(COHERE_RERANK, {"api_version": 2}), (AMAZON_RERANK, {})])
    def test_scores(self, runtime, model, more):
        body = {"query": "best rock", "documents": ["a", "b", "c"], **more}
        reply, headers = invoke(runtime, model, body)
        assert reply["results"] == [{"index": 2, "relevance_score": 1}, {"index": 0, "relevance_score": 0.9},
                                    {"index": 1, "relevance_score": 0.125}]
        assert "x-craton-stand-in" not in headers
        top, _ = invoke(runtime, model, {**body, "top_n": 1})
        assert [row["index"] for row in top["results"]] == [2]
        refused = refusal(runtime.invoke_model, modelId=model, body=json.dumps({**body, "documents": ["a"] * 4}))
        assert "declares 3 scores, and there are 4 documents" in refused.message

    def test_hashes_rank_by_words(self, runtime):
        body = {"query": "granite mountains", "documents": ["interest rates", "mountains of granite"]}
        reply, headers = invoke(runtime, AMAZON_RERANK, body)
        assert reply["results"][0]["index"] == 1
        assert headers["x-craton-stand-in"] == "scores are cosines of embeddings"


class TestImages:
    @pytest.mark.parametrize("model", TEXT_IMAGES)
    def test_a_picture_is_the_file_that_it_is(self, runtime, model):
        reply, headers = invoke(runtime, model, TEXT_IMAGES[model]("a boat"))
        assert pictures_in(reply) == [BOAT], "byte for byte, of its own size"
        assert headers["x-craton-engine"] == "script" and headers["x-craton-model"] == "rules.yaml#picture"
        assert "x-craton-stand-in" not in headers

    def test_another_format_is_written_anew(self, runtime):
        for form, head in (("jpeg", b"\xff\xd8"), ("webp", b"RIFF")):
            reply, _ = invoke(runtime, SD3_5, {"prompt": "a boat", "output_format": form})
            assert pictures_in(reply)[0].startswith(head)

    def test_sdxl_gives_the_file_itself(self, runtime):
        answer = runtime.invoke_model(modelId=SDXL, body=json.dumps(TEXT_IMAGES[SDXL]("a boat")), accept="image/png")
        assert answer["contentType"] == "image/png" and answer["body"].read() == BOAT

    def test_several(self, runtime):
        one, _ = invoke(runtime, TITAN_V2, TEXT_IMAGES[TITAN_V2]("a boat", numberOfImages=3))
        assert pictures_in(one) == [BOAT] * 3
        two, _ = invoke(runtime, TITAN_V2, TEXT_IMAGES[TITAN_V2]("two boats", numberOfImages=2))
        assert pictures_in(two) == [BOAT, POND]
        refused = refusal(runtime.invoke_model, modelId=TITAN_V2,
                          body=json.dumps(TEXT_IMAGES[TITAN_V2]("two boats", numberOfImages=3)))
        assert (refused.status, refused.type) == (424, "ModelErrorException")
        assert "declares 2 pictures, and 3 are asked for" in refused.message

    def test_canvas_where_it_is_named(self, runtime):
        reply, headers = invoke(runtime, TITAN_V2, TEXT_IMAGES[TITAN_V2]("drawn", width=512, height=512))
        assert Png(pictures_in(reply)[0]).size == (512, 512)
        assert headers["x-craton-model"] == "rules.yaml#drawn" and headers["x-craton-stand-in"] == "drawn without a model"

    def test_a_content_filter(self, runtime):
        for model, body in ((NOVA_CANVAS, TEXT_IMAGES[NOVA_CANVAS]("forbidden")), (V2, {"inputText": "forbidden"})):
            refused = refusal(runtime.invoke_model, modelId=model, body=json.dumps(body))
            assert (refused.status, refused.message) == (400, "This request has been blocked by our content filters.")

    def test_what_no_rule_declares_is_drawn_by_canvas(self, runtime):
        _, headers = invoke(runtime, CORE, {"prompt": "something else"})
        assert headers["x-craton-engine"] == "canvas"


def test_words_are_no_vectors(runtime, folder):
    answer = runtime.converse(modelId="anthropic.claude-3-haiku-20240307-v1:0",
                              messages=[{"role": "user", "content": [{"text": "three numbers"}]}])
    assert answer["output"]["message"]["content"] == [{"text": "some words"}]
    (folder / "few.yaml").write_text("rules: [{match: {prompt: x}, answer: {embedding: hash}}]\n")
    with craton.serving("--bind", f"*=script:{folder}/few.yaml") as server:
        refused = refusal(server.client("bedrock-runtime").invoke_model, modelId=V2, body='{"inputText":"y"}')
        assert (refused.status, refused.type) == (404, "ResourceNotFoundException")
        assert "has no rule for this request; the nearest is 'rule-1'" in refused.message


def test_the_default_model_may_be_rules(folder):
    with craton.serving("--model", f"script:{folder}/rules.yaml") as server:
        _, headers = invoke(server.client("bedrock-runtime"), NOVA, nova_body("x"))
        assert headers["x-craton-model"] == "rules.yaml#any-vector"
        reply, _ = invoke(server.client("bedrock-runtime"), CORE, {"prompt": "a boat"})
        assert pictures_in(reply) == [BOAT]


def test_the_journal_tells_who_answered_and_what_struck(server, runtime):
    invoke(runtime, V2, {"inputText": "three numbers"})
    refusal(runtime.invoke_model, modelId=V2, body=json.dumps({"inputText": "flaky"}))
    with urllib.request.urlopen(server.url + "/_craton/requests?limit=2") as answer:
        struck, declared = json.load(answer)["requests"]
    assert (declared["engine"], declared["model"], declared["inputTokens"]) == ("script", "rules.yaml#vector", 17)
    assert (struck["status"], struck["faults"]) == (429, ["ThrottlingException"])


def test_lint_names_the_line(folder):
    (folder / "wrong.yaml").write_text("rules:\n  - match: {prompt: x}\n    answer:\n      image: gone.png\n")
    done = run_craton("script", "lint", folder / "wrong.yaml", folder / "rules.yaml")
    assert done.returncode == 1 and f"{folder}/wrong.yaml:4: image: 'gone.png' cannot be read" in done.stderr
    assert "rules.yaml: ok, 13 rule(s)" in done.stdout
