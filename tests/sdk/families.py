"""The provider families as their callers see them: how each is asked, and where its reply says what.

One row a family. Tests run over the rows, so that a new family is a new row.
"""
import dataclasses
import json
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Reply:
    """A native reply, with the headers it came with."""
    body: dict
    headers: dict
    request_id: str

    def count(self, which):
        return int(self.headers[f"x-amzn-bedrock-{which}-token-count"])


@dataclasses.dataclass(frozen=True)
class Family:
    name: str
    model: str
    ask: Callable  # (text) -> the least body that asks it
    tokens: tuple  # path of the member that limits the answer's tokens
    stop: tuple | None  # path of the list of stop sequences, where the schema has one
    text: Callable  # (reply body) -> the answer's text
    reason: Callable  # (reply body) -> why it ended
    reasons: dict  # what `reason` says at the end of the answer, at the limit, at a stop sequence
    counts: Callable = lambda body: None  # (reply body) -> (input, output) tokens, where it says so
    piece_text: Callable | None = None  # (streamed piece) -> the text it brings; None: not streamed
    stream_extra: dict = dataclasses.field(default_factory=dict)  # what a streamed body says besides
    required: tuple = ("prompt",)
    foreign: str = "inputText"  # a member that belongs to another family

    def body(self, text, tokens=None, stop=None, **more):
        body = self.ask(text)
        if tokens is not None:
            put(body, self.tokens, tokens)
        if stop is not None:
            put(body, self.stop, stop)
        return {**body, **more}

    @property
    def streams(self):
        return self.piece_text is not None

    def streamed(self, body):
        return {**body, **self.stream_extra}


def put(body, path, value):
    *folders, name = path
    for folder in folders:
        body = body.setdefault(folder, {})
    body[name] = value


def claude_messages(text):
    return {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 200,
            "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]}


FAMILIES = [
    Family(
        name="claude_messages", model="anthropic.claude-3-haiku-20240307-v1:0",
        ask=claude_messages, tokens=("max_tokens",), stop=("stop_sequences",),
        text=lambda body: body["content"][0]["text"] if body["content"] else "",
        reason=lambda body: (body["stop_reason"], body["stop_sequence"]),
        reasons={"end": ("end_turn", None), "limit": ("max_tokens", None),
                 "stop": lambda sequence: ("stop_sequence", sequence)},
        counts=lambda body: (body["usage"]["input_tokens"], body["usage"]["output_tokens"]),
        piece_text=lambda piece: piece.get("delta", {}).get("text", ""),
        required=("max_tokens", "messages")),
    Family(
        name="claude_text", model="anthropic.claude-v2:1",
        ask=lambda text: {"prompt": f"\n\nHuman: {text}\n\nAssistant:", "max_tokens_to_sample": 200},
        tokens=("max_tokens_to_sample",), stop=("stop_sequences",),
        text=lambda body: body["completion"],
        reason=lambda body: (body["stop_reason"], body["stop"]),
        reasons={"end": ("stop_sequence", "\n\nHuman:"), "limit": ("max_tokens", None),
                 "stop": lambda sequence: ("stop_sequence", sequence)},
        piece_text=lambda piece: piece["completion"],
        required=("prompt", "max_tokens_to_sample")),
    Family(
        name="llama2", model="meta.llama2-13b-chat-v1",
        ask=lambda text: {"prompt": f"<s>[INST] {text} [/INST]"},
        tokens=("max_gen_len",), stop=None,
        text=lambda body: body["generation"], reason=lambda body: body["stop_reason"],
        reasons={"end": "stop", "limit": "length"},
        counts=lambda body: (body["prompt_token_count"], body["generation_token_count"]),
        piece_text=lambda piece: piece["generation"]),
    Family(
        name="mistral", model="mistral.mistral-7b-instruct-v0:2",
        ask=lambda text: {"prompt": f"<s>[INST] {text} [/INST]"},
        tokens=("max_tokens",), stop=("stop",),
        text=lambda body: body["outputs"][0]["text"],
        reason=lambda body: body["outputs"][0]["stop_reason"],
        reasons={"end": "stop", "limit": "length", "stop": lambda sequence: "stop"},
        piece_text=lambda piece: piece["outputs"][0]["text"]),
    Family(
        name="titan", model="amazon.titan-text-express-v1",
        ask=lambda text: {"inputText": f"User: {text}\nBot:"},
        tokens=("textGenerationConfig", "maxTokenCount"),
        stop=("textGenerationConfig", "stopSequences"),
        text=lambda body: body["results"][0]["outputText"],
        reason=lambda body: body["results"][0]["completionReason"],
        reasons={"end": "FINISH", "limit": "LENGTH", "stop": lambda sequence: "FINISH"},
        counts=lambda body: (body["inputTextTokenCount"], body["results"][0]["tokenCount"]),
        piece_text=lambda piece: piece["outputText"],
        required=("inputText",), foreign="prompt"),
    Family(
        name="command", model="cohere.command-text-v14",
        ask=lambda text: {"prompt": text}, tokens=("max_tokens",), stop=("stop_sequences",),
        text=lambda body: body["generations"][0]["text"],
        reason=lambda body: body["generations"][0]["finish_reason"],
        reasons={"end": "COMPLETE", "limit": "MAX_TOKENS", "stop": lambda sequence: "COMPLETE"},
        piece_text=lambda piece: piece.get("text", ""), stream_extra={"stream": True}),
    Family(
        name="j2", model="ai21.j2-ultra-v1",
        ask=lambda text: {"prompt": text}, tokens=("maxTokens",), stop=("stopSequences",),
        text=lambda body: body["completions"][0]["data"]["text"],
        reason=lambda body: body["completions"][0]["finishReason"]["reason"],
        reasons={"end": "endoftext", "limit": "length", "stop": lambda sequence: "stop"}),
]
BY_NAME = {family.name: family for family in FAMILIES}


def invoke(runtime, model, body, **parameters):
    """InvokeModel; `body` is a value or ready bytes."""
    payload = body if isinstance(body, (bytes, str)) else json.dumps(body)
    answer = runtime.invoke_model(modelId=model, body=payload, **parameters)
    metadata = answer["ResponseMetadata"]
    assert answer["contentType"] == "application/json"
    return Reply(json.loads(answer["body"].read()), metadata["HTTPHeaders"], metadata["RequestId"])
