// What the AWS SDK for JavaScript makes of faults: for each one named, the error it raises, how often
// it asked, and how many events came before. Prints JSON. usage: faults.mjs URL FAULT...
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";

const [url, ...faults] = process.argv.slice(2);
const input = {
  modelId: "anthropic.claude-3-haiku-20240307-v1:0",
  messages: [{ role: "user", content: [{ text: "hi" }] }],
};

function client(fault) {
  const made = new BedrockRuntimeClient({
    endpoint: url, region: "us-east-1", credentials: { accessKeyId: "craton", secretAccessKey: "craton" },
  });
  made.middlewareStack.add((next) => (args) => {
    args.request.headers["x-craton-fault"] = fault;
    return next(args);
  }, { step: "build" });
  return made;
}

async function outcome(call) {
  try {
    return { events: await call() };
  } catch (error) {
    return { error: error.name, tries: error.$metadata?.attempts, status: error.$metadata?.httpStatusCode };
  }
}

const told = {};
for (const fault of faults) {
  let events = 0;
  told[fault] = {
    whole: await outcome(async () => { await client(fault).send(new ConverseCommand(input)); return 1; }),
    stream: await outcome(async () => {
      const answer = await client(fault).send(new ConverseStreamCommand(input));
      for await (const _ of answer.stream) events += 1;
      return events;
    }),
    events,
  };
}
console.log(JSON.stringify(told));
