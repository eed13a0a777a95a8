"""The AWS CLI, version 1: its commands bedrock and bedrock-runtime, run as a user's shell would."""
import json
import pathlib
import re
import subprocess
import sys

import steps

AWS = pathlib.Path(sys.executable).parent / "aws"


class CommandFailed(Exception):
    """What the command wrote on standard error."""


def aws(*arguments):
    done = subprocess.run([AWS, *arguments, "--output", "json"], capture_output=True, text=True)
    if done.returncode != 0:
        raise CommandFailed(done.stderr.strip())
    return json.loads(done.stdout)


def converse(*more, question=steps.QUESTION, model=steps.MODEL):
    return aws("bedrock-runtime", "converse", "--model-id", model,
               "--messages", json.dumps([{"role": "user", "content": [{"text": question}]}]),
               "--inference-config", "maxTokens=60,temperature=0", *more)


def list_models():
    return steps.listed(aws("bedrock", "list-foundation-models", "--query", "modelSummaries[].modelId"))


def chat():
    answer = converse()
    steps.check(answer["stopReason"] == "end_turn", answer["stopReason"])
    return steps.only(answer["output"]["message"]["content"])["text"]


def tool():
    answer = converse("--tool-config", json.dumps({
        "tools": [{"toolSpec": {"name": steps.TOOL_NAME, "description": steps.TOOL_DESCRIPTION,
                                "inputSchema": {"json": steps.TOOL_SCHEMA}}}],
        "toolChoice": {"any": {}},
    }), question=steps.TOOL_QUESTION)
    steps.check(answer["stopReason"] == "tool_use", answer["stopReason"])
    use = steps.only(block["toolUse"] for block in answer["output"]["message"]["content"]
                     if "toolUse" in block)
    return steps.called(use["name"], use["input"])


def describe(error):
    """The line without the words that the command puts before every error."""
    return re.sub(r"\s+", " ", str(error)).removeprefix("aws: [ERROR]: ")


def error():
    return steps.refused(lambda: converse(model=steps.UNKNOWN_MODEL), CommandFailed, describe)


def throttle():
    return steps.refused(converse, CommandFailed, describe)


def version():
    """"1.46.3" of "aws-cli/1.46.3 Python/3.11.7 …"."""
    said = subprocess.run([AWS, "--version"], capture_output=True, text=True, check=True)
    return re.search(r"aws-cli/(\S+)", said.stdout + said.stderr)[1]


steps.main("AWS CLI", version(), list=list_models, chat=chat, tool=tool, error=error, throttle=throttle)
