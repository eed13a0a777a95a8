"""LiteLLM: its route `converse` or its route `invoke`, as the first argument says."""
import importlib.metadata
import json
import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else the import asks the network for prices

import litellm  # noqa: E402

import steps  # noqa: E402

route = sys.argv[1]


def complete(question=steps.QUESTION, model=steps.MODEL, **more):
    # A named number of retries: without it LiteLLM asks once.
    return litellm.completion(model=f"bedrock/{route}/{model}", temperature=0, max_tokens=60,
                              messages=[{"role": "user", "content": question}], num_retries=2, **more)


def chat():
    choice = steps.only(complete().choices)
    steps.check(choice.finish_reason == "stop", choice.finish_reason)
    return choice.message.content


def stream():
    pieces, reasons = [], []
    for chunk in complete(stream=True):
        for choice in chunk.choices:
            pieces.append(choice.delta.content)
            reasons.append(choice.finish_reason)
    steps.check([reason for reason in reasons if reason] == ["stop"], reasons)
    return steps.streamed(pieces)


def tool():
    function = {"name": steps.TOOL_NAME, "description": steps.TOOL_DESCRIPTION,
                "parameters": steps.TOOL_SCHEMA}
    answer = complete(steps.TOOL_QUESTION, tools=[{"type": "function", "function": function}],
                      tool_choice="required")
    call = steps.only(steps.only(answer.choices).message.tool_calls)
    return steps.called(call.function.name, json.loads(call.function.arguments))


def describe(error):
    return error.message


def error():
    return steps.refused(lambda: complete(model=steps.UNKNOWN_MODEL), litellm.BadRequestError, describe)


def throttle():
    return steps.refused(complete, litellm.RateLimitError, describe)


steps.main(f"LiteLLM {route}", importlib.metadata.version("litellm"), sys.argv[2:], chat=chat,
           stream=stream, tool=tool, error=error, throttle=throttle)
