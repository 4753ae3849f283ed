/** The error that all classes of the client throw. */

/** Why something could not be done; `code` is for programs, `message` for people. */
export class StreamerError extends Error {
  /**
   * @param {string} code The server's, or `connection_failed`, `connection_lost`, `not_started`,
   *   `bad_audio`, `closed`; from a microphone `microphone_refused`, `microphone_absent`,
   *   `microphone_busy`, `microphone_unplugged`, `insecure_page`, `worklet_failed`, `audio_blocked`.
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = 'StreamerError';
    this.code = code;
  }
}
