"""Converse, ConverseStream and CountTokens as boto3 reads them."""
import json
import re

import pytest

import craton

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
TALKED_TO = [HAIKU, "anthropic.claude-v2:1", "amazon.titan-text-express-v1", "meta.llama3-70b-instruct-v1:0",
             "mistral.mixtral-8x7b-instruct-v0:1", "cohere.command-text-v14", "us.amazon.nova-lite-v1:0",
             "openai.gpt-oss-20b-1:0"]
CLOCK = {"toolSpec": {"name": "get_time", "description": "Tells the time in a city.", "inputSchema": {
    "json": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}}


def said(role, *content):
    return {"role": role, "content": [{"text": part} if isinstance(part, str) else part for part in content]}


def asking(text, **more):
    return {"messages": [said("user", text)], "inferenceConfig": {"maxTokens": 32, "temperature": 0}, **more}


def events(answer):
    """The events of a stream as pairs; each has one member, or botocore would have refused it."""
    return [pair for event in answer["stream"] for pair in event.items()]


def check_order(stream):
    """The order that clients' assemblers rely on."""
    names = [name for name, _ in stream]
    assert names[0] == "messageStart" and names[-2:] == ["messageStop", "metadata"]
    open_block, next_index = None, 0
    for name, event in stream[1:-2]:
        index = event["contentBlockIndex"]
        if open_block is None:
            assert index == next_index and name in ("contentBlockStart", "contentBlockDelta")
            open_block = index
        assert index == open_block
        if name == "contentBlockStop":
            open_block, next_index = None, next_index + 1
    assert open_block is None


def text_of(stream):
    return "".join(event["delta"].get("text", "") for name, event in stream if name == "contentBlockDelta")


@pytest.mark.parametrize("model", TALKED_TO)
def test_every_family_is_talked_to_alike(runtime, model):
    answer = runtime.converse(modelId=model, **asking("Say hello."))
    message = answer["output"]["message"]
    assert message["role"] == "assistant" and message["content"][0]["text"]
    assert answer["stopReason"] in ("end_turn", "max_tokens")
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert usage["outputTokens"] <= 32 and answer["metrics"]["latencyMs"] >= 0
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-craton-engine"] == "llama"


@pytest.mark.parametrize("model", TALKED_TO)
def test_the_stream_is_the_whole(runtime, model):
    whole = runtime.converse(modelId=model, **asking("Count to five."))
    stream = events(runtime.converse_stream(modelId=model, **asking("Count to five.")))
    check_order(stream)
    content = whole["output"]["message"]["content"]
    assert text_of(stream) == "".join(block.get("text", "") for block in content)
    assert dict(stream)["messageStop"]["stopReason"] == whole["stopReason"]
    for count in ("inputTokens", "outputTokens", "totalTokens"):
        assert dict(stream)["metadata"]["usage"][count] == whole["usage"][count]


def test_the_capital_of_korea_is_known(qwen):
    answer = qwen.client("bedrock-runtime").converse(
        modelId=HAIKU, system=[{"text": "Answer in one sentence."}], **asking("대한민국의 수도는?"))
    assert "서울" in answer["output"]["message"]["content"][0]["text"]


def test_a_conversation_goes_on(qwen):
    runtime = qwen.client("bedrock-runtime")
    messages = [said("user", "My name is Ada."), said("assistant", "Hello, Ada!"),
                said("user", "What is my name? Answer with the name alone.")]
    answer = runtime.converse(modelId=HAIKU, messages=messages,
                              inferenceConfig={"maxTokens": 20, "temperature": 0})
    assert "Ada" in answer["output"]["message"]["content"][0]["text"]


def test_an_answer_ends_before_a_stop_sequence_and_says_which(qwen):
    answer = qwen.client("bedrock-runtime").converse(
        modelId=HAIKU, messages=[said("user", "Count from 1 to 9, with commas between.")],
        inferenceConfig={"maxTokens": 40, "temperature": 0, "stopSequences": ["4"]},
        additionalModelResponseFieldPaths=["/stop_sequence", "/delta/stop_sequence"])
    assert answer["stopReason"] == "stop_sequence"
    assert "4" not in answer["output"]["message"]["content"][0]["text"]
    assert answer["additionalModelResponseFields"] == {"stop_sequence": "4",
                                                       "delta": {"stop_sequence": "4"}}


def test_an_answer_ends_at_its_limit(runtime):
    answer = runtime.converse(modelId=HAIKU, messages=[said("user", "Tell a long story.")],
                              inferenceConfig={"maxTokens": 5})
    assert answer["stopReason"] == "max_tokens" and answer["usage"]["outputTokens"] == 5


def tool_use_of(content):
    return next(block["toolUse"] for block in content if "toolUse" in block)


def test_a_tool_is_called_and_its_result_is_read(qwen):
    runtime = qwen.client("bedrock-runtime")
    config = {"tools": [CLOCK], "toolChoice": {"tool": {"name": "get_time"}}}
    asked = said("user", "What time is it in Seoul?")
    limits = {"maxTokens": 80, "temperature": 0}
    answer = runtime.converse(modelId=HAIKU, messages=[asked], toolConfig=config, inferenceConfig=limits)
    assert answer["stopReason"] == "tool_use"
    use = tool_use_of(answer["output"]["message"]["content"])
    assert use["name"] == "get_time" and isinstance(use["input"]["city"], str)
    assert re.fullmatch(r"tooluse_[\w-]{22}", use["toolUseId"])

    # What so small a model makes of a result is its own affair: it likes to ask again. It has read it.
    read = []
    for time in ("12:34", "twenty-six minutes to one in the afternoon, local time"):
        result = {"toolResult": {"toolUseId": use["toolUseId"], "content": [{"json": {"time": time}}]}}
        again = runtime.converse(
            modelId=HAIKU, messages=[asked, answer["output"]["message"], said("user", result)],
            toolConfig={"tools": [CLOCK]}, inferenceConfig=limits)
        assert again["stopReason"] in ("tool_use", "end_turn", "max_tokens")
        read.append(again["usage"]["inputTokens"])
    assert read[0] > answer["usage"]["inputTokens"] + 20 and read[1] > read[0] + 5


def test_a_streamed_call_of_a_tool_is_json_in_pieces(qwen):
    stream = events(qwen.client("bedrock-runtime").converse_stream(
        modelId=HAIKU, toolConfig={"tools": [CLOCK], "toolChoice": {"any": {}}},
        **asking("What time is it in Seoul?")))
    check_order(stream)
    start = next(event for name, event in stream if name == "contentBlockStart")
    assert start["start"]["toolUse"]["name"] == "get_time"
    pieces = [event["delta"]["toolUse"]["input"] for name, event in stream
              if name == "contentBlockDelta" and "toolUse" in event["delta"]]
    assert isinstance(json.loads("".join(pieces))["city"], str)
    assert dict(stream)["messageStop"]["stopReason"] == "tool_use"


def test_a_document_is_read(qwen):
    document = {"document": {"format": "txt", "name": "Letter", "source": {
        "bytes": b"The secret word is marmalade."}}}
    answer = qwen.client("bedrock-runtime").converse(
        modelId=HAIKU, messages=[said("user", document, "Which is the secret word in the letter?")],
        inferenceConfig={"maxTokens": 20, "temperature": 0})
    assert "marmalade" in answer["output"]["message"]["content"][0]["text"].lower()


def test_fields_of_the_providers_own_are_taken_or_refused_in_its_words(runtime):
    assert runtime.converse(modelId=HAIKU, additionalModelRequestFields={"top_k": 5}, **asking("Hi"))
    refused = craton.refusal(runtime.converse, modelId=HAIKU, **asking("Hi"),
                             additionalModelRequestFields={"topK": 5})
    assert refused.message == (
        "The model returned the following errors: Malformed input request: #: extraneous key [topK] is not "
        "permitted, please reformat your input and try again.")


def test_what_only_echoes_is_echoed(runtime):
    answer = runtime.converse(modelId=HAIKU, performanceConfig={"latency": "standard"},
                              serviceTier={"type": "default"}, requestMetadata={"team": "a"},
                              **asking("Hi"))
    assert answer["performanceConfig"] == {"latency": "standard"}
    assert answer["serviceTier"] == {"type": "default"}


REFUSALS = [
    ("a_model_that_is_not_talked_to", "amazon.titan-embed-text-v1", asking("Hi"),
     "This action doesn't support the model that you provided. Try again with a supported text or chat "
     "model."),
    ("no_system", "amazon.titan-text-express-v1", asking("Hi", system=[{"text": "Be brief."}]),
     "This model doesn't support system messages. Try again without a system message or use a model that "
     "supports system messages."),
    ("blank", HAIKU, {"messages": [said("user", " ")]},
     "The text field in the ContentBlock object at messages.0.content.0 is blank. Add text to the text "
     "field, and try again."),
    ("two_users", HAIKU, {"messages": [said("user", "a"), said("user", "b")]},
     "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
     "between user and assistant roles and try again."),
    ("too_many_tokens", HAIKU, {"messages": [said("user", "a")], "inferenceConfig": {"maxTokens": 5000}},
     "The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens "
     "value that is lower than 4096."),
]


@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
@pytest.mark.parametrize("model, request_, text", [row[1:] for row in REFUSALS],
                         ids=[row[0] for row in REFUSALS])
def test_a_refusal_has_bedrocks_words(runtime, operation, model, request_, text):
    refused = craton.refusal(getattr(runtime, operation), modelId=model, **request_)
    assert (refused.status, refused.type, refused.message) == (400, "ValidationException", text)


def test_a_conversation_that_does_not_fit_is_refused_before_the_stream_begins(runtime):
    refused = craton.refusal(runtime.converse_stream, modelId=HAIKU, **asking("word " * 60_000))
    assert refused.message == "Input is too long for requested model."


def test_tokens_are_counted_as_the_call_reports_them(runtime):
    messages = [said("user", "How many tokens is this?")]
    system = [{"text": "Be brief."}]
    request = {"converse": {"messages": messages, "system": system}}
    counted = runtime.count_tokens(modelId=SONNET, input=request)
    assert runtime.count_tokens(modelId=SONNET.removeprefix("us."), input=request)["inputTokens"] \
        == counted["inputTokens"], "programs take the prefix off"
    answer = runtime.converse(modelId=SONNET, messages=messages, system=system,
                              inferenceConfig={"maxTokens": 1})
    assert counted["inputTokens"] == answer["usage"]["inputTokens"]


def test_tokens_of_a_native_body_are_counted_too(runtime):
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1,
                       "messages": [{"role": "user", "content": "How many tokens is this?"}]})
    counted = runtime.count_tokens(modelId=SONNET, input={"invokeModel": {"body": body}})
    answer = json.loads(runtime.invoke_model(modelId=SONNET, body=body)["body"].read())
    assert counted["inputTokens"] == answer["usage"]["input_tokens"]


def test_a_model_that_counts_no_tokens_says_so(runtime):
    refused = craton.refusal(runtime.count_tokens, modelId="amazon.titan-text-express-v1",
                             input={"converse": {"messages": [said("user", "Hi")]}})
    assert refused.message == "The provided model doesn't support counting tokens."
