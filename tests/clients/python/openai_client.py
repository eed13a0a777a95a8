"""openai: chat completions in the form that Bedrock serves under /openai/v1."""
import json

import openai

import steps

MODEL = "openai.gpt-oss-20b-1:0"
client = openai.OpenAI()


def request(question=steps.QUESTION, model=MODEL):
    return {"model": model, "messages": [{"role": "user", "content": question}], "temperature": 0,
            "max_completion_tokens": 60}


def create(**arguments):
    return client.chat.completions.create(**arguments)


def list_models():
    ids = [model.id for model in client.models.list()]
    steps.check(MODEL in ids, f"{MODEL} is not among {len(ids)} models")
    return f"{len(ids)} models"


def chat():
    choice = steps.only(create(**request()).choices)
    steps.check(choice.finish_reason == "stop", choice.finish_reason)
    return choice.message.content


def stream():
    pieces, reasons, usage = [], [], None
    for chunk in create(**request(), stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            pieces.append(choice.delta.content)
            reasons.append(choice.finish_reason)
    steps.check([reason for reason in reasons if reason] == ["stop"], reasons)
    steps.check(usage and usage.completion_tokens > 0, usage)
    return steps.streamed(pieces)


def tool():
    function = {"name": steps.TOOL_NAME, "description": steps.TOOL_DESCRIPTION,
                "parameters": steps.TOOL_SCHEMA}
    answer = create(**request(steps.TOOL_QUESTION), tools=[{"type": "function", "function": function}],
                    tool_choice={"type": "function", "function": {"name": steps.TOOL_NAME}})
    call = steps.only(steps.only(answer.choices).message.tool_calls)
    return steps.called(call.function.name, json.loads(call.function.arguments))


def code_of_earlier_response():
    """Clients begin a conversation anew where the server kept no response."""
    try:
        client.responses.create(model=MODEL, input=steps.QUESTION, previous_response_id="resp_1")
    except openai.BadRequestError as error:
        return error.code
    return None


def describe(error):
    return error.body["message"]


def error():
    steps.check(code_of_earlier_response() == "previous_response_not_found", code_of_earlier_response())
    return steps.refused(lambda: create(**request(model=steps.UNKNOWN_MODEL)), openai.APIStatusError,
                         describe)


def throttle():
    return steps.refused(lambda: create(**request()), openai.APIStatusError, describe)


steps.main("openai", openai.__version__, list=list_models, chat=chat, stream=stream, tool=tool, error=error,
           throttle=throttle)
