// AWS SDK for JavaScript v3 as it comes: its runtime client speaks HTTP/2, its control client HTTP/1.1.
import { BedrockClient, ListFoundationModelsCommand } from '@aws-sdk/client-bedrock';
import {
  BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { createRequire } from 'node:module';
import * as steps from './steps.mjs';

const runtime = new BedrockRuntimeClient({});

const request = (more = {}) => ({
  modelId: steps.model,
  messages: [{ role: 'user', content: [{ text: steps.question }] }],
  inferenceConfig: { maxTokens: 60, temperature: 0 },
  ...more,
});

const converse = (more) => runtime.send(new ConverseCommand(request(more)));

async function list() {
  const { modelSummaries } = await new BedrockClient({}).send(new ListFoundationModelsCommand({}));
  steps.check(modelSummaries.some(({ modelId }) => modelId === steps.model), `no ${steps.model}`);
  return `${modelSummaries.length} models`;
}

async function chat() {
  const answer = await converse();
  steps.check(answer.stopReason === 'end_turn', answer.stopReason);
  steps.check(answer.usage.outputTokens > 0, answer.usage);
  return steps.only(answer.output.message.content).text;
}

async function stream() {
  const pieces = [];
  const order = [];
  const answer = await runtime.send(new ConverseStreamCommand(request()));
  for await (const event of answer.stream) {
    const name = steps.only(Object.keys(event));
    if (name === 'contentBlockDelta') pieces.push(event[name].delta.text);
    else order.push(name);
  }
  steps.check(order.join() === 'messageStart,contentBlockStop,messageStop,metadata', order);
  return steps.streamed(pieces);
}

async function tool() {
  const answer = await converse({
    messages: [{ role: 'user', content: [{ text: steps.toolQuestion }] }],
    toolConfig: {
      tools: [{
        toolSpec: {
          name: steps.toolName,
          description: steps.toolDescription,
          inputSchema: { json: steps.toolSchema },
        },
      }],
      toolChoice: { any: {} },
    },
  });
  steps.check(answer.stopReason === 'tool_use', answer.stopReason);
  const { toolUse } = steps.only(answer.output.message.content.filter((block) => block.toolUse));
  return steps.called(toolUse.name, toolUse.input);
}

const describe = (error) => `${error.name}: ${error.message}`;
const error = () => steps.refused(() => converse({ modelId: steps.unknownModel }), describe);
const throttle = () => steps.refused(converse, describe);

const { version } = createRequire(import.meta.url)('@aws-sdk/client-bedrock-runtime/package.json');
await steps.main('AWS SDK for JavaScript', version, { list, chat, stream, tool, error, throttle });
