"""LangChain: ChatBedrockConverse (Converse) or ChatBedrock (InvokeModel), as the first argument says."""
import importlib.metadata
import sys

from botocore.exceptions import ClientError
from langchain_aws import ChatBedrock, ChatBedrockConverse

import steps

CHATS = {
    "ChatBedrockConverse": lambda model: ChatBedrockConverse(model=model, max_tokens=60, temperature=0),
    "ChatBedrock": lambda model: ChatBedrock(
        model=model, beta_use_converse_api=False, max_tokens=60, temperature=0),
}
name = sys.argv[1]


def model(identifier=steps.MODEL):
    return CHATS[name](identifier)


def chat():
    answer = model().invoke(steps.QUESTION)
    steps.check(answer.usage_metadata["output_tokens"] > 0, answer.usage_metadata)
    return answer.text


def stream():
    return steps.streamed([str(piece.text) for piece in model().stream(steps.QUESTION)])


def tool():
    schema = {"title": steps.TOOL_NAME, "description": steps.TOOL_DESCRIPTION, **steps.TOOL_SCHEMA}
    answer = model().bind_tools([schema], tool_choice=steps.TOOL_NAME).invoke(steps.TOOL_QUESTION)
    call = steps.only(answer.tool_calls)
    return steps.called(call["name"], call["args"])


def describe(error):
    return error.response["Error"]["Message"]


def error():
    return steps.refused(lambda: model(steps.UNKNOWN_MODEL).invoke(steps.QUESTION), ClientError, describe)


def throttle():
    return steps.refused(lambda: model().invoke(steps.QUESTION), ClientError, describe)


steps.main(name, importlib.metadata.version("langchain-aws"), sys.argv[2:], chat=chat, stream=stream,
           tool=tool, error=error, throttle=throttle)
