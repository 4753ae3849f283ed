// OpenAI's package for JavaScript, as it comes: prints each event as a line of JSON.
//
// usage: node openai_realtime.cjs BASE_URL KEY RECORDING [browser]
//
// RECORDING is PCM of 16 bits at 24 kHz. With "browser", a client secret is made first, and the
// socket is opened as a page opens one: with the secret in a subprotocol.

const fs = require("node:fs");
const OpenAI = require("openai");
const { OpenAIRealtimeWS } = require("openai/realtime/ws");
const { OpenAIRealtimeWebSocket } = require("openai/realtime/websocket");
const ws = require("ws");

const MESSAGE_BYTES = 4800;

const [baseURL, apiKey, recording, kind] = process.argv.slice(2);
const intent = { intent: "transcription" };
const session = {
  type: "transcription",
  audio: { input: { transcription: { model: "gpt-4o-transcribe" }, turn_detection: null } },
};

async function connect() {
  const client = new OpenAI({ apiKey, baseURL });
  if (kind !== "browser") {
    return new OpenAIRealtimeWS(intent, client);
  }
  globalThis.WebSocket = ws.WebSocket; // as in a browser
  const secret = await client.realtime.clientSecrets.create({ session });
  return new OpenAIRealtimeWebSocket(intent, new OpenAI({ apiKey: secret.value, baseURL }));
}

function send(socket) {
  const audio = fs.readFileSync(recording);
  for (let first = 0; first < audio.length; first += MESSAGE_BYTES) {
    const piece = audio.subarray(first, first + MESSAGE_BYTES).toString("base64");
    socket.send({ type: "input_audio_buffer.append", audio: piece });
  }
  socket.send({ type: "input_audio_buffer.commit" });
}

async function main() {
  const socket = await connect();
  socket.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  socket.on("event", (event) => console.log(JSON.stringify(event)));
  socket.on("session.created", () => {
    if (kind === "browser") {
      send(socket);
    } else {
      socket.send({ type: "session.update", session });
    }
  });
  socket.on("session.updated", () => send(socket));
  socket.on("conversation.item.input_audio_transcription.completed", () => socket.close());
}

main();
