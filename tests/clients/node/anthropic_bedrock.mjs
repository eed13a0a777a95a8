// @anthropic-ai/bedrock-sdk: InvokeModel and InvokeModelWithResponseStream in Claude's own form.
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import { readFileSync } from 'node:fs';
import * as steps from './steps.mjs';

const client = new AnthropicBedrock();

const request = (more = {}) => ({
  model: steps.model,
  max_tokens: 60,
  messages: [{ role: 'user', content: steps.question }],
  ...more,
});

async function chat() {
  const answer = await client.messages.create(request());
  steps.check(answer.stop_reason === 'end_turn', answer.stop_reason);
  steps.check(answer.usage.output_tokens > 0, answer.usage);
  return steps.only(answer.content).text;
}

async function stream() {
  const pieces = [];
  const answer = client.messages.stream(request()).on('text', (piece) => pieces.push(piece));
  const whole = await answer.finalMessage();
  steps.check(whole.stop_reason === 'end_turn', whole.stop_reason);
  return steps.streamed(pieces);
}

async function tool() {
  const answer = await client.messages.create(request({
    messages: [{ role: 'user', content: steps.toolQuestion }],
    tools: [{
      name: steps.toolName,
      description: steps.toolDescription,
      input_schema: steps.toolSchema,
    }],
    tool_choice: { type: 'any' },
  }));
  steps.check(answer.stop_reason === 'tool_use', answer.stop_reason);
  const use = steps.only(answer.content.filter((block) => block.type === 'tool_use'));
  return steps.called(use.name, use.input);
}

const describe = (error) => `${error.constructor.name}: ${error.message}`;
const error = () =>
  steps.refused(() => client.messages.create(request({ model: steps.unknownModel })), describe);
const throttle = () => steps.refused(() => client.messages.create(request()), describe);

// The package exports neither its version nor its package.json.
const manifest = new URL('./package.json', import.meta.resolve('@anthropic-ai/bedrock-sdk'));
const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
await steps.main('@anthropic-ai/bedrock-sdk', version, { chat, stream, tool, error, throttle });
