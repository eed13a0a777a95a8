// How often the AWS SDK for JavaScript asks past a quota, and for how long. Prints JSON.
// usage: quotas.mjs URL MODE...
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";

const [url, ...modes] = process.argv.slice(2);
const input = {
  modelId: "anthropic.claude-3-haiku-20240307-v1:0",
  messages: [{ role: "user", content: [{ text: "hi" }] }],
  inferenceConfig: { maxTokens: 9 },
};

const told = {};
for (const retryMode of modes) {
  const client = new BedrockRuntimeClient({
    endpoint: url, region: "us-east-1", retryMode,
    credentials: { accessKeyId: "craton", secretAccessKey: "craton" },
  });
  const began = performance.now();
  try {
    const answer = await client.send(new ConverseCommand(input));
    told[retryMode] = { tries: answer.$metadata.attempts };
  } catch (error) {
    told[retryMode] = { error: error.name, tries: error.$metadata?.attempts, message: error.message };
  }
  told[retryMode].ms = performance.now() - began;
}
console.log(JSON.stringify(told));
