// Asks as `useChat` does, by the transport it uses, and prints the message that comes of it.
import { readFileSync } from 'node:fs';

const [version, api] = process.argv.slice(2);
const folder = new URL(`../../.node/node_modules/${version}/`, import.meta.url);
const { main, module } = JSON.parse(readFileSync(new URL('package.json', folder)));
const { DefaultChatTransport, readUIMessageStream } = await import(new URL(module ?? main, folder));

const asked = { id: 'asked', role: 'user', parts: [{ type: 'text', text: 'How is the weather in Oslo?' }] };
const transport = new DefaultChatTransport({ api });
const stream = await transport.sendMessages({ trigger: 'submit-message', chatId: 'chat', messages: [asked] });

let message;
const errors = [];
const kinds = [];
const watched = stream.pipeThrough(
  new TransformStream({
    transform(chunk, controller) {
      kinds.push(chunk.type);
      controller.enqueue(chunk);
    },
  }),
);
const reading = readUIMessageStream({ stream: watched, onError: error => errors.push(String(error.message ?? error)) });
for await (message of reading);
console.log(JSON.stringify({ message, errors, kinds }));
