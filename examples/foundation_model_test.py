"""Foundation Model test: list Bedrock's models, then ask Claude 3 Haiku a question.

Plain boto3 and no endpoint: which Bedrock answers is decided by the environment (AWS_ENDPOINT_URL)
or by an AWS profile with an endpoint_url.
"""
import json

import boto3

bedrock = boto3.client("bedrock")
for model in bedrock.list_foundation_models()["modelSummaries"]:
    print(model)

runtime = boto3.client("bedrock-runtime")
response = runtime.invoke_model(
    modelId="anthropic.claude-3-haiku-20240307-v1:0",
    body=json.dumps({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 1024,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "대한민국의 수도는?"}]},
        ],
    }),
)
print(json.dumps(json.loads(response["body"].read()), ensure_ascii=False, indent=2))
