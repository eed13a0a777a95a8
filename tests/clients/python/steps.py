"""What the Python clients share: the steps' questions, and how a program runs its steps.

A program is called with the names of steps, does them in that order, and prints a line of JSON for each:
  {"client": "boto3", "version": "1.44.5"}
  {"step": "chat", "ok": true, "detail": "The capital of France is Paris."}
It knows nothing of the server but what the client itself reads from the environment. Its exit status is
1 when a step failed.
"""
import json
import sys

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
UNKNOWN_MODEL = "anthropic.no-such-model-v1:0"
QUESTION = "What is the capital of France?"
TOOL_QUESTION = "What is the weather in Paris, in celsius?"
TOOL_NAME = "get_weather"
TOOL_DESCRIPTION = "The weather in a city now"
TOOL_SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city", "unit"],
}


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def only(items):
    """The one item there is."""
    items = list(items)
    check(len(items) == 1, f"expected one, found {items}")
    return items[0]


def listed(ids):
    """The detail of `list`."""
    check(MODEL in ids, f"{MODEL} is not among {len(ids)} models")
    return f"{len(ids)} models"


def streamed(pieces):
    """The detail of `stream`; `pieces` are the texts as they arrived."""
    pieces = [piece for piece in pieces if piece]
    return f"{len(pieces)} pieces: {''.join(pieces)}"


def called(name, arguments):
    """The detail of `tool`: the call's input, as JSON."""
    check(name == TOOL_NAME, f"called {name}")
    return json.dumps(arguments)


def refused(call, error_class, describe):
    """The detail of `error` and `throttle`: what `call` raises, as `describe` puts it."""
    try:
        answer = call()
    except error_class as error:
        return f"{type(error).__name__}: {describe(error)}"
    raise AssertionError(f"was answered: {answer}")


def say(**line):
    print(json.dumps(line, ensure_ascii=False), flush=True)


def attempt(step):
    try:
        return True, step()
    except Exception as error:  # whatever a client raises is the step's outcome
        return False, f"{type(error).__name__}: {error}"


def main(client, version, arguments=None, **steps):
    """Runs the steps that the command line (or `arguments`) names."""
    say(client=client, version=version)
    passed = True
    for name in sys.argv[1:] if arguments is None else arguments:
        ok, detail = attempt(steps[name])
        say(step=name, ok=ok, detail=detail)
        passed = passed and ok
    sys.exit(0 if passed else 1)
