"""Every id of the seed is answered as Bedrock answers it: a text model writes, an embedding model embeds, an image model
draws, and what is sold by the hour asks for throughput."""
import json
import subprocess

import pytest

import craton
from craton import refusal

SEED = [json.loads(line) for line in
        (craton.SOURCE / "tests" / "sdk" / "data" / "seed_models.jsonl").read_text(encoding="utf-8").splitlines()]
SEED_IDS = [model["modelId"] for model in SEED]
ASKED = "Say hello."
CLAUDE = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 4, "messages": [{"role": "user", "content": ASKED}]}

# A row: how the id begins, a body, what the reply has. The first that fits counts.
KINDS = [
    ("amazon.titan-image-", {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": ASKED}}, "images"),
    ("amazon.titan-embed-", {"inputText": ASKED}, "embedding"),
    ("amazon.titan-", {"inputText": ASKED, "textGenerationConfig": {"maxTokenCount": 4}}, "results"),
    ("stability.", {"text_prompts": [{"text": ASKED}]}, "artifacts"),
    ("ai21.", {"prompt": ASKED, "maxTokens": 4}, "completions"),
    ("anthropic.claude-3", CLAUDE, "content"),
    ("anthropic.", {"prompt": f"\n\nHuman: {ASKED}\n\nAssistant:", "max_tokens_to_sample": 4}, "completion"),
    ("cohere.embed-", {"texts": [ASKED], "input_type": "search_query"}, "embeddings"),
    ("cohere.", {"prompt": ASKED, "max_tokens": 4}, "generations"),
    ("meta.", {"prompt": ASKED, "max_gen_len": 4}, "generation"),
    ("mistral.", {"prompt": f"<s>[INST] {ASKED} [/INST]", "max_tokens": 4}, "outputs"),
]


@pytest.fixture(scope="module")
def encoder():
    subprocess.run([craton.BINARY, "pull", "all-minilm-l6-v2"], check=True, capture_output=True)
    with craton.serving("--model", "all-minilm-l6-v2") as server:
        yield server.wait_ready()


def kind_of(model):
    return next(kind for kind in KINDS if model.startswith(kind[0]))


def test_the_seed_has_its_55_models():
    assert len(SEED_IDS) == len(set(SEED_IDS)) == 55


@pytest.mark.parametrize("model", SEED, ids=SEED_IDS)
def test_a_model_of_the_seed_answers_as_bedrock_does(smol, encoder, model):
    name = model["modelId"]
    _, body, member = kind_of(name)
    server = encoder if member.startswith("embedding") else smol
    runtime = server.client("bedrock-runtime")
    if "ON_DEMAND" not in model["inferenceTypesSupported"]:
        error = refusal(runtime.invoke_model, modelId=name, body=json.dumps(body))
        assert (error.type, error.status) == ("ValidationException", 400)
        assert error.message.startswith(f"Invocation of model ID {name} with on-demand throughput isn’t supported.")
        return
    answer = runtime.invoke_model(modelId=name, body=json.dumps(body))
    assert json.loads(answer["body"].read())[member]
    engine = answer["ResponseMetadata"]["HTTPHeaders"]["x-craton-engine"]
    assert engine == ("canvas" if member in ("images", "artifacts") else "llama")
