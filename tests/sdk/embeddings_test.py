"""Embedding and reranking models through boto3: each family, its forms and refusals, and what vectors are worth."""
import concurrent.futures
import json
import math
import pathlib
import subprocess
import sys
import urllib.request

import pytest

import craton

sys.path.insert(0, str(craton.SOURCE / "tests" / "clients"))
import kits  # noqa: E402

ENCODER = "all-minilm-l6-v2"
G1, G1_TEXT_02 = "amazon.titan-embed-text-v1", "amazon.titan-embed-g1-text-02"
V2, MULTIMODAL = "amazon.titan-embed-text-v2:0", "amazon.titan-embed-image-v1"
ENGLISH, MULTILINGUAL, COHERE_V4 = "cohere.embed-english-v3", "cohere.embed-multilingual-v3", "cohere.embed-v4:0"
NOVA = "amazon.nova-2-multimodal-embeddings-v1:0"
COHERE_RERANK, AMAZON_RERANK = "cohere.rerank-v3-5:0", "amazon.rerank-v1:0"
PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
SENTENCE = "A man is playing a guitar on the stage."
ALIKE = "Someone performs music in front of an audience."
UNLIKE = "The central bank has raised interest rates."


@pytest.fixture(scope="module")
def encoder():
    """A server with nothing but the encoder: what others would compute does not disturb it."""
    with craton.serving("--model", ENCODER) as server:
        yield server.wait_ready()


@pytest.fixture
def runtime(encoder):
    return encoder.client("bedrock-runtime")


def invoke(runtime, model, body):
    """The reply and the headers."""
    answer = runtime.invoke_model(modelId=model, body=json.dumps(body))
    return json.loads(answer["body"].read()), answer["ResponseMetadata"]["HTTPHeaders"]


def refused(runtime, model, body):
    return craton.refusal(runtime.invoke_model, modelId=model, body=json.dumps(body))


def length(vector):
    return math.sqrt(sum(number * number for number in vector))


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / length(a) / length(b)


def nova_body(text, **params):
    return {"schemaVersion": "nova-multimodal-embed-v1", "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {"embeddingPurpose": "GENERIC_INDEX",
                                      "text": {"truncationMode": "END", "value": text}, **params}}


# A row: model, the body of a text, how to find the vector in the reply, its dimension.
FORMS = {
    "g1": (G1, lambda text: {"inputText": text}, lambda reply: reply["embedding"], 1536),
    "g1-text-02": (G1_TEXT_02, lambda text: {"inputText": text}, lambda reply: reply["embedding"], 1536),
    "v2": (V2, lambda text: {"inputText": text}, lambda reply: reply["embedding"], 1024),
    "v2-512": (V2, lambda text: {"inputText": text, "dimensions": 512}, lambda reply: reply["embedding"], 512),
    "v2-256": (V2, lambda text: {"inputText": text, "dimensions": 256}, lambda reply: reply["embedding"], 256),
    "multimodal": (MULTIMODAL, lambda text: {"inputText": text}, lambda reply: reply["embedding"], 1024),
    "multimodal-384": (MULTIMODAL, lambda text: {"inputText": text, "embeddingConfig": {"outputEmbeddingLength": 384}},
                       lambda reply: reply["embedding"], 384),
    "english": (ENGLISH, lambda text: {"texts": [text], "input_type": "search_document"},
                lambda reply: reply["embeddings"][0], 1024),
    "multilingual": (MULTILINGUAL, lambda text: {"texts": [text], "input_type": "clustering"},
                     lambda reply: reply["embeddings"][0], 1024),
    "cohere-v4": (COHERE_V4, lambda text: {"texts": [text], "input_type": "search_document"},
                  lambda reply: reply["embeddings"][0], 1536),
    "cohere-v4-256": (COHERE_V4, lambda text: {"inputs": [{"content": [{"type": "text", "text": text}]}],
                                               "input_type": "search_document", "output_dimension": 256},
                      lambda reply: reply["embeddings"][0], 256),
    "nova": (NOVA, nova_body, lambda reply: reply["embeddings"][0]["embedding"], 3072),
    "nova-384": (NOVA, lambda text: nova_body(text, embeddingDimension=384),
                 lambda reply: reply["embeddings"][0]["embedding"], 384),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_model_gives_vectors_of_the_dimension_that_it_promises(runtime, form):
    model, body, vector_in, dimension = FORMS[form]
    vectors = []
    for text in (SENTENCE, ALIKE, UNLIKE):
        reply, headers = invoke(runtime, model, body(text))
        vectors.append(vector_in(reply))
        assert len(vectors[-1]) == dimension
        assert int(headers["x-amzn-bedrock-input-token-count"]) > 5
        assert "x-amzn-bedrock-output-token-count" not in headers
        assert int(headers["x-amzn-bedrock-invocation-latency"]) >= 0
        assert headers["x-craton-engine"] == "llama" and headers["x-craton-model"] == ENCODER
        wanted = None if dimension == 384 else f"384 numbers mapped to {dimension}"
        assert headers.get("x-craton-stand-in") == wanted
    if not form.startswith("g1"):
        assert all(abs(length(vector) - 1) < 1e-4 for vector in vectors)
    assert cosine(vectors[0], vectors[1]) > cosine(vectors[0], vectors[2]) + 0.2


def test_widened_vectors_keep_their_cosines(runtime):
    texts = [SENTENCE, ALIKE, UNLIKE, "granite", "Where is the station?"]

    def vectors(form):
        model, body, vector_in, _ = FORMS[form]
        return [vector_in(invoke(runtime, model, body(text))[0]) for text in texts]

    own = vectors("multimodal-384")
    for form, allowed in {"v2-512": 1e-3, "v2": 1e-3, "g1": 1e-3, "nova": 1e-3, "v2-256": 0.15}.items():
        other = vectors(form)
        for i in range(len(texts)):
            for k in range(i):
                assert abs(cosine(own[i], own[k]) - cosine(other[i], other[k])) < allowed, (form, i, k)


def test_titan_g1_is_not_normalised(runtime):
    """Nor is it in Bedrock: clients that need unit vectors divide by the length."""
    lengths = [length(invoke(runtime, G1, {"inputText": text})[0]["embedding"]) for text in (SENTENCE, "granite")]
    assert all(2 < each < 12 for each in lengths) and abs(lengths[0] - lengths[1]) > 0.01


def test_titan_v2_gives_the_types_that_are_asked_for(runtime):
    reply, _ = invoke(runtime, V2, {"inputText": SENTENCE})
    assert list(reply) == ["embedding", "embeddingsByType", "inputTextTokenCount"]
    assert reply["embeddingsByType"] == {"float": reply["embedding"]}
    assert reply["inputTextTokenCount"] == 10
    both, _ = invoke(runtime, V2, {"inputText": SENTENCE, "dimensions": 256, "embeddingTypes": ["binary", "float"]})
    assert both["embeddingsByType"]["binary"] == [int(number > 0) for number in both["embedding"]]
    bits, _ = invoke(runtime, V2, {"inputText": SENTENCE, "dimensions": 256, "embeddingTypes": ["binary"]})
    assert list(bits["embeddingsByType"]) == ["binary"] and bits["embedding"] == both["embedding"]
    raw, _ = invoke(runtime, V2, {"inputText": SENTENCE, "normalize": False})
    assert length(raw["embedding"]) > 2


def test_cohere_gives_the_types_that_are_asked_for(runtime):
    body = {"texts": [SENTENCE, ALIKE, UNLIKE], "input_type": "search_document"}
    plain, headers = invoke(runtime, ENGLISH, body)
    assert plain["response_type"] == "embeddings_floats" and plain["texts"] == body["texts"]
    assert craton.UUID.fullmatch(plain["id"])
    tokens = sum(int(invoke(runtime, V2, {"inputText": text})[0]["inputTextTokenCount"]) for text in body["texts"])
    assert int(headers["x-amzn-bedrock-input-token-count"]) == tokens
    types = ["float", "int8", "uint8", "binary", "ubinary"]
    typed, _ = invoke(runtime, ENGLISH, {**body, "embedding_types": types})
    assert typed["response_type"] == "embeddings_by_type" and list(typed["embeddings"]) == types
    made = typed["embeddings"]
    for i in range(3):
        # Beside other texts in a batch, sums are made in another order.
        assert cosine(made["float"][i], plain["embeddings"][i]) > 0.9999
        assert cosine(made["int8"][i], made["float"][i]) > 0.99
        assert made["uint8"][i] == [number + 128 for number in made["int8"][i]]
        assert len(made["ubinary"][i]) == 128
        assert made["binary"][i] == [byte - 128 for byte in made["ubinary"][i]]
        bits = "".join(f"{byte:08b}" for byte in made["ubinary"][i])
        assert bits == "".join(str(int(number > 0)) for number in made["float"][i])


def test_cohere_truncates_as_it_is_told(runtime):
    text = "granite basalt gneiss schist " * 60 + "violin"
    body = {"texts": [text[-2000:]], "input_type": "search_document"}
    many = {**body, "texts": ["1 2 3 4 5 6 7 8 9 " * 60]}
    error = refused(runtime, ENGLISH, many)
    assert (error.type, error.status) == ("ValidationException", 400)
    assert error.message.startswith("too many tokens: total number of tokens in the prompt cannot exceed 512 ")
    for where in ("START", "END"):
        _, headers = invoke(runtime, ENGLISH, {**many, "truncate": where})
        assert headers["x-amzn-bedrock-input-token-count"] == "512"
    violin = invoke(runtime, COHERE_V4, {"texts": ["violin"], "input_type": "search_document"})[0]["embeddings"][0]
    of_end, of_start = (
        invoke(runtime, COHERE_V4, {"texts": [text], "input_type": "search_document", "max_tokens": 8,
                                    "truncate": where})[0]["embeddings"][0] for where in ("LEFT", "RIGHT"))
    assert cosine(of_end, violin) > cosine(of_start, violin) + 0.2


def test_long_texts_are_read_whole(runtime):
    """Past the encoder's own 256 tokens, up to what the model id promises; then the provider's refusal."""
    body = {"inputText": "granite basalt gneiss " * 1000}
    reply, headers = invoke(runtime, V2, body)
    assert 3000 < reply["inputTextTokenCount"] <= 8192
    assert int(headers["x-amzn-bedrock-input-token-count"]) == reply["inputTextTokenCount"]
    error = refused(runtime, G1, {"inputText": "granite basalt gneiss " * 4000})
    assert error.type == "ValidationException"
    assert error.message.startswith("400 Bad Request: Too many input tokens. Max input tokens: 8192, request input "
                                    "token count: ")
    assert int(error.message.split()[-1]) > 8192


REFUSALS = {
    "g1-array": (G1, {"inputText": [SENTENCE]}, "#/inputText: expected type: String, found: JSONArray"),
    "g1-more": (G1, {"inputText": SENTENCE, "dimensions": 512}, "#: extraneous key [dimensions] is not permitted"),
    "g1-empty": (G1, {"inputText": ""}, "#/inputText: expected minLength: 1, actual: 0"),
    "v2-dimensions": (V2, {"inputText": SENTENCE, "dimensions": 300}, "#/dimensions: 300 is not a valid enum value"),
    "v2-long": (V2, {"inputText": "x" * 50_001}, "#/inputText: expected maxLength: 50000, actual: 50001"),
    "cohere-titan": (ENGLISH, {"inputText": SENTENCE},
                     "#: required key [texts] not found, #: required key [input_type] not found, "
                     "#: extraneous key [inputText] is not permitted"),
    "cohere-long": (ENGLISH, {"texts": ["x" * 2540], "input_type": "search_query"},
                    "#/texts/0: expected maxLength: 2048, actual: 2540"),
    "cohere-97": (ENGLISH, {"texts": ["x"] * 97, "input_type": "search_query"},
                  "#/texts: expected maximum item count: 96, found: 97"),
    "rerank-version": (COHERE_RERANK, {"query": "a", "documents": ["b"]}, "#: required key [api_version] not found"),
    "nova-task": (NOVA, {"inputText": SENTENCE},
                  "#: required key [taskType] not found, #: required key [singleEmbeddingParams] not found, "
                  "#: extraneous key [inputText] is not permitted"),
}


@pytest.mark.parametrize("row", REFUSALS)
def test_a_body_that_breaks_the_schema_is_refused(runtime, row):
    model, body, violation = REFUSALS[row]
    error = refused(runtime, model, body)
    assert (error.type, error.status) == ("ValidationException", 400)
    assert error.message == f"Malformed input request: {violation}, please reformat your input and try again."


IMAGES = {
    "titan": (MULTIMODAL, {"inputImage": PIXEL}),
    "titan-both": (MULTIMODAL, {"inputText": SENTENCE, "inputImage": PIXEL}),
    "cohere": (ENGLISH, {"images": ["data:image/png;base64," + PIXEL], "input_type": "image"}),
    "cohere-v4": (COHERE_V4, {"inputs": [{"content": [{"type": "image_url", "image_url": "data:image/png;base64," + PIXEL}]}],
                              "input_type": "image"}),
    "nova": (NOVA, {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {
        "embeddingPurpose": "GENERIC_INDEX", "image": {"format": "png", "source": {"bytes": PIXEL}}}}),
}


@pytest.mark.parametrize("row", IMAGES)
def test_images_are_refused_while_no_encoder_sees(runtime, row):
    model, body = IMAGES[row]
    error = refused(runtime, model, body)
    assert (error.type, error.status) == ("ValidationException", 400)
    assert "reads text alone: images cannot be embedded" in error.message


def test_rerankers_put_the_right_document_first(runtime):
    documents = ["Paris is the capital of France.", "Seoul is the capital of South Korea.", "Bananas are yellow.",
                 "Busan is a port in South Korea."]
    for model, more in ((COHERE_RERANK, {"api_version": 2}), (AMAZON_RERANK, {})):
        body = {"query": "What is the capital of Korea?", "documents": documents, **more}
        reply, headers = invoke(runtime, model, body)
        results = reply["results"]
        assert [sorted(row) for row in results] == [["index", "relevance_score"]] * 4
        assert results[0]["index"] == 1 and sorted(row["index"] for row in results) == [0, 1, 2, 3]
        scores = [row["relevance_score"] for row in results]
        assert scores == sorted(scores, reverse=True) and 0 <= scores[-1] < scores[0] <= 1
        assert headers["x-craton-stand-in"] == "scores are cosines of embeddings"
        top, _ = invoke(runtime, model, {**body, "top_n": 2})
        assert [row["index"] for row in top["results"]] == [row["index"] for row in results[:2]]
        assert len(invoke(runtime, model, {**body, "top_n": 9})[0]["results"]) == 4


@pytest.mark.parametrize("model", (G1, V2, MULTIMODAL, ENGLISH, COHERE_V4, NOVA, COHERE_RERANK))
def test_nothing_of_them_is_streamed_or_conversed(runtime, model):
    error = craton.refusal(runtime.invoke_model_with_response_stream, modelId=model, body=b'{"inputText":"a"}')
    assert (error.type, error.message) == ("ValidationException", "The model is unsupported for streaming.")
    for call in (runtime.converse, runtime.converse_stream):
        error = craton.refusal(call, modelId=model, messages=[{"role": "user", "content": [{"text": "Hi"}]}])
        assert error.type == "ValidationException"
        assert error.message.startswith("This action doesn't support the model that you provided.")


def test_provisioned_ids_ask_for_throughput(runtime):
    for model in ("amazon.titan-embed-text-v1:2:8k", "cohere.embed-english-v3:0:512", "amazon.titan-embed-image-v1:0"):
        error = refused(runtime, model, {"inputText": SENTENCE})
        assert error.type == "ValidationException" and "with on-demand throughput isn" in error.message


def test_an_encoder_writes_no_text(runtime):
    error = craton.refusal(runtime.converse, modelId="anthropic.claude-3-haiku-20240307-v1:0",
                           messages=[{"role": "user", "content": [{"text": "Hi"}]}])
    assert error.type == "ModelErrorException" and "is an encoder" in error.message


def test_the_pulled_encoder_embeds_beside_a_model_that_writes(smol):
    runtime = smol.client("bedrock-runtime")
    _, headers = invoke(runtime, V2, {"inputText": SENTENCE})
    assert headers["x-craton-model"] == ENCODER
    assert f"model: {ENCODER} (loaded when asked for)" in smol.output()


def test_bindings_of_embedding_ids_lead_to_encoders_alone(tmp_path):
    (tmp_path / "craton.yaml").write_text(
        f"model: {craton.SMOL}\nmodels:\n  mine: {{file: {ENCODER}, context: 64}}\n"
        f"bind:\n  'amazon.*': {craton.SMOL}\n  'cohere.*': mine\n  'amazon.titan-embed-*': mine\n")
    with craton.serving(cwd=tmp_path) as server:
        runtime = server.wait_ready().client("bedrock-runtime")
        body = {"texts": [SENTENCE], "input_type": "clustering"}
        assert invoke(runtime, ENGLISH, body)[1]["x-craton-model"] == ENCODER
        assert invoke(runtime, V2, {"inputText": SENTENCE})[1]["x-craton-model"] == ENCODER
        command = {"prompt": "Hi", "max_tokens": 2}
        assert invoke(runtime, "cohere.command-text-v14", command)[1]["x-craton-model"] == craton.SMOL


def test_without_an_encoder_the_refusal_says_what_to_fetch(tmp_path):
    with craton.serving("--model", "none", "--data", tmp_path) as server:
        error = refused(server.client("bedrock-runtime"), V2, {"inputText": SENTENCE})
        assert (error.type, error.status) == ("ModelNotReadyException", 429)
        assert "craton pull all-minilm-l6-v2" in error.message


def test_faults_strike_embeddings_too():
    flags = ("--model", ENCODER, "--fault", "ThrottlingException;count=1;match.model=amazon.titan-embed-*")
    with craton.serving(*flags) as server:
        struck = server.wait_ready().client("bedrock-runtime")
        assert refused(struck, V2, {"inputText": SENTENCE}).type == "ThrottlingException"
        assert len(invoke(struck, V2, {"inputText": SENTENCE})[0]["embedding"]) == 1024


def test_metrics_count_embeddings(encoder, runtime):
    invoke(runtime, V2, {"inputText": SENTENCE})
    with urllib.request.urlopen(encoder.url + "/metrics", timeout=craton.patience(10)) as answer:
        page = answer.read().decode()
    labels = f'gen_ai_operation_name="embeddings",gen_ai_provider_name="aws.bedrock",gen_ai_request_model="{V2}"'
    assert f"gen_ai_server_request_duration_seconds_count{{{labels}" in page
    assert f"gen_ai_client_token_usage_count{{{labels}" in page
    assert f'craton_engine_prompt_tokens_total{{engine="llama",model="{ENCODER}"}}' in page


def test_many_callers_at_once_get_their_own_vectors(encoder):
    def vector(text):
        return invoke(encoder.client("bedrock-runtime"), V2, {"inputText": text})[0]["embedding"]

    texts = [f"caller number {i}" for i in range(24)]
    alone = [vector(text) for text in texts]
    with concurrent.futures.ThreadPoolExecutor(24) as callers:
        together = list(callers.map(vector, texts))
    assert all(cosine(a, b) > 0.9999 for a, b in zip(alone, together))


@pytest.mark.parametrize("form", ("g1", "v2", "v2-256", "english", "cohere-v4", "nova"))
def test_the_right_passage_is_found(runtime, form):
    """Questions and passages of this project's own, in few words of each other."""
    rows = [line.split("\t") for line in
            (pathlib.Path(__file__).parent / "data" / "retrieval.tsv").read_text().splitlines()]
    model, body, vector_in, _ = FORMS[form]
    passages = [vector_in(invoke(runtime, model, body(passage))[0]) for _, passage in rows]
    right = 0
    for i, (question, _) in enumerate(rows):
        asked = vector_in(invoke(runtime, model, body(question))[0])
        nearest = max(range(len(rows)), key=lambda k: cosine(asked, passages[k]))
        right += nearest == i
    print(f"{form}: {right} of {len(rows)}")
    assert right >= 0.9 * len(rows)


LANGCHAIN = """
import json, sys
from langchain_aws import BedrockEmbeddings
from langchain_core.vectorstores import InMemoryVectorStore

found = {}
for model, more in json.loads(sys.argv[1]):
    store = InMemoryVectorStore(BedrockEmbeddings(model_id=model, **more))
    store.add_texts(["Granite is a rock.", "A violin has four strings.", "Rice is rinsed before it is cooked."])
    found[model] = store.similarity_search("musical instrument", k=1)[0].page_content
print(json.dumps(found))
"""


def test_langchain_retrieves_unchanged(encoder):
    try:
        kit = kits.made(kits.KITS["python"])
    except kits.Missing as missing:
        pytest.skip(str(missing))
    models = [[G1, {}], [V2, {"dimensions": 512}], [ENGLISH, {}], [COHERE_V4, {"dimensions": 256}], [NOVA, {}],
              [MULTIMODAL, {}]]
    done = subprocess.run([kit / "venv" / "bin" / "python", "-c", LANGCHAIN, json.dumps(models)], text=True,
                          capture_output=True, timeout=craton.patience(100), env=craton.sdk_environment(encoder.url))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == len(models)
    assert set(found.values()) == {"A violin has four strings."}
