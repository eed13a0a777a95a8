// What the JavaScript clients share: the steps' questions, and how a program runs its steps.
// The form of the lines is that of ../python/steps.py.
export const model = 'anthropic.claude-3-haiku-20240307-v1:0';
export const unknownModel = 'anthropic.no-such-model-v1:0';
export const question = 'What is the capital of France?';
export const toolQuestion = 'What is the weather in Paris, in celsius?';
export const toolName = 'get_weather';
export const toolDescription = 'The weather in a city now';
export const toolSchema = {
  type: 'object',
  properties: {
    city: { type: 'string' },
    unit: { type: 'string', enum: ['celsius', 'fahrenheit'] },
  },
  required: ['city', 'unit'],
};

export function check(holds, what) {
  if (!holds) throw new Error(typeof what === 'string' ? what : JSON.stringify(what));
}

/** The one item there is. */
export function only(items) {
  check(items.length === 1, items);
  return items[0];
}

/** The detail of `stream`; `pieces` are the texts as they arrived. */
export function streamed(pieces) {
  const texts = pieces.filter(Boolean);
  return `${texts.length} pieces: ${texts.join('')}`;
}

/** The detail of `tool`: the call's input, as JSON. */
export function called(name, input) {
  check(name === toolName, `called ${name}`);
  return JSON.stringify(input);
}

/** The detail of `error` and `throttle`: what `call` throws, as `describe` puts it. */
export async function refused(call, describe) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    return describe(error);
  }
  throw new Error(`was answered: ${JSON.stringify(answer)}`);
}

const say = (line) => console.log(JSON.stringify(line));

async function attempt(step) {
  try {
    return [true, await step()];
  } catch (error) {
    return [false, `${error.name}: ${error.message}`];
  }
}

/** Runs the steps that the command line names. */
export async function main(client, version, steps) {
  say({ client, version });
  for (const name of process.argv.slice(2)) {
    const [ok, detail] = await attempt(steps[name]);
    say({ step: name, ok, detail });
    if (!ok) process.exitCode = 1;
  }
}
