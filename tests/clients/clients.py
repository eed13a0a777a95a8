"""The clients of the acceptance matrix, one row each.

A client does every step of STEPS but those that it cannot, which `lacks` names with the reason. What each
step must show is in run.py; which kit a program needs, in kits.py.
"""
import dataclasses

STEPS = ("list", "chat", "stream", "tool", "error", "throttle")

# How a user points the client at a server: the variable, and what it holds.
POINTERS = {
    "AWS_ENDPOINT_URL": "{url}",
    "ANTHROPIC_BEDROCK_BASE_URL": "{url}",
    "AWS_BEDROCK_RUNTIME_ENDPOINT": "{url}",
    "OPENAI_BASE_URL": "{url}/openai/v1",
}

NO_MODELS = "it has no call that lists Bedrock's models"


@dataclasses.dataclass(frozen=True)
class Client:
    name: str  # its test is client.NAME
    title: str
    kit: str
    program: str  # under tests/clients
    arguments: tuple = ()  # before the steps
    pointer: str = "AWS_ENDPOINT_URL"
    transport: str = "HTTP/1.1"  # of its runtime calls, to an http:// address
    attempts: int = 3  # how often it asks a server that throttles
    lacks: dict = dataclasses.field(default_factory=dict)


CLIENTS = {client.name: client for client in (
    Client("boto3", "boto3", "python", "python/boto3_client.py"),
    Client("aws_cli", "AWS CLI v1", "python", "python/aws_cli.py", attempts=5,
           lacks={"stream": "the CLI has no commands that stream"}),
    Client("javascript", "AWS SDK for JavaScript v3", "node", "node/aws_sdk.mjs", transport="HTTP/2"),
    Client("go", "AWS SDK for Go v2", "go", "go"),
    Client("rust", "AWS SDK for Rust", "rust", "rust"),
    Client("java_sync", "AWS SDK for Java v2", "java", "java/Client.java", ("sync",), attempts=4,
           lacks={"stream": "only its asynchronous client has calls that stream"}),
    Client("java_async", "AWS SDK for Java v2, asynchronous", "java", "java/Client.java", ("async",),
           transport="HTTP/2", attempts=4),
    Client("anthropic_python", "anthropic (Python), AnthropicBedrock", "python", "python/anthropic_client.py",
           pointer="ANTHROPIC_BEDROCK_BASE_URL", lacks={"list": NO_MODELS}),
    Client("anthropic_javascript", "@anthropic-ai/bedrock-sdk", "node", "node/anthropic_bedrock.mjs",
           pointer="ANTHROPIC_BEDROCK_BASE_URL", lacks={"list": NO_MODELS}),
    Client("openai", "openai (Python), chat completions", "python", "python/openai_client.py",
           pointer="OPENAI_BASE_URL"),
    Client("langchain_converse", "LangChain, ChatBedrockConverse", "python", "python/langchain_client.py",
           ("ChatBedrockConverse",), lacks={"list": NO_MODELS}),
    Client("langchain_invoke", "LangChain, ChatBedrock", "python", "python/langchain_client.py",
           ("ChatBedrock",), lacks={"list": NO_MODELS}),
    Client("litellm_converse", "LiteLLM, bedrock/converse", "litellm", "python/litellm_client.py",
           ("converse",), pointer="AWS_BEDROCK_RUNTIME_ENDPOINT",
           lacks={"list": NO_MODELS, "tool": "its own table lets this model choose no tool by this route"}),
    Client("litellm_invoke", "LiteLLM, bedrock/invoke", "litellm", "python/litellm_client.py", ("invoke",),
           pointer="AWS_BEDROCK_RUNTIME_ENDPOINT", lacks={"list": NO_MODELS}),
    Client("ai_sdk", "Vercel AI SDK, @ai-sdk/amazon-bedrock", "node", "node/ai_sdk.mjs",
           lacks={"list": NO_MODELS}),
)}

if __name__ == "__main__":
    print(";".join(CLIENTS))
