"""anthropic's AnthropicBedrock: InvokeModel and InvokeModelWithResponseStream in Claude's own form."""
import anthropic

import steps

client = anthropic.AnthropicBedrock()


def request(question=steps.QUESTION, model=steps.MODEL):
    return {"model": model, "max_tokens": 60, "messages": [{"role": "user", "content": question}]}


def chat():
    answer = client.messages.create(**request())
    steps.check(answer.stop_reason == "end_turn", answer.stop_reason)
    steps.check(answer.usage.output_tokens > 0, answer.usage)
    return steps.only(answer.content).text


def stream():
    with client.messages.stream(**request()) as answer:
        pieces = list(answer.text_stream)
        whole = answer.get_final_message()
    steps.check(whole.stop_reason == "end_turn", whole.stop_reason)
    steps.check(whole.content[0].text == "".join(pieces), whole)
    return steps.streamed(pieces)


def tool():
    answer = client.messages.create(
        **request(steps.TOOL_QUESTION),
        tools=[{"name": steps.TOOL_NAME, "description": steps.TOOL_DESCRIPTION,
                "input_schema": steps.TOOL_SCHEMA}],
        tool_choice={"type": "tool", "name": steps.TOOL_NAME})
    steps.check(answer.stop_reason == "tool_use", answer.stop_reason)
    use = steps.only(block for block in answer.content if block.type == "tool_use")
    return steps.called(use.name, use.input)


def describe(error):
    return error.message


def error():
    return steps.refused(lambda: client.messages.create(**request(model=steps.UNKNOWN_MODEL)),
                         anthropic.APIStatusError, describe)


def throttle():
    return steps.refused(lambda: client.messages.create(**request()), anthropic.APIStatusError, describe)


steps.main("anthropic", anthropic.__version__, chat=chat, stream=stream, tool=tool, error=error,
           throttle=throttle)
