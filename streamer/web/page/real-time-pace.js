/** The pace of a recording that is sent in real time. */

/**
 * Milliseconds of delay that are made up for. Timers of a tab in the background run once a second,
 * so a delay of a second is normal.
 */
const MAX_CATCH_UP_MS = 1500;

/** Delays a recording to real time. After a long wait for the network, it does not catch up. */
export class RealTimePace {
  #beginMs = performance.now();

  /** @param {number} seconds Position in the recording. */
  async waitFor(seconds) {
    const earlyMs = this.#beginMs + seconds * 1000 - performance.now();
    if (earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, earlyMs));
    else if (earlyMs < -MAX_CATCH_UP_MS) this.#beginMs -= earlyMs;
  }
}
