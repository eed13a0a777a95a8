"""Every refusal of InvokeModel as an SDK sees it: type, status and text."""
import base64
import json
import struct

import pytest

import craton
import wire
from craton import refusal
from families import BY_NAME, FAMILIES, claude_messages, invoke

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
INVALID_ID = "The provided model identifier is invalid."
ENDED = ("This model version has reached the end of its life. Please refer to the AWS documentation for "
         "more details.")


def on_demand(model):  # the apostrophe is U+2019
    return (f"Invocation of model ID {model} with on-demand throughput isn’t supported. Retry your "
            "request with the ID or ARN of an inference profile that contains this model.")


def malformed(problems):
    return f"Malformed input request: {problems}, please reformat your input and try again."


def refused_body(runtime, model, body):
    """The text of the ValidationException that `body` meets."""
    payload = body if isinstance(body, (bytes, str)) else json.dumps(body)
    refused = refusal(runtime.invoke_model, modelId=model, body=payload)
    assert (refused.type, refused.status) == ("ValidationException", 400)
    return refused.message


def claude(**changes):
    body = {**claude_messages("Hi"), **changes}
    return {name: value for name, value in body.items() if value is not ...}


class TestModelIds:
    @pytest.fixture
    def ask(self, bare):
        def ask(model, region="us-east-1", server=bare):
            return refusal(server.client("bedrock-runtime", region).invoke_model, modelId=model,
                           body=json.dumps(claude()))
        return ask

    @pytest.mark.parametrize("model", [
        "anthropic.claude-9-nothing-v1:0", "nothing", "anthropic.claude-3-haiku-20240307-v1:1",
        "arn:aws:bedrock:us-east-1::foundation-model/no.such-model-v1:0",
        "us.anthropic.claude-9-nothing-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.no.such-model-v1:0",
    ])
    def test_an_unknown_model_is_invalid(self, ask, model):
        refused = ask(model)
        assert (refused.type, refused.status, refused.message) == ("ValidationException", 400, INVALID_ID)

    @pytest.mark.parametrize("model", ["no spaces!", "a" * 2049, "anthropic.claude%3Av1"])
    def test_an_id_that_breaks_the_pattern_is_told_the_pattern(self, ask, model):
        refused = ask(model)
        assert (refused.type, refused.status) == ("ValidationException", 400)
        assert "1 validation error detected: Value '" in refused.message
        assert "' at 'modelId' failed to satisfy constraint: Member must " in refused.message

    @pytest.mark.parametrize("model", [
        "anthropic.claude-3-haiku-20240307-v1:0:48k", "amazon.titan-text-lite-v1:0:4k",
        "meta.llama2-13b-v1",
    ])
    def test_a_model_without_on_demand_throughput_is_refused(self, ask, model):
        refused = ask(model)
        assert (refused.type, refused.status) == ("ValidationException", 400)
        assert refused.message == on_demand(model)

    @pytest.mark.parametrize("model", ["anthropic.claude-haiku-4-5-20251001-v1:0",
                                       "meta.llama3-1-8b-instruct-v1:0", "deepseek.r1-v1:0"])
    def test_a_model_behind_a_profile_asks_for_the_profile(self, ask, model):
        refused = ask(model)
        assert (refused.type, refused.status, refused.message) == ("ValidationException", 400,
                                                                   on_demand(model))

    def test_a_profile_of_another_geography_is_invalid(self, ask):
        refused = ask("us.amazon.nova-micro-v1:0", region="eu-central-1")
        assert (refused.type, refused.status, refused.message) == ("ValidationException", 400, INVALID_ID)

    def test_a_model_past_its_end_is_not_found_in_today(self, ask, today):
        refused = ask("amazon.titan-tg1-large", server=today)
        assert (refused.type, refused.status, refused.message) == ("ResourceNotFoundException", 404, ENDED)

    def test_a_model_without_a_family_is_not_implemented_yet(self, ask):
        refused = ask("us.stability.stable-image-inpaint-v1:0")
        assert (refused.type, refused.status) == ("NotImplementedException", 501)
        assert "stability.stable-image-inpaint-v1:0" in refused.message

    def test_without_a_model_the_refusal_says_how_to_have_one(self, ask):
        refused = ask(HAIKU)
        assert (refused.type, refused.status) == ("ModelNotReadyException", 429)
        assert "--model" in refused.message


BROKEN = {
    "truncated": lambda body: json.dumps(body)[:-5],
    "empty_object_text": lambda body: "{",
    "not_json": lambda body: "prompt=hello",
    "invalid_utf8": lambda body: json.dumps(body).encode() + b"\xff\xfe",
    "lone_surrogate": lambda body: json.dumps({**body, "x": 1})[:-1] + ', "y": "\\ud800"}',
    "two_values": lambda body: json.dumps(body) * 2,
    "nan": lambda body: '{"temperature": NaN}',
    "comment": lambda body: "/* hi */" + json.dumps(body),
    "too_deep": lambda body: "[" * 100_000 + "]" * 100_000,
}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("break_it", BROKEN.values(), ids=BROKEN)
def test_a_body_that_is_not_json_is_malformed(runtime, family, break_it):
    text = refused_body(runtime, family.model, break_it(family.body("Hi", tokens=1)))
    assert text.startswith("Malformed input request"), text
    assert text.endswith(", please reformat your input and try again."), text


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("body, found", [("[]", "JSONArray"), ('"text"', "String"), ("7", "Integer"),
                                         ("null", "Null"), ("true", "Boolean")])
def test_a_body_that_is_no_object_is_told_what_it_is(runtime, family, body, found):
    assert refused_body(runtime, family.model, body) \
        == malformed(f"#: expected type: JSONObject, found: {found}")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_body_that_is_missing_is_refused(bare, smol, family):
    runtime = smol.client("bedrock-runtime", parameter_validation=False)
    refused = refusal(runtime.invoke_model, modelId=family.model, body=b"")
    assert (refused.type, refused.status) == ("ValidationException", 400)


@pytest.mark.parametrize("family, member", [(family, member) for family in FAMILIES
                                            for member in family.required],
                         ids=lambda value: getattr(value, "name", value))
def test_a_required_key_is_named_when_it_is_missing(runtime, family, member):
    body = family.body("Hi")
    del body[member]
    if (family.name, member) == ("claude_text", "prompt"):  # what has no prompt is read as Messages
        assert "required key [" in refused_body(runtime, family.model, body)
    else:
        assert f"#: required key [{member}] not found" in refused_body(runtime, family.model, body)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("member", ["stream", "model", "unheardOf"])
def test_an_unknown_key_is_not_permitted(runtime, family, member):
    if (family.name, member) == ("command", "stream"):
        pytest.skip("stream is a member of Command's schema")
    assert refused_body(runtime, family.model, family.body("Hi", **{member: True})) \
        == malformed(f"#: extraneous key [{member}] is not permitted")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_another_familys_body_is_refused(runtime, family):
    text = refused_body(runtime, family.model, {family.foreign: "Hi"})
    assert f"extraneous key [{family.foreign}] is not permitted" in text or "required key [" in text


WRONG = {  # body, and the violations it must be told
    "claude_max_tokens_string": (HAIKU, claude(max_tokens="5"),
                                 "#/max_tokens: expected type: Integer, found: String"),
    "claude_messages_string": (HAIKU, claude(messages="Hi"),
                               "#/messages: expected type: JSONArray, found: String"),
    "claude_role": (HAIKU, claude(messages=[{"role": "system", "content": "Hi"}]),
                    "#/messages/0/role: system is not a valid enum value"),
    "claude_message_without_role": (HAIKU, claude(messages=[{"content": "Hi"}]),
                                    "#/messages/0: required key [role] not found"),
    "claude_temperature_string": (HAIKU, claude(temperature="hot"),
                                  "#/temperature: expected type: Number, found: String"),
    "claude_temperature": (HAIKU, claude(temperature=2), "#/temperature: 2 is not less or equal to 1"),
    "claude_top_p": (HAIKU, claude(top_p=-1), "#/top_p: -1 is not greater or equal to 0"),
    "claude_top_k": (HAIKU, claude(top_k=501), "#/top_k: 501 is not less or equal to 500"),
    "claude_stop_sequences_string": (HAIKU, claude(stop_sequences="x"),
                                     "#/stop_sequences: expected type: JSONArray, found: String"),
    "claude_stop_sequence_number": (HAIKU, claude(stop_sequences=[1]),
                                    "#/stop_sequences/0: expected type: String, found: Integer"),
    "claude_text_type": ("anthropic.claude-v2", {"prompt": 7, "max_tokens_to_sample": 5},
                         "#/prompt: expected type: String, found: Integer"),
    "llama_max_gen_len": ("meta.llama2-13b-chat-v1", {"prompt": "Hi", "max_gen_len": 8192},
                          "#/max_gen_len: 8192 is not less or equal to 2048"),
    "llama_top_p": ("meta.llama2-70b-chat-v1", {"prompt": "Hi", "top_p": 1.5},
                    "#/top_p: 1.5 is not less or equal to 1"),
    "mistral_stop": ("mistral.mistral-7b-instruct-v0:2", {"prompt": "Hi", "stop": "x"},
                     "#/stop: expected type: JSONArray, found: String"),
    "mistral_max_tokens": ("mistral.mixtral-8x7b-instruct-v0:1", {"prompt": "Hi", "max_tokens": 4097},
                           "#/max_tokens: 4097 is not less or equal to 4096"),
    "titan_max_token_count": ("amazon.titan-text-express-v1",
                              {"inputText": "Hi", "textGenerationConfig": {"maxTokenCount": 9000}},
                              "#/textGenerationConfig/maxTokenCount: 9000 is not less or equal to 8192"),
    "titan_unknown_setting": ("amazon.titan-text-lite-v1",
                              {"inputText": "Hi", "textGenerationConfig": {"topK": 5}},
                              "#/textGenerationConfig: extraneous key [topK] is not permitted"),
    "titan_config_type": ("amazon.titan-text-lite-v1", {"inputText": "Hi", "textGenerationConfig": []},
                          "#/textGenerationConfig: expected type: JSONObject, found: JSONArray"),
    "command_max_tokens": ("cohere.command-text-v14", {"prompt": "Hi", "max_tokens": 5000},
                           "#/max_tokens: 5000 is not less or equal to 4096"),
    "command_stop_sequences": ("cohere.command-light-text-v14", {"prompt": "Hi",
                                                                 "stop_sequences": ["a"] * 5},
                               "#/stop_sequences: expected maximum item count: 4, found: 5"),
    "j2_max_tokens": ("ai21.j2-mid-v1", {"prompt": "Hi", "maxTokens": 8192},
                      "#/maxTokens: 8192 is not less or equal to 8191"),
    "j2_temperature": ("ai21.j2-ultra-v1", {"prompt": "Hi", "temperature": 1.5},
                       "#/temperature: 1.5 is not less or equal to 1"),
    "j2_stop_sequences": ("ai21.j2-ultra-v1", {"prompt": "Hi", "stopSequences": "x"},
                          "#/stopSequences: expected type: JSONArray, found: String"),
}


@pytest.mark.parametrize("model, body, problem", WRONG.values(), ids=WRONG)
def test_a_value_outside_the_schema_is_named_with_its_place(runtime, model, body, problem):
    assert refused_body(runtime, model, body) == malformed(problem)


def test_several_violations_are_told_together(runtime):
    text = refused_body(runtime, HAIKU, {"anthropic_version": "bedrock-2023-05-31", "stream": True})
    for problem in ("#: required key [max_tokens] not found", "#: required key [messages] not found",
                    "#: extraneous key [stream] is not permitted"):
        assert problem in text
    assert text.startswith("Malformed input request: #: ")


PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
         "rkJggg==")


def claudes_image(media_type, data):
    return claude(messages=[{"role": "user", "content": [
        {"type": "text", "text": "What is this?"},
        {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}]}])


def gif(width, height):
    """A picture as far as its header, in base64."""
    return base64.b64encode(b"GIF89a" + struct.pack("<HH", width, height)).decode()


IMAGE = "messages.0.content.1.image.source.base64"
CLAUDE_SENTENCES = {
    "version_missing": (claude(anthropic_version=...), "anthropic_version: Field required"),
    "no_messages": (claude(messages=[]), "messages: at least one message is required"),
    "empty_text": (claude(messages=[{"role": "user", "content": [{"type": "text", "text": ""}]}]),
                   "text content blocks must be non-empty"),
    "prefill_ends_blank": (claude(messages=[{"role": "user", "content": "Hi"},
                                            {"role": "assistant", "content": "Well, "}]),
                           "final assistant content cannot end with trailing whitespace"),
    "image_of_another_type": (claudes_image("image/jpeg", PIXEL),
                              f"{IMAGE}: The image was specified using the image/jpeg media type, but the image "
                              "appears to be a image/png image"),
    "image_too_wide": (claudes_image("image/gif", gif(8001, 1)),
                       f"{IMAGE}.data: At least one of the image dimensions exceed max allowed size: 8000 pixels"),
    "image_too_large": (claudes_image("image/png", "A" * 5_242_884),
                        f"{IMAGE}: image exceeds 5 MB maximum: 5242884 bytes > 5242880 bytes"),
    "no_image": (claudes_image("image/png", "bm8gaW1hZ2U="), f"{IMAGE}.data: Could not process image"),
    "images": (claude(messages=[{"role": "user", "content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}] * 21}]),
        "messages: too many images and documents: 21 + 0 > 20"),
}


@pytest.mark.parametrize("body, sentence", CLAUDE_SENTENCES.values(), ids=CLAUDE_SENTENCES)
def test_claudes_own_checks_speak_anthropics_sentences(runtime, body, sentence):
    assert sentence in refused_body(runtime, HAIKU, body)


def test_more_tokens_than_the_model_can_make_are_refused(runtime):
    text = refused_body(runtime, HAIKU, claude(max_tokens=5000))
    assert "5000" in text and "4096" in text


CANNOT = {
    "image": (claude(messages=[{"role": "user", "content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
        {"type": "text", "text": "What is this?"}]}]),
        "This model doesn't support the image field for user messages. Remove image and try again."),
    "thinking": (claude(thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2000),
                 "extraneous key [thinking] is not permitted"),
    "result_of_no_call": (claude(messages=[{"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "42"}]}]),
        "tool_result"),
    "citations": (claude(messages=[{"role": "user", "content": [
        {"type": "document", "citations": {"enabled": True},
         "source": {"type": "text", "media_type": "text/plain", "data": "Text."}},
        {"type": "text", "text": "What is this?"}]}]), "citations"),
}


@pytest.mark.parametrize("body, sentence", CANNOT.values(), ids=CANNOT)
def test_what_the_model_cannot_do_is_refused_and_never_ignored(runtime, body, sentence):
    assert sentence in refused_body(runtime, HAIKU, body)


@pytest.mark.parametrize("parameters", [
    {"guardrailIdentifier": "abcdefgh1234", "guardrailVersion": "1"},
    {"performanceConfigLatency": "optimized"},
], ids=["guardrail", "latency"])
def test_a_header_that_asks_for_more_is_refused_and_never_ignored(runtime, parameters):
    refused = refusal(runtime.invoke_model, modelId=HAIKU, body=json.dumps(claude()), **parameters)
    assert (refused.type, refused.status) == ("NotImplementedException", 501)


@pytest.mark.parametrize("parameters, member", [
    ({"trace": "LOUD"}, "trace"), ({"performanceConfigLatency": "warp"}, "performanceConfigLatency"),
    ({"guardrailVersion": "one"}, "guardrailVersion"),
], ids=["trace", "latency", "guardrail_version"])
def test_a_header_outside_its_constraint_is_refused_and_named(runtime, parameters, member):
    refused = refusal(runtime.invoke_model, modelId=HAIKU, body=json.dumps(claude()), **parameters)
    assert (refused.type, refused.status) == ("ValidationException", 400)
    assert f"at '{member}' failed to satisfy constraint: " in refused.message


TOO_LONG = {
    "claude_messages": "Input is too long for requested model.",
    "claude_text": "Input is too long for requested model.",
    "llama2": "Please reduce the length of the prompt",
    "titan": "400 Bad Request: Too many input tokens. Max input tokens: ",
    "mistral": "", "command": "", "j2": "",
}


@pytest.mark.parametrize("name, sentence", TOO_LONG.items(), ids=TOO_LONG)
def test_a_prompt_past_the_context_is_refused_in_the_providers_words(runtime, name, sentence):
    family = BY_NAME[name]
    text = refused_body(runtime, family.model, family.body("sea and shore " * 40_000, tokens=5))
    assert sentence in text


def test_after_every_refusal_the_model_still_answers(runtime):
    assert invoke(runtime, HAIKU, claude(max_tokens=3)).count("output") <= 3


class TestLoading:
    """The default model takes a few hundred milliseconds to load, a request by hand takes one."""

    INVOKE = wire.request("POST", f"/model/{HAIKU}/invoke", json.dumps(claude(max_tokens=2)))

    def test_meanwhile_the_control_plane_answers_and_invocations_are_not_ready(self):
        with craton.serving("--model", craton.QWEN, "--model-wait", "0") as server:
            with wire.Connection(server) as connection:
                connection.send(self.INVOKE + wire.request("GET", "/ready")
                                + wire.request("GET", "/health")
                                + wire.request("GET", "/foundation-models"))
                invoked, ready, health, listed = (connection.read() for _ in range(4))
            assert (invoked.status, invoked.error_type) == (429, "ModelNotReadyException")
            assert json.loads(invoked.body) == {"message": "Model is not ready for inference. Wait and try "
                                                           "your request again."}
            assert (ready.status, health.status, listed.status) == (503, 200, 200)
            server.wait_ready()
            invoke(server.client("bedrock-runtime"), HAIKU, claude(max_tokens=1))

    def test_an_invocation_waits_for_the_model(self):
        with craton.serving("--model", craton.QWEN) as server:
            assert server.get("/ready") == 503
            with wire.Connection(server, timeout=60) as connection:
                answer = connection.send(self.INVOKE).read()
            assert answer.status == 200 and json.loads(answer.body)["content"]
            assert server.get("/ready") == 200

    def test_boto3_retries_a_model_that_is_not_ready(self):
        with craton.serving("--model", craton.QWEN, "--model-wait", "0") as server:
            retrying = server.client("bedrock-runtime", attempts=10)
            answer = retrying.invoke_model(modelId=HAIKU, body=json.dumps(claude(max_tokens=1)))
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
