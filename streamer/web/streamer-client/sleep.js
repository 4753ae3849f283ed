/** Waits that can be aborted. */

/**
 * @param {number} ms
 * @param {AbortSignal} signal Its reason is thrown when it aborts the pause.
 * @returns {Promise<void>}
 */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return void reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}

/**
 * @template T
 * @param {Promise<T>} work
 * @param {AbortSignal} signal Its reason is thrown when it aborts first.
 * @returns {Promise<T>}
 */
export function unlessAborted(work, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return void reject(signal.reason);
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
