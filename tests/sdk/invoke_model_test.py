"""InvokeModel: which model ids answer, in every spelling, and many callers at once."""
import concurrent.futures
import json
import os

import pytest

import craton
import wire
from families import BY_NAME, FAMILIES, claude_messages, invoke

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
BODY = {**claude_messages("Say hello."), "max_tokens": 2}


@pytest.mark.parametrize("model, region", [
    (HAIKU, "us-east-1"),
    (f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}", "us-east-1"),
    (f"arn:aws:bedrock:eu-central-1::foundation-model/{HAIKU}", "eu-central-1"),
    ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "us-east-1"),
    ("eu.anthropic.claude-haiku-4-5-20251001-v1:0", "eu-central-1"),
    ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "ap-northeast-2"),
    ("arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
     "us-west-2"),
])
def test_an_id_a_profile_and_their_arns_all_answer(smol, model, region):
    reply = invoke(smol.client("bedrock-runtime", region), model, BODY)
    assert reply.body["type"] == "message"


def seed_text_models():
    lines = (craton.SOURCE / "tests/sdk/data/seed_models.jsonl").read_text().splitlines()
    return [model["modelId"] for model in map(json.loads, lines)
            if model["inferenceTypesSupported"] == ["ON_DEMAND"] and model["outputModalities"] == ["TEXT"]]


def family_of(model):
    """The row whose model shares the longest beginning with this one."""
    return max(FAMILIES, key=lambda family: len(os.path.commonprefix([family.model, model])))


@pytest.mark.parametrize("model", seed_text_models())
def test_every_on_demand_text_model_of_the_seed_answers(runtime, model):
    family = family_of(model)
    assert invoke(runtime, model, family.body("Say hello.", tokens=2)).count("output") <= 2


SPELLINGS = {
    "colon_encoded": HAIKU.replace(":", "%3A"),
    "colon_encoded_in_lower_case": HAIKU.replace(":", "%3a"),
    "colon_raw": HAIKU,
    "letters_encoded": HAIKU.replace("claude", "%63laude"),
    "arn_encoded": f"arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2F{HAIKU}".replace(":", "%3A"),
    "arn_with_a_raw_slash": f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}",
    "arn_with_an_encoded_slash": f"arn:aws:bedrock:us-east-1::foundation-model%2F{HAIKU}",
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_of_the_path_reaches_the_model(smol, spelling):
    answer = wire.ask(smol, "POST", f"/model/{spelling}/invoke", json.dumps(BODY))
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["type"] == "message"


def test_an_id_that_is_encoded_twice_is_refused(smol):
    answer = wire.ask(smol, "POST", f"/model/{HAIKU.replace(':', '%253A')}/invoke", json.dumps(BODY))
    assert (answer.status, answer.error_type) == (400, "ValidationException")


@pytest.mark.parametrize("content_type", [None, "application/json", "application/octet-stream",
                                          "application/json; charset=utf-8"])
def test_the_content_type_may_be_what_clients_send(smol, content_type):
    headers = [f"Content-Type: {content_type}"] if content_type else []
    answer = wire.ask(smol, "POST", f"/model/{HAIKU}/invoke", json.dumps(BODY), headers)
    assert answer.status == 200, answer.body


def test_a_body_in_utf8_and_one_in_escapes_are_the_same_question(smol):
    body = {**claude_messages("대한민국의 수도는? 🌏"), "max_tokens": 1, "temperature": 0}
    raw, escaped = (wire.ask(smol, "POST", f"/model/{HAIKU}/invoke",
                             json.dumps(body, ensure_ascii=ascii)) for ascii in (False, True))
    assert json.loads(raw.body)["usage"] == json.loads(escaped.body)["usage"]
    assert json.loads(raw.body)["content"] == json.loads(escaped.body)["content"]


def test_sixteen_callers_at_once_all_get_their_own_answer(smol):
    family = BY_NAME["command"]
    runtime = smol.client("bedrock-runtime")

    def ask(number):
        reply = invoke(runtime, family.model, family.body(f"Caller {number} asks.", tokens=16))
        return reply.body["prompt"], reply.request_id, reply.count("output")

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(16)))
    assert [prompt for prompt, _, _ in answers] == [f"Caller {number} asks." for number in range(16)]
    assert len({request_id for _, request_id, _ in answers}) == 16
    assert all(1 <= tokens <= 16 for _, _, tokens in answers)
