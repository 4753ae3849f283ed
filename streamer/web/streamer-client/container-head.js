/** Whether bytes are the beginning of a container. */

/** @type {[number, number[]][]} A place, and the bytes that stand there. */
const MARKS = [
  [0, [0x1a, 0x45, 0xdf, 0xa3]], // WebM
  [0, [0x4f, 0x67, 0x67, 0x53, 0, 2]], // the first page of Ogg
  [0, [0x66, 0x4c, 0x61, 0x43]], // FLAC
  [4, [0x66, 0x74, 0x79, 0x70]], // MP4
  [0, [0x52, 0x49, 0x46, 0x46]], // WAV
  [0, [0x49, 0x44, 0x33]], // a tag before MP3
];

/**
 * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} audio
 * @returns {boolean} Whether a container begins with these bytes. Frames of MP3 and AAC are one each.
 */
export function beginsContainer(audio) {
  const head = ArrayBuffer.isView(audio)
    ? new Uint8Array(audio.buffer, audio.byteOffset, audio.byteLength)
    : new Uint8Array(audio);
  if (head[0] === 0xff && ((head[1] ?? 0) & 0xe0) === 0xe0) return true;
  return MARKS.some(([place, bytes]) => bytes.every((byte, n) => head[place + n] === byte));
}
