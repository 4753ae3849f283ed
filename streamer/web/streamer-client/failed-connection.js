/** Why there may be no connection. A browser does not say which reason it was. */

/** Names and addresses of this machine. */
const LOOPBACK = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * @param {string} url Of the endpoint.
 * @param {string | undefined} [pageOrigin] Undefined outside of a page.
 * @returns {string} For people.
 */
export function describeFailedConnection(url, pageOrigin = globalThis.document?.location?.origin) {
  const failure = `there is no connection to ${url}`;
  if (pageOrigin === undefined) return failure;
  const intro = `${failure}: the server does not run, or it refuses this page`;
  if (pageOrigin === 'null') {
    return `${intro}, which was opened from a file and has no origin: open it over http`;
  }
  const hint = isNameMixedUp(url, pageOrigin)
    ? ': localhost and 127.0.0.1 are different origins, so use the same one for page and server'
    : '';
  return `${intro}, whose origin ${pageOrigin} must then be added to the server's access.origins${hint}`;
}

/**
 * @param {string} url
 * @param {string} pageOrigin
 * @returns {boolean} Whether both are on this machine, by different names.
 */
function isNameMixedUp(url, pageOrigin) {
  const [server, page] = [new URL(url).hostname, new URL(pageOrigin).hostname];
  return server !== page && LOOPBACK.test(server) && LOOPBACK.test(page);
}
