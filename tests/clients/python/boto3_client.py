"""boto3: ListFoundationModels, Converse, ConverseStream."""
import boto3
from botocore.exceptions import ClientError

import steps


def runtime():
    return boto3.client("bedrock-runtime")


def request(question=steps.QUESTION, model=steps.MODEL):
    return {
        "modelId": model,
        "messages": [{"role": "user", "content": [{"text": question}]}],
        "inferenceConfig": {"maxTokens": 60, "temperature": 0},
    }


def list_models():
    summaries = boto3.client("bedrock").list_foundation_models()["modelSummaries"]
    return steps.listed([summary["modelId"] for summary in summaries])


def chat():
    answer = runtime().converse(**request())
    steps.check(answer["stopReason"] == "end_turn", answer["stopReason"])
    steps.check(answer["usage"]["outputTokens"] > 0, answer["usage"])
    return steps.only(answer["output"]["message"]["content"])["text"]


def stream():
    pieces, order = [], []
    for event in runtime().converse_stream(**request())["stream"]:
        name, body = steps.only(event.items())
        if name == "contentBlockDelta":
            pieces.append(body["delta"]["text"])
        else:
            order.append(name)
    steps.check(order == ["messageStart", "contentBlockStop", "messageStop", "metadata"], order)
    return steps.streamed(pieces)


def tool():
    specification = {"name": steps.TOOL_NAME, "description": steps.TOOL_DESCRIPTION,
                     "inputSchema": {"json": steps.TOOL_SCHEMA}}
    answer = runtime().converse(**request(steps.TOOL_QUESTION), toolConfig={
        "tools": [{"toolSpec": specification}],
        "toolChoice": {"tool": {"name": steps.TOOL_NAME}},
    })
    steps.check(answer["stopReason"] == "tool_use", answer["stopReason"])
    use = steps.only(block["toolUse"] for block in answer["output"]["message"]["content"]
                     if "toolUse" in block)
    return steps.called(use["name"], use["input"])


def describe(error):
    return error.response["Error"]["Message"]


def error():
    return steps.refused(lambda: runtime().converse(**request(model=steps.UNKNOWN_MODEL)),
                         ClientError, describe)


def throttle():
    return steps.refused(lambda: runtime().converse(**request()), ClientError, describe)


steps.main("boto3", boto3.__version__, list=list_models, chat=chat, stream=stream, tool=tool, error=error,
           throttle=throttle)
