// Vercel AI SDK: `ai` with @ai-sdk/amazon-bedrock, which calls Converse and ConverseStream by fetch.
import { bedrock, VERSION } from '@ai-sdk/amazon-bedrock';
import { generateText, jsonSchema, streamText, tool as defineTool } from 'ai';
import * as steps from './steps.mjs';

const request = (more = {}) => ({
  model: bedrock(steps.model),
  prompt: steps.question,
  maxOutputTokens: 60,
  temperature: 0,
  ...more,
});

async function chat() {
  const { text, finishReason, usage } = await generateText(request());
  steps.check(finishReason === 'stop', finishReason);
  steps.check(usage.outputTokens > 0, usage);
  return text;
}

async function stream() {
  const pieces = [];
  const answer = streamText(request({ onError: ({ error }) => { throw error; } }));
  for await (const piece of answer.textStream) pieces.push(piece);
  const reason = await answer.finishReason;
  steps.check(reason === 'stop', reason);
  return steps.streamed(pieces);
}

async function tool() {
  const weather = defineTool({
    description: steps.toolDescription,
    inputSchema: jsonSchema(steps.toolSchema),
  });
  const { toolCalls } = await generateText(request({
    prompt: steps.toolQuestion,
    tools: { [steps.toolName]: weather },
    toolChoice: 'required',
  }));
  const call = steps.only(toolCalls);
  return steps.called(call.toolName, call.input);
}

const describe = (error) => `${error.name}: ${error.message}`;
const error = () =>
  steps.refused(() => generateText(request({ model: bedrock(steps.unknownModel) })), describe);
const throttle = () => steps.refused(() => generateText(request()), describe);

await steps.main('@ai-sdk/amazon-bedrock', VERSION, { chat, stream, tool, error, throttle });
