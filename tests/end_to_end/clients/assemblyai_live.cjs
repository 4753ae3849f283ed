// The assemblyai package for JavaScript as it comes, live: prints each message as a line of JSON.
//
//     node assemblyai_live.cjs https://localhost:8080 KEY recording.wav
//
// Two sessions, one after another: with the key, and with a token that the key has bought, as in a
// browser. The package connects to servers with a certificate only.
const fs = require("node:fs");
const { AssemblyAI } = require("assemblyai");

const WAV_HEADER_BYTES = 44;
const MESSAGE_BYTES = 1600;
const PATIENCE_MS = 20_000; // one second, by default, which a busy machine may not keep
const [base, apiKey, file] = process.argv.slice(2);

async function stream(client, credential) {
  const transcriber = client.streaming.transcriber({
    websocketBaseUrl: `${base.replace(/^http/, "ws")}/v3/ws`,
    sampleRate: 16000,
    formatTurns: true,
    keytermsPrompt: ["Beckett"],
    connectTimeout: PATIENCE_MS,
    ...credential,
  });
  for (const event of ["open", "speechStarted", "turn"]) {
    transcriber.on(event, (message) => console.log(JSON.stringify(message)));
  }
  transcriber.on("error", fail);
  await transcriber.connect();
  const pcm = fs.readFileSync(file).subarray(WAV_HEADER_BYTES);
  for (let at = 0; at < pcm.length; at += MESSAGE_BYTES) {
    transcriber.sendAudio(pcm.subarray(at, at + MESSAGE_BYTES));
  }
  transcriber.keepAlive();
  transcriber.updateConfiguration({ minTurnSilence: 560, keytermsPrompt: [] });
  transcriber.forceEndpoint();
  await transcriber.close(true, PATIENCE_MS);
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

async function main() {
  const client = new AssemblyAI({ apiKey, streamingBaseUrl: base });
  await stream(client, {});
  const token = await client.streaming.createTemporaryToken({ expires_in_seconds: 60 });
  await stream(new AssemblyAI({ apiKey: "none" }), { token });
}

main().catch(fail);
