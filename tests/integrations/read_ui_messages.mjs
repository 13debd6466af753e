// Asks as `useChat` does, by the transport it uses, and prints the message that comes of it.
const [version, api] = process.argv.slice(2);
const { DefaultChatTransport, readUIMessageStream } = await import(`../../.node/node_modules/${version}/dist/index.mjs`);

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
