// @ai-sdk/deepgram as it comes, for recordings: prints its answer as a line of JSON.
//
//     node deepgram_vercel.cjs http://127.0.0.1:8080 KEY recording.wav
const fs = require("node:fs");
const { createDeepgram } = require("@ai-sdk/deepgram");

const [base, apiKey, file] = process.argv.slice(2);

async function main() {
  const deepgram = createDeepgram({
    apiKey,
    fetch: (url, options) => fetch(String(url).replace("https://api.deepgram.com", base), options),
  });
  const answer = await deepgram.transcription("nova-3").doGenerate({
    audio: new Uint8Array(fs.readFileSync(file)),
    mediaType: "audio/wav",
    providerOptions: { deepgram: { punctuate: true } },
  });
  const { text, segments, durationInSeconds } = answer;
  console.log(JSON.stringify({ text, segments, durationInSeconds }));
}

main();
