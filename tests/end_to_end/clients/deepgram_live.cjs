// @deepgram/sdk as it comes, live: prints each message as a line of JSON.
//
//     node deepgram_live.cjs http://127.0.0.1:8080 KEY recording.wav [option=value ...]
const fs = require("node:fs");
const { DeepgramClient } = require("@deepgram/sdk");

const WAV_HEADER_BYTES = 44;
const [base, apiKey, file, ...given] = process.argv.slice(2);
const socket = base.replace(/^http/, "ws");
const environment = { base, production: socket, agent: socket, agentRest: base };

async function main() {
  const client = new DeepgramClient({ apiKey, environment });
  const connection = await client.listen.v1.connect({
    model: "nova-3",
    encoding: "linear16",
    sample_rate: 16000,
    ...Object.fromEntries(given.map((option) => option.split("="))),
  });
  connection.on("message", (message) => console.log(JSON.stringify(message)));
  connection.on("close", (event) => process.exit(event.code === 1000 ? 0 : 1));
  connection.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  connection.connect();
  await connection.waitForOpen();
  const pcm = fs.readFileSync(file).subarray(WAV_HEADER_BYTES);
  for (let at = 0; at < pcm.length; at += 640) connection.sendMedia(pcm.subarray(at, at + 640));
  connection.sendKeepAlive({ type: "KeepAlive" });
  connection.sendFinalize({ type: "Finalize" });
  connection.sendCloseStream({ type: "CloseStream" });
}

main();
