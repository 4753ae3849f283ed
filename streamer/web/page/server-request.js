/** Requests to the page's own server. */

/** Milliseconds until a request fails: a port may accept a connection and never answer. */
const REPLY_TIMEOUT_MS = 5000;

/**
 * @param {'api/v1/info' | 'api/v1/ready'} path
 * @returns {Promise<Response>}
 * @throws {unknown} There is no reply in time.
 */
export const requestServer = (path) => fetch(path, { signal: AbortSignal.timeout(REPLY_TIMEOUT_MS) });
